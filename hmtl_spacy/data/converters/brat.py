"""brat's standoff: a text and, beside it, its annotation by characters."""

import re
from collections import Counter
from pathlib import Path
from typing import FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .brat_lines import Annotation, TextSpan
from .clusters import Offsets
from .common import read_lines, read_text
from .converter import Converter
from .folders import files_of
from .records import shorten
from .repair import Repair
from .rules import TextRules, takes
from .standoff import Standoff
from .tokens import load_tokenizer
from .units import Positions, Unit

TEXT, ANNOTATION, CONFIGURATION = ".txt", ".ann", "annotation.conf"
WHITE = re.compile(r"\s+")
MAY_BE_CUT = "RE*"  # lines that end in an id, of which a digit may be missing


class Reading(NamedTuple):
    """A text, and what its annotation counts in it. what: as it is reported, empty for what brat counts."""

    text: str
    unit: Unit
    what: str


@takes(TextRules)
def brat_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    repair: bool = False,
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    """brat's standoff, .txt with .ann beside it. Fills mentions, clusters and relations.

    Clusters and relations are annotated where any of the files has some, or annotation.conf lists them.

    path: a .txt file, or its .ann file.
    vocab: the vocabulary of the documents.
    repair: take a last line without a line feed as whole.
    dropped: what couldn't be kept is counted here.
    YIELDS: the document.
    """
    path = path.with_suffix(TEXT)
    yield from _read([path], path.parent, vocab, repair, dropped, rules)


@takes(TextRules)
def brat_folder_to_docs(
    path: Union[str, Path],
    *,
    pattern: str = "*.txt",
    vocab: Optional[Vocab] = None,
    repair: bool = False,
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    """Convert all texts in or below a folder.

    path: the folder.
    pattern: what the names of the texts are like.
    vocab, repair, dropped: as for a file.
    YIELDS: the documents, named as their files in the folder.
    """
    folder = Path(path)
    yield from _read(list(files_of(folder, pattern)), folder, vocab, repair, dropped, rules)


def _read(
    paths: List[Path],
    folder: Path,
    vocab: Optional[Vocab],
    repair: bool,
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    layers = _layers(paths, folder, rules)
    for path in paths:
        file = path.with_suffix(ANNOTATION)
        annotation = None
        if file.is_file():
            lines = _numbered(file, Repair(repair, str(file), dropped))
            annotation = Annotation(lines, str(file), dropped)
        text = read_text(path)
        reading = _reading(text, annotation)
        doc = nlp.tokenizer(reading.text)
        doc.user_data["id"] = path.relative_to(folder).with_suffix("").as_posix()
        if annotation is None:
            dropped[f"texts without an {ANNOTATION} file (left unannotated)"] += 1
            yield doc
            continue
        if reading.what:
            dropped[f"documents whose offsets count {reading.what}"] += 1
        yield _annotate(Standoff(doc, rules, annotation.error, dropped), annotation, reading, layers)


def _annotate(standoff: Standoff, annotation: Annotation, reading: Reading, layers: FrozenSet[str]) -> Doc:
    positions = Positions(reading.text, reading.unit)
    for span in annotation.spans:
        annotation.line = span.line
        if span.id in annotation.events:
            standoff.leave_out(span.id)
        else:
            standoff.span(span.id, _pieces(span, positions) or span.pieces, span.label)
    for link in annotation.links:
        annotation.line = link.line
        for id in link.ids:
            if not id.startswith("T"):
                standoff.leave_out(id)
        if not link.is_set:
            standoff.relation(link.ids[0], link.ids[1], link.label)
        elif standoff.rules.is_coref(link.label):
            standoff.link(*link.ids)
        else:
            standoff.dropped[f"sets of {link.label!r}, which isn't coreference"] += 1
    annotation.line = None
    return standoff.annotate(layers)


def _numbered(file: Path, repair: Repair) -> Iterator[Tuple[int, str]]:
    """The lines of an annotation file. brat ends a relation with a tab, so that such a one is whole."""
    unended: List[int] = []
    for number, line in enumerate(read_lines(file, unended.append), start=1):
        if unended and line.startswith(tuple(MAY_BE_CUT)) and not line.endswith("\t"):
            repair.unended(number)
        yield number, line


def _reading(original: str, annotation: Optional[Annotation]) -> Reading:
    """The first of what offsets may count in which all spans have their text.

    brat counts code points and takes a CRLF for one; older versions and other tools don't.
    """
    text = original.replace("\r\n", "\n").replace("\r", "\n")
    readings = [
        Reading(text, "codepoint", ""),
        Reading(text, "utf16", "UTF-16 units"),
        Reading(original, "codepoint", "both characters of a CRLF"),
        Reading(original, "utf16", "UTF-16 units and both characters of a CRLF"),
        Reading(text, "byte", "bytes"),
    ]
    if annotation is None:
        return readings[0]
    for reading in readings:
        positions = Positions(reading.text, reading.unit)
        if all(_fits(span, positions, reading.text, bool(reading.what)) for span in annotation.spans):
            return reading
    positions = Positions(text)
    span = next(span for span in annotation.spans if not _fits(span, positions, text, False))
    annotation.line = span.line
    there = " ".join(text[start:end] for start, end in span.pieces)
    found = f"found the text {shorten(span.text)} of {span.id}, but its characters are {shorten(there)}"
    raise annotation.error(f"{found}. Is the text the one that was annotated, and whole?")


def _fits(span: TextSpan, positions: Positions, text: str, exactly: bool) -> bool:
    """Whether a span's characters are its text, but for white space, which versions of brat change.

    exactly: white space is one space or more in both, as brat writes it since its version 1.3.
    """
    pieces = _pieces(span, positions)
    if pieces is None:
        return False
    there, space = " ".join(text[start:end] for start, end in pieces), " " if exactly else ""
    return WHITE.sub(space, there) == WHITE.sub(space, span.text)


def _pieces(span: TextSpan, positions: Positions) -> Optional[List[Offsets]]:
    """Start and end of each piece in code points; None if there is no such place."""
    pieces = []
    for piece in span.pieces:
        start, end = map(positions.find, piece)
        if start is None or end is None:
            return None
        pieces.append((start, end))
    return pieces


def _layers(paths: Iterable[Path], folder: Path, rules: TextRules) -> FrozenSet[str]:
    """The layers that the configuration lists, or that any file has."""
    found = {"mentions"}
    if rules.has_coref:
        found.add("clusters")
    files = [*folder.rglob(CONFIGURATION), *(path.with_suffix(ANNOTATION) for path in paths)]
    for file in filter(Path.is_file, files):
        for label in _link_labels(file):
            found.add("clusters" if rules.is_coref(label) else "relations")
        if len(found) == 3:
            break
    return frozenset(found)


def _link_labels(file: Path) -> Iterator[str]:
    """The labels of relations and sets in a configuration or an annotation."""
    section = ""
    for line in read_lines(file):
        if file.name != CONFIGURATION:
            if line.startswith(("R", "*")) and "\t" in line:
                yield line.split("\t")[1].split(" ")[0]
        elif line.startswith("["):
            section = line.strip()
        elif section == "[relations]" and line.strip() and line[0] not in "#<!-":
            yield line.split()[0]


converter = Converter(
    brat_to_docs,
    brat_folder_to_docs,
    input="A folder of .txt and .ann files, or one of them",
    example="collection train.spacy --entities Person,City --mentions '*'",
    paths=True,
)
