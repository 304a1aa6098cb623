"""The lines of the inline format: headers, sentences and the relations below them."""

import re
from typing import Dict, Iterable, Iterator, List, Literal, NamedTuple, Optional, Tuple, get_args

from ..common import ConversionError
from .markup import Bracket, parse_line

Split = Literal["train", "dev", "test"]
SPLITS = get_args(Split)
KEYS = ("newdoc id", "genre", "split", "title", "license")
REQUIRED = ("genre", "split")
HEADER = re.compile(r"# *([a-z][a-z ]*?) *= *(.*)")
RELATION = re.compile(r"> +(\S+) +(\S+) +(\S+)")


class RelationLine(NamedTuple):
    """A line that states a relation between two marked spans."""

    head: str
    label: str
    tail: str
    line: int


class Sentence(NamedTuple):
    """A line of marked-up prose, and the relations below it."""

    text: str
    brackets: List[Bracket]
    relations: List[RelationLine]
    line: int
    new_paragraph: bool


class Document(NamedTuple):
    """The marked-up sentences of one document, with its header."""

    id: str
    header: Dict[str, str]
    sentences: List[Sentence]
    line: int


def read_documents(lines: Iterable[str], source: str) -> Iterator[Document]:
    """Read documents, one after `# newdoc id = ...` each.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    YIELDS: the documents, their headers checked.
    """
    document: Optional[Document] = None
    blank = False
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line:
            blank = True
        elif line.startswith("##"):
            continue
        elif line.startswith("#"):
            key, value = _header(line, source, number)
            if key == "newdoc id":
                if document:
                    yield _checked(document, source)
                document = Document(value, {}, [], number)
            elif document is None or document.sentences or key in document.header:
                found = f"found '{key}' a second time or not below '# newdoc id = ...'"
                raise ConversionError(source, number, f"{found}. Give it once, before the text.")
            else:
                document.header[key] = value
        elif document is None:
            raise ConversionError(source, number, "found text before '# newdoc id = ...'. Name the document.")
        elif line.startswith(">"):
            _add_relation(document, line, source, number)
        else:
            text, brackets = parse_line(line, source, number)
            document.sentences.append(Sentence(text, brackets, [], number, blank or not document.sentences))
            blank = False
    if document:
        yield _checked(document, source)


def _header(line: str, source: str, number: int) -> Tuple[str, str]:
    match = HEADER.fullmatch(line)
    if not match or match[1] not in KEYS or not match[2]:
        found = f"found {line!r}, expected '# key = value' with one of {', '.join(KEYS)}"
        raise ConversionError(source, number, f"{found}. Comments begin with ##, text with \\#.")
    if match[1] == "split" and match[2] not in SPLITS:
        found = f"found the split {match[2]!r}"
        raise ConversionError(source, number, f"{found}, expected one of {', '.join(SPLITS)}.")
    return match[1], match[2]


def _add_relation(document: Document, line: str, source: str, number: int) -> None:
    match = RELATION.fullmatch(line)
    if not match:
        found = f"found {line!r}, expected '> head TYPE tail'"
        raise ConversionError(source, number, f"{found}. Text begins with \\>.")
    if not document.sentences:
        raise ConversionError(source, number, "found a relation before any sentence. Write it below its own.")
    document.sentences[-1].relations.append(RelationLine(match[1], match[2], match[3], number))


def _checked(document: Document, source: str) -> Document:
    for key in REQUIRED:
        if key not in document.header:
            found = f"the document {document.id!r} has no {key}"
            raise ConversionError(source, document.line, f"{found}. Write '# {key} = ...' below its id.")
    if not document.sentences:
        raise ConversionError(source, document.line, f"the document {document.id!r} has no text.")
    return document
