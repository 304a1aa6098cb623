"""CoNLL04 as Bekoulis et al. (2018) distribute it: mentions and relations, one sentence a document.

    #doc 7
    0   Ada       B-Peop   ['N']          [0]
    1   Byron     I-Peop   ['Live_In']    [4]
    ...

A relation stands in the row of its head's last token and names its tail's last token.
"""

import ast
from collections import Counter
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import MENTIONS, Relation, set_mentions, set_relations
from ..vocabulary import vocabulary
from .common import ConversionError, Lines, make_doc
from .converter import Converter
from .tagging import TaggedToken, tags_to_spans

NO_RELATION = "N"


class Row(NamedTuple):
    """A row of the file: a token, and the relations in which it is the head."""

    token: TaggedToken
    relations: List[Tuple[str, int]]  # label, index of the tail's last token


class Block(NamedTuple):
    """A sentence with its id."""

    id: str
    rows: List[Row]


def conll04_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    ents: bool = False,
    mentions_key: str = MENTIONS,
    exclude: Optional[Lines] = None,
    repair: bool = False,
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """CoNLL04 as Bekoulis et al. distribute it. Fills mentions and relations.

    Each sentence is a document.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    ents: write the entities to doc.ents too.
    mentions_key: the span group of the entities.
    exclude: leave out sentences that this file has too, compared without case and whitespace.
    repair: take a last line without a line feed as whole.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = vocabulary(vocab)
    dropped = Counter() if dropped is None else dropped
    excluded = {_comparable(block) for block in _blocks(*(exclude or Lines(())))}
    for block in _blocks(lines, source):
        if _comparable(block) in excluded:
            dropped["sentences that occur in the excluded file"] += 1
            continue
        yield _block_to_doc(block, source, vocab, ents, mentions_key, dropped)


def _block_to_doc(
    block: Block, source: str, vocab: Vocab, ents: bool, mentions_key: str, dropped: Counter[str]
) -> Doc:
    tokens = [row.token for row in block.rows]
    doc = make_doc(vocab, [token.text for token in tokens], None, [len(tokens)], block.id)
    tagged = _without_strays(tokens, dropped)
    mentions = [Span(doc, *row) for row in tags_to_spans(tagged, "iob2", source)]
    set_mentions(doc, mentions, key=mentions_key)
    if ents:
        doc.set_ents(mentions, default="outside")
    ending: Dict[int, Span] = {mention.end - 1: mention for mention in mentions}
    relations = []
    for i, row in enumerate(block.rows):
        for label, tail in row.relations:
            if not 0 <= tail < len(doc):
                found = f"a {label} relation points at token {tail} of a sentence of {len(doc)} tokens"
                raise ConversionError(source, row.token.line, f"{found}. Correct the last column.")
            if i in ending and tail in ending:
                relations.append(Relation(ending[i], ending[tail], label))
            else:
                dropped["relations of which an argument ends no entity"] += 1
    set_relations(doc, relations)
    return doc


def _without_strays(tokens: List[TaggedToken], dropped: Counter[str]) -> List[TaggedToken]:
    """Read an I- that continues nothing as O: the published files have two such entities."""
    tagged: List[TaggedToken] = []
    for token in tokens:
        prefix, _, label = token.tag.partition("-")
        if prefix == "I" and (not tagged or tagged[-1].tag not in (f"B-{label}", f"I-{label}")):
            dropped["I- tags that continue no entity"] += 1
            token = token._replace(tag="O")
        tagged.append(token)
    return tagged


def _blocks(lines: Iterable[str], source: str) -> Iterator[Block]:
    block = None
    for number, line in enumerate(lines, start=1):
        if line.startswith("#doc"):
            if block is not None and block.rows:
                yield block
            block = Block(line[len("#doc") :].strip(), [])
        elif line.strip():
            if block is None:
                raise ConversionError(source, number, f"found {line!r} before the first '#doc' line.")
            block.rows.append(_row(line, number, len(block.rows), source))
    if block is not None and block.rows:
        yield block


def _row(line: str, number: int, index: int, source: str) -> Row:
    columns = line.split("\t")
    try:
        position, text, tag, labels, tails = columns
        labels, tails = ast.literal_eval(labels), ast.literal_eval(tails)
        pairs = [(str(label), int(tail)) for label, tail in zip(labels, tails, strict=True)]
        if int(position) != index or not text:
            raise ValueError
    except (ValueError, SyntaxError, TypeError):
        expected = f"{index}, token, tag, ['relation', ...], [tail, ...], separated by tabs"
        raise ConversionError(source, number, f"found {line!r}, expected {expected}.") from None
    return Row(TaggedToken(text, tag, number), [pair for pair in pairs if pair[0] != NO_RELATION])


def _comparable(block: Block) -> str:
    return "".join("".join(row.token.text.lower().split()) for row in block.rows)


converter = Converter(
    conll04_to_docs,
    rows=True,
    example="test.txt test_noleak.spacy --exclude train.txt",
    flags={"exclude": "x"},
)
