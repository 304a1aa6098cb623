"""PubTator: titles and abstracts, with mentions by characters and relations between identifiers."""

import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .common import ConversionError, read_lines
from .converter import Converter
from .folders import files_in, read_rows
from .identifiers import Identifiers
from .records import shorten
from .rules import TextRules, takes
from .standoff import Standoff
from .tokens import load_tokenizer
from .units import Positions, Unit

TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
UNITS: Tuple[Unit, ...] = ("codepoint", "utf16", "byte")
UNIT_NAMES = {"utf16": "UTF-16 units", "byte": "bytes"}


class PubtatorDocument(NamedTuple):
    """A title and an abstract, with the rows of mentions and relations, each with the number of its line."""

    id: str
    texts: Dict[str, str]  # "t" and "a"
    mentions: List[Tuple[int, List[str]]]
    relations: List[Tuple[int, List[str]]]

    @property
    def text(self) -> str:
        """The title, and after one space the abstract if there is one, empty or not."""
        title = self.texts.get("t", "")
        return f"{title} {self.texts['a']}" if "a" in self.texts else title


@takes(TextRules)
def pubtator_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    repair: bool = False,
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    """PubTator, as of BioRED and BC5CDR. Fills mentions, clusters of one identifier, and relations.

    Clusters and relations are annotated where the file has identifiers and relations.

    path: the file, or a folder of such files.
    vocab: the vocabulary of the documents.
    repair: take a last line without a line feed as whole.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    layers = _layers(files_in(path), rules)
    for file in files_in(path):
        for document in _documents(read_rows(file, repair, dropped), str(file)):
            doc = nlp.tokenizer(document.text)
            doc.user_data["id"] = document.id
            yield _annotate(doc, document, str(file), dropped, rules).annotate(layers)


def _annotate(
    doc: Doc, document: PubtatorDocument, source: str, dropped: Counter[str], rules: TextRules
) -> Standoff:
    standoff = Standoff(doc, rules, partial(ConversionError, source, None), dropped)
    identifiers = Identifiers(standoff)
    positions = _positions(document, source, dropped)
    for number, (line, row) in enumerate(document.mentions):
        standoff.error = partial(ConversionError, source, line)
        start, end, _, label = row[1:5]
        place = positions.find(int(start)) or 0, positions.find(int(end)) or 0
        standoff.span(number, [place], label)
        identifiers.add(number, row[5] if len(row) > 5 else "", label)
    identifiers.clusters()
    for line, row in document.relations:
        standoff.error = partial(ConversionError, source, line)
        identifiers.relation(row[2], row[3], row[1])
    return standoff


def _positions(document: PubtatorDocument, source: str, dropped: Counter[str]) -> Positions:
    """What offsets count: code points, unless the mentions have their text only with others."""
    text = document.text
    for unit in UNITS:
        positions = Positions(text, unit)
        if not any(_other(row, positions, text) for _, row in document.mentions):
            if unit in UNIT_NAMES:
                dropped[f"documents whose offsets count {UNIT_NAMES[unit]}"] += 1
            return positions
    positions = Positions(text)
    line, row = next(found for found in document.mentions if _other(found[1], positions, text))
    there = text[int(row[1]) : int(row[2])]
    found = (
        f"found the text {shorten(row[3])} of {row[1]} to {row[2]}, but its characters are {shorten(there)}"
    )
    raise ConversionError(source, line, f"{found}. The abstract follows the title and one character.")


def _other(row: List[str], positions: Positions, text: str) -> bool:
    """Whether other characters than its text are in a mention's place."""
    start, end = positions.find(int(row[1])), positions.find(int(row[2]))
    return start is None or end is None or text[start:end] != row[3]


def _documents(lines: Iterator[str], source: str) -> Iterator[PubtatorDocument]:
    document: Optional[PubtatorDocument] = None
    for number, line in enumerate(lines, start=1):
        match = TEXT.fullmatch(line)
        id = match[1] if match else line.split("\t")[0]
        if document is not None and (not line.strip() or (match and id != document.id)):
            yield document
            document = None
        if not line.strip():
            continue
        if match and document is None:
            document = PubtatorDocument(id, {}, [], [])
        if document is None or id != document.id:
            found = f"found {shorten(line)}, expected ID|t|TITLE" + (f" of {document.id}" if document else "")
            raise ConversionError(source, number, f"{found}. Blank lines separate documents.")
        if match:
            if match[2] in document.texts:
                raise ConversionError(source, number, f"found a second |{match[2]}| of the document {id!r}.")
            document.texts[match[2]] = match[3]
        else:
            _read_row(line, number, document, source)
    if document is not None:
        yield document


def _read_row(line: str, number: int, document: PubtatorDocument, source: str) -> None:
    """A mention is told from a relation by its offsets."""
    row = line.split("\t")
    if len(row) in (5, 6, 7) and row[1].isdecimal() and row[2].isdecimal():
        document.mentions.append((number, row))
    elif len(row) in (4, 5) and all(row[1:4]):
        document.relations.append((number, row))
    else:
        expected = "expected id, start, end, text, type, identifier, or id, relation, identifier, identifier"
        found = f"found {len(row)} columns, {shorten(row)}, {expected}, separated by tabs"
        raise ConversionError(source, number, f"{found}. Is a part of the row missing?")


def _layers(files: List[Path], rules: TextRules) -> FrozenSet[str]:
    """The layers that any document has."""
    found = {"mentions"}
    for document in (one for file in files for one in _documents(read_lines(file), str(file))):
        if any(len(row) > 5 for _, row in document.mentions):
            found.add("clusters")
        if document.relations:
            found.add("relations")
        if len(found) == 3:
            break
    return frozenset(found)


converter = Converter(
    pubtator_to_docs,
    read_folder=pubtator_to_docs,
    input="A PubTator file, or a folder of such files",
    example="Train.PubTator train.spacy",
    paths=True,
)
