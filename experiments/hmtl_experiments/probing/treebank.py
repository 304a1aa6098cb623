"""Sentences of a treebank in CoNLL-U, with their trees."""

from functools import cached_property
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

LENGTHS = range(5, 29)  # words of the sentences that are probed, as in SentEval


class Word(NamedTuple):
    """A syntactic word.

    head: place of its head in the sentence, counted from 0; -1 for the root.
    relation: to its head, without a subtype.
    """

    text: str
    lemma: str
    pos: str
    tag: str
    head: int
    relation: str


class Sentence:
    """A sentence with its tree.

    doc: the id of its document.
    """

    def __init__(self, doc: str, words: Sequence[Word]):
        self.doc = doc
        self.words = tuple(words)

    @property
    def texts(self) -> Tuple[str, ...]:
        """The words themselves."""
        return tuple(word.text for word in self.words)

    @cached_property
    def root(self) -> int:
        """The place of the root."""
        return next(i for i, word in enumerate(self.words) if word.head < 0)

    @cached_property
    def children(self) -> Dict[int, List[int]]:
        """The dependents of each word, in the order of the sentence."""
        children: Dict[int, List[int]] = {i: [] for i in range(len(self.words))}
        for i, word in enumerate(self.words):
            if word.head >= 0:
                children[word.head].append(i)
        return children

    @property
    def depth(self) -> int:
        """How many words there are on the longest way from the root down, the root included."""

        def below(i: int) -> int:
            return 1 + max(map(below, self.children[i]), default=0)

        return below(self.root)

    def dependents(self, i: int, relation: str) -> List[int]:
        """The dependents of a word with a relation."""
        return [child for child in self.children[i] if self.words[child].relation == relation]

    def subtree(self, i: int) -> Set[int]:
        """A word and all that depends on it."""
        return {i}.union(*map(self.subtree, self.children[i]))


def read_treebank(paths: Iterable[Path]) -> List[Sentence]:
    """Read sentences of `LENGTHS` words; of those with the same words only the first."""
    found: Dict[Tuple[str, ...], Sentence] = {}
    for path in paths:
        for sentence in _sentences(path):
            if len(sentence.words) in LENGTHS:
                found.setdefault(tuple(text.lower() for text in sentence.texts), sentence)
    if not found:
        raise ValueError(
            f"No sentence of {LENGTHS.start} to {LENGTHS.stop - 1} words in {', '.join(map(str, paths))}: "
            f"name files of a treebank in CoNLL-U."
        )
    return list(found.values())


def _sentences(path: Path) -> Iterator[Sentence]:
    doc, rows = path.stem, []
    lines = path.read_text(encoding="utf8").splitlines()
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith("# newdoc id = "):
            doc = line.partition(" = ")[2]
        elif line and not line.startswith("#"):
            rows.append((number, line.split("\t")))
        elif not line and rows:
            yield Sentence(doc, [_word(path, *row) for row in rows if row[1][0].isdecimal()])
            rows = []


def _word(path: Path, number: int, fields: Sequence[str]) -> Word:
    """Read a line; ranges of multiword tokens and empty nodes have been left out."""
    if len(fields) != 10 or not fields[6].isdecimal():
        raise ValueError(
            f"{path}, line {number}: a word needs ten columns with its head in the seventh, but these are "
            f"{fields}. Probing needs a treebank with trees."
        )
    _, text, lemma, pos, tag, _, head, relation, _, _ = fields
    return Word(text, lemma.lower(), pos, tag, int(head) - 1, relation.partition(":")[0])
