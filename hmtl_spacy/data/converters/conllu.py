"""CoNLL-U with entities and coreference in `Entity=` (GUM): mentions, as heads or in full, and clusters."""

import re
from collections import Counter
from itertools import chain
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import set_clusters, set_mentions
from .brackets import FIELDS, Entity, Word, read_entities
from .clusters import Offsets, Width, check_width, resolve_clusters
from .common import ConversionError, make_doc
from .converter import Converter


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
    mentions: Width = "head",
    clusters: Width = "extent",
    singletons: bool = False,
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """CoNLL-U with GUM's Entity= annotation. Fills mentions and coreference clusters.

    Each `# newdoc` is a document. Named entities stay unannotated, and so do the mentions and clusters of
    a document with neither `# global.Entity` nor any `Entity=`.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    mentions: typed heads or full extents as mentions.
    clusters: heads or full extents in the clusters.
    singletons: keep clusters of one mention.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = Vocab() if vocab is None else vocab
    dropped = Counter() if dropped is None else dropped
    check_width(mentions=mentions, clusters=clusters)
    for document in _documents(lines, source):
        words = [word for sentence in document.sentences for word in sentence]
        if all(word.text == "_" for word in words):
            dropped["documents without text ('_' for every token)"] += 1
            continue
        lengths = [len(sentence) for sentence in document.sentences]
        spaces = [word.space for word in words]
        doc = make_doc(vocab, [word.text for word in words], spaces, lengths, document.id)
        if document.fields or any(word.entity for word in words):
            entities = list(read_entities(words, document.fields or FIELDS, source))
            _annotate(doc, entities, mentions, clusters, singletons, dropped)
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
    for entity in entities:  # the longer mention first, if two share a head
        labels.setdefault(getattr(entity, mentions), entity.label)
    dropped[f"mentions with the same {mentions} as another"] += len(entities) - len(labels)
    set_mentions(doc, [Span(doc, start, end, label) for (start, end), label in sorted(labels.items())])
    groups: Dict[str, List[Offsets]] = {}
    for entity in entities:
        groups.setdefault(entity.cluster, []).append(getattr(entity, clusters))
    set_clusters(doc, resolve_clusters(groups.values(), singletons, dropped))


def _documents(lines: Iterable[str], source: str) -> Iterator[Document]:
    document = Document("1", [], [])
    n_docs = 0
    rows: List[Tuple[int, List[str]]] = []
    for number, line in enumerate(chain(lines, [""]), start=1):
        if line.startswith("#"):
            name, _, value = (part.strip() for part in line[1:].partition("="))
            if name in ("newdoc", "newdoc id"):
                if document.sentences:
                    yield document
                n_docs += 1
                document = Document(value or str(n_docs), list(document.fields), [])
            elif name == "global.Entity":
                document.fields[:] = value.split("-")
        elif line.strip():
            columns = line.split("\t")
            if len(columns) != 10:
                found = f"found {len(columns)} columns, expected CoNLL-U's 10, separated by tabs"
                raise ConversionError(source, number, f"{found}. Blank lines separate sentences.")
            rows.append((number, columns))
        elif rows:
            document.sentences.append(_sentence(rows, source))
            rows = []
    if document.sentences:
        yield document


def _sentence(rows: List[Tuple[int, List[str]]], source: str) -> List[Word]:
    """Read the syntactic words; those of a multiword token are joined where they spell it."""
    words: List[Word] = []
    surfaces: List[Tuple[int, int, str, bool]] = []
    for line, (id, form, *_, misc) in rows:
        values = dict(pair.partition("=")[::2] for pair in misc.split("|"))
        space = values.get("SpaceAfter") != "No"
        if re.fullmatch(r"\d+-\d+", id):
            first, last = (int(number) for number in id.split("-"))
            surfaces.append((first - 1, last, form, space))
        elif id == str(len(words) + 1) and form:
            words.append(Word(form, space, values.get("Entity", ""), line))
        elif not re.fullmatch(r"\d+\.\d+", id):  # an empty node has no text
            raise ConversionError(source, line, f"found the id {id!r}, expected {len(words) + 1}.")
    for start, end, form, space in surfaces:
        joined = "".join(word.text for word in words[start:end]) == form
        for i in range(start, min(end, len(words))):
            words[i] = words[i]._replace(space=space if i == end - 1 else not joined)
    return words


converter = Converter(
    conllu_to_docs,
    example="en_gum-ud-train.conllu train.spacy --clusters head",
    flags={"mentions": "m", "clusters": "c"},
)
