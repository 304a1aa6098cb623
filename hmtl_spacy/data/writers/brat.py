"""A `Doc` as brat's standoff: a batch is a zip of texts, their annotation and a configuration."""

import io
import re
import zipfile
from collections import Counter
from typing import Dict, List, NamedTuple, Set

from spacy.tokens import Doc

from ..layers import Layers
from .links import ARGUMENT, Place, arguments, links_of, lose_layers, one_layer, place
from .words import lose_scores
from .writer import Writer

EQUIV = "Equiv"
PART = re.compile(r"\S+(?:[^\S\n]+\S+)*")  # what a span has of one line
NOT_IN_TYPES = re.compile(r"[^\w-]", re.ASCII)
NOT_IN_NAMES = re.compile(r"[^\w.-]|^\.")
LONGEST = 100  # characters of a file's name
DATE = (1980, 1, 1, 0, 0, 0)  # of all files: the same documents are the same bytes
CONFIGURATION = """[entities]
{entities}

[relations]
{relations}Equiv\tArg1:<ANY>, Arg2:<ANY>, <REL-TYPE>:symmetric-transitive
<OVERLAP>\tArg1:<ANY>, Arg2:<ANY>, <OVL-TYPE>:<ANY>

[events]

[attributes]
"""


class Member(NamedTuple):
    """A document: its file's name without an ending, its text and annotation, and the types that it uses."""

    name: str
    text: str
    lines: List[str]
    entities: Set[str]
    relations: Set[str]


def doc_to_brat(doc: Doc, layers: Layers, lost: "Counter[str]") -> Member:
    """A document for `join`.

    Spans are the mentions, or the named entities of a document without a layer of mentions; clusters are
    equivalences. A span over a line end is one of several pieces. brat takes a CRLF for one character, so
    line ends become line feeds.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: its text and annotation.
    """
    spans = one_layer(layers, lost)
    lose_layers(layers, ("mentions", "clusters", "relations"), lost)
    lose_scores([spans, layers.relations, *(layers.clusters or ())], lost)
    links = links_of(layers, EQUIV, lost)
    rows = [(place(span), span.label_) for span, _ in spans]
    rows += [(one, ARGUMENT) for one in arguments(links, [where for where, _ in rows], lost)]
    member = Member(file_name(doc, lost), _with_line_feeds(doc.text), [], set(), set())
    lost["line ends that became line feeds"] += doc.text.count("\r")
    ids: Dict[Place, str] = {}
    for where, label in rows:
        start, end = (len(_with_line_feeds(doc.text[:offset])) for offset in where)
        pieces = [match.span() for match in PART.finditer(member.text, start, end)]
        if not pieces:
            lost["spans of nothing but white space"] += 1
            continue
        type, id = _type(label, lost), f"T{len(member.lines) + 1}"
        offsets = ";".join(f"{first} {last}" for first, last in pieces)
        words = " ".join(member.text[first:last] for first, last in pieces)
        member.lines.append(f"{id}\t{type} {offsets}\t{words}")
        member.entities.add(type)
        ids.setdefault(where, id)
    for number, link in enumerate(links, start=1):
        if link.head not in ids or link.tail not in ids:
            lost["links to spans of nothing but white space"] += 1
        elif link.label == EQUIV:
            member.lines.append(f"*\t{EQUIV} {ids[link.tail]} {ids[link.head]}")
        else:
            type = _type(link.label, lost)
            member.lines.append(f"R{number}\t{type} Arg1:{ids[link.head]} Arg2:{ids[link.tail]}\t")
            member.relations.add(type)
    return member


def members_to_zip(members: List[Member]) -> bytes:
    """A zip of a batch, with a configuration that allows what is in it. Of two with one name the later gets a
    number.
    """
    if not members:
        return b""
    files = io.BytesIO()
    entities = sorted(set().union(*(member.entities for member in members)))
    relations = sorted(set().union(*(member.relations for member in members)))
    with zipfile.ZipFile(files, "w", zipfile.ZIP_DEFLATED) as archive:
        names = unique_names([member.name for member in members])
        for name, member in zip(names, members, strict=True):
            archive.writestr(zipfile.ZipInfo(f"{name}.txt", DATE), member.text)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.ann", DATE), "".join(f"{row}\n" for row in member.lines)
            )
        types = "".join(f"{type}\tArg1:<ANY>, Arg2:<ANY>\n" for type in relations)
        text = CONFIGURATION.format(entities="\n".join(entities), relations=types)
        archive.writestr(zipfile.ZipInfo("annotation.conf", DATE), text)
    return files.getvalue()


def unique_names(names: List[str]) -> List[str]:
    """Names of files, of which no two are the same, not even in capitals: a later one gets a number."""
    used: Dict[str, None] = {}
    unique = []
    for first in names:
        name, number = first, 2
        while name.casefold() in used:
            name, number = f"{first}_{number}", number + 1
        used[name.casefold()] = None
        unique.append(name)
    return unique


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _type(label: str, lost: "Counter[str]") -> str:
    type = NOT_IN_TYPES.sub("_", label) or "_"
    lost["labels with other signs than letters of English, digits, - and _, which became _"] += type != label
    return type


def file_name(doc: Doc, lost: "Counter[str]") -> str:
    """The document's id as the name of a file, in no folder."""
    id = str(doc.user_data.get("id", "document"))
    name = NOT_IN_NAMES.sub("_", id)[:LONGEST] or "_"
    lost["names of documents that no file can have, of which signs became _"] += name != id
    return name


writer = Writer(doc_to_brat, (".brat.zip",), join=members_to_zip, whole_files=True)
