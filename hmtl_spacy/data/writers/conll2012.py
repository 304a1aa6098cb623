"""A `Doc` as CoNLL-2012 lays it out: named entities and coreference in columns, one part a document."""

import re
from collections import Counter
from hashlib import blake2b
from typing import Dict, Iterable, Iterator, List, Optional

from spacy.tokens import Doc

from ..converters.common import TREEBANK_ESCAPES
from ..converters.conll2012 import SLASHES
from ..layers import Layers, Scored, lose_further, lose_unannotated
from .words import CROSSING, ESCAPED, Words, lose_scores, nested
from .writer import Writer

BRACKETS = {text: sign for sign, text in TREEBANK_ESCAPES.items() if text in "()[]{}"}
BEGIN = re.compile(rb"^#begin document \((.*)\); part (\d+)$", re.MULTILINE)

PIECE = 1 << 20  # bytes


def doc_to_conll2012(doc: Doc, layers: Layers, lost: Counter[str]) -> Optional[str]:
    """A document from `#begin document` to `#end document`; None if it has no words.

    It is part 0 of its name: `PartNumbers` tells those apart that have the same.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: the lines.
    """
    words = Words(doc, layers, lost)
    if not words.texts:
        lost["documents without words"] += 1
        return None
    lost[ESCAPED] += sum(text in SLASHES for text in words.texts)
    lost["mentions"] += len(layers.mentions or ())
    lost["relations"] += len(layers.relations or ())
    lose_further(layers, lost)
    lose_unannotated(layers, ("entities", "clusters"), lost)
    lose_scores([layers.entities, *(layers.clusters or ())], lost)
    name = _name(str(doc.user_data.get("id", "document")), lost)
    entities = _entity_column(words, layers.entities or [], lost)
    links = _coref_column(words, layers.clusters or [], lost)
    tags = [(token.tag_ or "-", token.lemma_ or "-") for token in doc if not token.is_space]
    lines = [f"#begin document ({name}); part 000"]
    for start, end in words.sentences:
        for i in range(start, end):
            word = _column(BRACKETS.get(words.texts[i], words.texts[i]), lost)
            tag, lemma = (_column(text, lost) for text in tags[i])
            unknown = ["-", "-", "-"]  # frame, sense, speaker
            row = [name, "0", str(i - start), word, tag, "*", lemma, *unknown, entities[i], links[i]]
            lines.append("\t".join(row))
        lines.append("")
    return "\n".join([*lines, "#end document", ""])


class PartNumbers:
    """Numbers the documents of a file that have the same name: parts 0, 1 and so on, in their order.

    Names are known by a digest. (Two with the same one wouldn't matter: their numbers differ.)
    """

    def __init__(self) -> None:
        self._next: Dict[int, int] = {}

    def read(self, lines: Iterable[bytes]) -> None:
        """Go on after what is written already.

        lines: its lines.
        """
        for begin in filter(None, map(BEGIN.match, lines)):
            self._take(begin[1])

    def number(self, data: bytes) -> bytes:
        """Number what comes next.

        data: documents, part 0 or another.
        RETURNS: the same, those whose name was there before with a number of their own.
        """
        begins = list(BEGIN.finditer(data))
        ends = [begin.start() for begin in begins[1:]] + [len(data)]
        return b"".join(
            _as_part(data[begin.start() : end], begin, self._take(begin[1]))
            for begin, end in zip(begins, ends)
        )

    @staticmethod
    def documents(lines: Iterable[bytes]) -> Iterator[bytes]:
        """What is written already, some documents at a time, to be numbered anew.

        lines: its lines.
        """
        piece: List[bytes] = []
        size = 0
        for line in lines:
            if size >= PIECE and BEGIN.match(line):
                yield b"".join(piece)
                piece, size = [], 0
            piece.append(line)
            size += len(line)
        yield b"".join(piece)

    def _take(self, name: bytes) -> int:
        digest = int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
        number = self._next.get(digest, 0)
        self._next[digest] = number + 1
        return number


def _as_part(document: bytes, begin: "re.Match[bytes]", number: int) -> bytes:
    """A document with another number, in its first line and in its rows."""
    name, before = begin[1], int(begin[2])
    if number == before:
        return document
    document = document.replace(b"; part %03d\n" % before, b"; part %03d\n" % number, 1)
    return document.replace(b"\n%b\t%d\t" % (name, before), b"\n%b\t%d\t" % (name, number))


def _name(id: str, lost: Counter[str]) -> str:
    name = re.sub(r"\s|^#|^$", "_", id)
    lost["names of documents with white space or a #, which became _"] += name != id
    return name


def _column(text: str, lost: Counter[str]) -> str:
    """A value without white space, which would begin another column."""
    value = re.sub(r"\s", "_", text)
    lost["words with white space, which became _"] += value != text
    return value


def _entity_column(words: Words, entities: List[Scored], lost: Counter[str]) -> List[str]:
    column = ["*"] * len(words.texts)
    for span, _ in entities:
        offsets = words.offsets(span)
        label = re.sub(r"[()*|\s]", "_", span.label_)
        if offsets is None or words.sentence(offsets[0]) != words.sentence(offsets[1] - 1):
            lost["named entities across sentences or of nothing but white space"] += 1
            continue
        lost["labels with brackets, * or |, which became _"] += label != span.label_
        first, last = offsets[0], offsets[1] - 1
        column[last] = "*)"
        column[first] = f"({label})" if first == last else f"({label}*"
    return column


def _coref_column(words: Words, clusters: List[List[Scored]], lost: Counter[str]) -> List[str]:
    values: Dict[int, List[str]] = {}
    for number, cluster in enumerate(clusters):
        spans = [words.offsets(span) for span, _ in cluster]
        kept = nested(spans)
        lost[CROSSING] += len(spans) - len(kept)
        for start, end in kept:
            if end - start == 1:
                values.setdefault(start, []).append(f"({number})")
            else:
                values.setdefault(start, []).append(f"({number}")
                values.setdefault(end - 1, []).append(f"{number})")
    return ["|".join(values.get(i, ["-"])) for i in range(len(words.texts))]


writer = Writer(doc_to_conll2012, ("conll",), numbering=PartNumbers)
