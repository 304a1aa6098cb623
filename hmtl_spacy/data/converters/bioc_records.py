"""The documents of BioC files, XML or JSON, as the same plain data."""

import json
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple
from xml.etree.ElementTree import Element

from .clusters import Offsets
from .common import ConversionError, read_text
from .records import DECODER, shorten
from .xml_files import chunks_of, read_elements

Error = Callable[[str], ConversionError]


class Annotation(NamedTuple):
    """A span. locations: start and end of each of its parts, as the file counts them."""

    id: str
    infons: Dict[str, str]
    locations: List[Offsets]
    text: str
    error: Error


class Relation(NamedTuple):
    """A relation. nodes: the id and the role of each argument."""

    infons: Dict[str, str]
    nodes: List[Tuple[str, str]]
    error: Error


class BiocDocument(NamedTuple):
    """A document. texts: the offset and text of its passages, or of their sentences."""

    id: str
    texts: List[Tuple[int, str]]
    annotations: List[Annotation]
    relations: List[Relation]
    error: Error


def read_documents(path: Path) -> Iterator[BiocDocument]:
    """The documents of a file. XML is read one by one; JSON as a whole."""
    source = str(path)
    with path.open("rb") as file_:
        is_json = file_.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    if is_json:
        yield from _of_json(path)
        return
    for element, lines in read_elements(chunks_of(path), "document", "collection", source):

        def error(element: Element, message: str, lines: Dict[Element, int] = lines) -> ConversionError:
            return ConversionError(source, lines[element], message)

        yield _document(_as_data(element, error), partial(error, element))


def _of_json(path: Path) -> Iterator[BiocDocument]:
    source = str(path)
    try:
        data = DECODER.decode(read_text(path))
    except (ValueError, RecursionError) as err:
        if isinstance(err, ConversionError):
            raise
        line = err.lineno if isinstance(err, json.JSONDecodeError) else None
        raise ConversionError(source, line, f"not JSON: {err}. Is a part of the file missing?") from None
    documents = data.get("documents") if isinstance(data, dict) else None
    if not isinstance(documents, list):
        raise ConversionError(source, None, f"found {shorten(data)}, expected an object with 'documents'.")
    for number, document in enumerate(documents, start=1):

        def error(message: str, number: int = number) -> ConversionError:
            return ConversionError(source, None, f"document {number}: {message}")

        yield _document(document, error)


def _as_data(element: Element, error: Callable[[Element, str], ConversionError]) -> Dict[str, Any]:
    """An element as its JSON is: lists of what may be there several times, infons by key."""
    data: Dict[str, Any] = {"error": partial(error, element), **element.attrib}
    for child in element:
        if child.tag == "infon":
            data.setdefault("infons", {})[child.get("key", "")] = child.text or ""
        elif child.tag in ("passage", "sentence", "annotation", "relation", "location", "node"):
            data.setdefault(f"{child.tag}s", []).append(_as_data(child, error))
        else:
            data[child.tag] = child.text or ""
    return data


def _document(data: Any, error: Error) -> BiocDocument:
    if not isinstance(data, dict):
        raise error(f"found {shorten(data)}, expected a document with an id and passages.")
    document = BiocDocument(str(data.get("id") or ""), [], [], [], error)
    _collect(data, document, error)
    for passage in _list(data, "passages", error):
        own = passage.get("error", error)
        _collect(passage, document, own)
        sentences = _list(passage, "sentences", own)
        for sentence in sentences:
            _collect(sentence, document, sentence.get("error", own))
        for part in sentences or [passage]:
            offset = _number(part.get("offset"), "offset", part.get("error", own))
            document.texts.append((offset, str(part.get("text") or "")))
    return document


def _collect(data: Dict[str, Any], document: BiocDocument, error: Error) -> None:
    """The annotations and relations of a document, passage or sentence."""
    for row in _list(data, "annotations", error):
        own = row.get("error", error)
        locations = []
        for location in _list(row, "locations", own):
            start = _number(location.get("offset"), "offset", own)
            locations.append((start, start + _number(location.get("length"), "length", own)))
        text, id = str(row.get("text") or ""), str(row.get("id", ""))
        document.annotations.append(Annotation(id, _infons(row), locations, text, own))
    for row in _list(data, "relations", error):
        own = row.get("error", error)
        nodes = [(str(node.get("refid", "")), str(node.get("role", ""))) for node in _list(row, "nodes", own)]
        document.relations.append(Relation(_infons(row), nodes, own))


def _infons(row: Dict[str, Any]) -> Dict[str, str]:
    infons = row.get("infons")
    return {str(key): str(value) for key, value in infons.items()} if isinstance(infons, dict) else {}


def _list(data: Dict[str, Any], key: str, error: Error) -> List[Dict[str, Any]]:
    rows = data.get(key) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise error(f"found {key!r}: {shorten(rows)}, expected a list of objects.")
    return rows


def _number(value: Any, name: str, error: Error) -> int:
    if not str(value).isdecimal():
        raise error(f"found the {name} {shorten(value)}, expected a number of characters.")
    return int(value)
