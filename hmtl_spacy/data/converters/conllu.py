"""CoNLL-U with `Entity=` (CorefUD, GUM): mentions, as heads or in full, and coreference clusters."""

import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import set_clusters, set_mentions
from ..vocabulary import vocabulary
from .brackets import CLUSTER_FIELDS, FIELDS, OLDER_NAMES, Entity, Word, read_entities
from .clusters import Offsets, Width, check_width, resolve_clusters
from .common import ConversionError, make_doc
from .converter import Converter
from .folders import read_folder
from .listed import read_listed

RANGE = re.compile(r"(\d+)-(\d+)")  # of a multiword token
EMPTY = re.compile(r"\d+\.\d+")  # a node without text
LINKS = {"Bridge": "bridging links", "SplitAnte": "split antecedents"}  # by their key beside Entity=


class Document(NamedTuple):
    """The sentences of one document and what its comments say."""

    id: str
    fields: List[str]  # of Entity=, from "# global.Entity"; empty if the file has no such line
    sentences: List[List[Word]]


def conllu_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    mentions: Optional[Width] = None,
    clusters: Width = "extent",
    singletons: bool = False,
    documents: Optional[Path] = None,
    repair: bool = False,
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """CoNLL-U with Entity= as CorefUD and GUM have it. Fills mentions and coreference clusters.

    Each `# newdoc` is a document. Named entities stay unannotated, and so do the mentions and clusters of
    a document with neither `# global.Entity` nor any `Entity=`, and the mentions of one without types.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    mentions: typed heads or full extents as mentions; by default heads in files whose brackets have a
        minspan and no head (GUM), else extents (CorefUD).
    clusters: heads or full extents in the clusters.
    singletons: keep clusters of one mention.
    documents: a file that lists the documents to convert, one id at the start of each line; the others are
        left out and counted.
    repair: take a last line without a line feed as whole.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = vocabulary(vocab)
    dropped = Counter() if dropped is None else dropped
    check_width(mentions=mentions or "head", clusters=clusters)
    listed = read_listed(documents) if documents else None
    for document in _documents(lines, source, dropped):
        if listed is not None and document.id not in listed:
            dropped[f"documents that {documents} doesn't list"] += 1
            continue
        nodes = [node for sentence in document.sentences for node in sentence]
        words = [node for node in nodes if not node.empty]
        if all(word.text == "_" for word in words):
            dropped["documents without text ('_' for every token)"] += 1
            continue
        lengths = [sum(not node.empty for node in sentence) for sentence in document.sentences]
        spaces = [word.space for word in words]
        doc = make_doc(vocab, [word.text for word in words], spaces, lengths, document.id)
        if document.fields or any(node.entity for node in nodes):
            fields = document.fields or FIELDS
            entities = list(read_entities(nodes, fields, source))
            of_gum = "minspan" in fields and "head" not in fields
            _annotate(
                doc, entities, mentions or ("head" if of_gum else "extent"), clusters, singletons, dropped
            )
        else:
            dropped["documents without Entity= (left unannotated)"] += 1
        yield doc


def _annotate(
    doc: Doc,
    entities: List[Entity],
    mentions: Width,
    clusters: Width,
    singletons: bool,
    dropped: Counter[str],
) -> None:
    labels: Dict[Offsets, str] = {}
    groups: Dict[str, List[Offsets]] = {}
    for entity in entities:  # the longer mention first, if two share a head
        if entity.loss:
            dropped[entity.loss] += 1
        mention, clustered = getattr(entity, mentions), getattr(entity, clusters)
        if mention is not None and not entity.label:
            dropped["mentions without a type (in clusters only)"] += 1
        elif mention in labels:
            dropped[f"mentions with the same {mentions} as another"] += 1
        elif mention is not None:
            labels[mention] = entity.label
        if clustered is not None:
            groups.setdefault(entity.cluster, []).append(clustered)
    if not entities or any(entity.label for entity in entities):
        set_mentions(doc, [Span(doc, start, end, label) for (start, end), label in sorted(labels.items())])
    else:
        dropped["documents of mentions without types (left without mentions)"] += 1
    set_clusters(doc, resolve_clusters(groups.values(), singletons, dropped))


def _documents(lines: Iterable[str], source: str, dropped: Counter[str]) -> Iterator[Document]:
    document = Document("1", [], [])
    n_docs = 0
    rows: List[Tuple[int, List[str]]] = []
    for number, line in enumerate(chain(lines, [""]), start=1):
        if line.startswith("#"):
            name, _, value = (part.strip() for part in line[1:].partition("="))
            if name in ("newdoc", "newdoc id"):
                if document.sentences:
                    yield document
                elif n_docs:
                    dropped["documents without sentences"] += 1
                n_docs += 1
                document = Document(value or str(n_docs), list(document.fields), [])
            elif name == "global.Entity":
                document.fields[:] = [OLDER_NAMES.get(field, field) for field in value.split("-")]
                if not set(CLUSTER_FIELDS).intersection(document.fields):
                    found = f"found the fields {value!r}, expected {' or '.join(CLUSTER_FIELDS)} among them"
                    raise ConversionError(source, number, f"{found}, with etype and minspan or head.")
        elif line.strip():
            columns = line.split("\t")
            if len(columns) != 10:
                found = f"found {len(columns)} columns, expected CoNLL-U's 10, separated by tabs"
                raise ConversionError(source, number, f"{found}. Blank lines separate sentences.")
            rows.append((number, columns))
        elif rows:
            document.sentences.append(_sentence(rows, source, dropped))
            rows = []
    if document.sentences:
        yield document
    elif n_docs:
        dropped["documents without sentences"] += 1


def _sentence(rows: List[Tuple[int, List[str]]], source: str, dropped: Counter[str]) -> List[Word]:
    """Read the syntactic words and empty nodes; words of a multiword token are joined where they spell it."""
    nodes: List[Word] = []
    words: List[int] = []  # which of the nodes they are
    surfaces: List[Tuple[int, int, str, bool]] = []
    for line, (id, form, *_, misc) in rows:
        values = dict(pair.partition("=")[::2] for pair in misc.split("|"))
        space, entity = values.get("SpaceAfter") != "No", values.get("Entity", "")
        for key, what in LINKS.items():
            dropped[what] += len(values[key].split(",")) if key in values else 0
        if match := RANGE.fullmatch(id):
            if entity:
                found = f"found Entity={entity} on the multiword token {id}"
                raise ConversionError(source, line, f"{found}, expected it on words. Move it to one of them.")
            surfaces.append((int(match[1]) - 1, int(match[2]), form, space))
        elif id == str(len(words) + 1) and form:
            words.append(len(nodes))
            nodes.append(Word(form, space, entity, line))
        elif EMPTY.fullmatch(id):
            nodes.append(Word(form, False, entity, line, empty=True))
        else:
            raise ConversionError(source, line, f"found the id {id!r}, expected {len(words) + 1}.")
    for start, end, form, space in surfaces:
        covered = words[start:end]
        joined = "".join(nodes[i].text for i in covered) == form
        for i in covered:
            nodes[i] = nodes[i]._replace(space=space if i == words[min(end, len(words)) - 1] else not joined)
    return nodes


def conllu_folder_to_docs(
    path: Union[str, Path], *, pattern: str = "*", repair: bool = False, **options: Any
) -> Iterator[Doc]:
    """Convert all files in or below a folder.

    path: the folder.
    pattern: what the names of the files are like, such as *.conllu.
    repair: as for a file.
    options: those of `conllu_to_docs`.
    YIELDS: the documents.
    """
    yield from read_folder(conllu_to_docs, path, pattern, repair=repair, **options)


converter = Converter(
    conllu_to_docs,
    conllu_folder_to_docs,
    input="File to convert, or a folder of such files",
    rows=True,
    example="en_gum-ud-train.conllu train.spacy --clusters head",
    flags={"mentions": "m", "clusters": "c"},
)
