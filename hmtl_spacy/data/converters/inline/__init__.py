"""Marked-up prose with all four layers, as a person can write and review it.

    [Ana Ruiz](ruiz:PER PERSON), [the *mayor* of [Lyon](lyon:GPE GPE)](ruiz), resigned on [Monday](DATE).
    > ruiz#2 ORG-AFF lyon

`docs/formats/inline.md` describes the format. Everything that can be checked is checked.
"""

from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Union

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ....annotations import Relation, set_clusters, set_mentions, set_relations
from ..clusters import Offsets, Width, check_width, resolve_clusters
from ..common import ConversionError, blank_english, read_lines
from ..converter import Converter
from .lines import SPLITS, Document, Split, read_documents
from .relations import resolve_relations
from .spans import Spans


def inline_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    split: Optional[Split] = None,
    mentions: Width = "head",
    clusters: Width = "extent",
    singletons: bool = False,
    dropped: Optional[Counter[str]] = None,
    places: Optional[Dict[str, str]] = None,
) -> Iterator[Doc]:
    """Prose marked up by hand with all four layers: the format of assets/sample.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents; by default all converters share one.
    split: only the documents of one split; all are checked.
    mentions: typed heads or full extents as mentions, and as arguments of relations.
    clusters: heads or full extents in the clusters.
    singletons: keep coreference clusters of one mention.
    dropped: what isn't kept of the documents that are yielded is counted here.
    places: where documents stand already, by id; those of this file are added, since ids are unique.
    YIELDS: the documents.
    """
    check_width(mentions=mentions, clusters=clusters)
    if split not in (None, *SPLITS):
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}.")
    nlp = blank_english(vocab)
    dropped = Counter() if dropped is None else dropped
    places = {} if places is None else places
    for document in read_documents(lines, source):
        if document.id in places:
            found = f"the document {document.id!r} is at {places[document.id]} already"
            raise ConversionError(source, document.line, f"{found}. Ids are unique.")
        places[document.id] = f"{source}:{document.line}"
        kept = split in (None, document.header["split"])
        counter = dropped if kept else Counter()
        doc = _convert(nlp, document, source, mentions, clusters, singletons, counter)
        if kept:
            yield doc


def inline_folder_to_docs(path: Union[str, Path], **options: Any) -> Iterator[Doc]:
    """Convert all files of a folder that end in .txt, in the order of their names.

    path: the folder.
    options: those of `inline_to_docs`.
    YIELDS: the documents.
    """
    options["places"] = {}
    for file in sorted(Path(path).glob("*.txt")):
        yield from inline_to_docs(read_lines(file), source=str(file), **options)


def _convert(
    nlp: Language,
    document: Document,
    source: str,
    mentions: Width,
    clusters: Width,
    singletons: bool,
    dropped: Counter[str],
) -> Doc:
    doc = nlp.make_doc(" ".join(sentence.text for sentence in document.sentences))
    doc.user_data.update(id=document.id, **document.header)
    lengths = (len(sentence.text) + 1 for sentence in document.sentences[:-1])
    offsets = list(accumulate(lengths, initial=0))
    _set_sentences(doc, document, offsets, source)
    spans = Spans(doc, document.sentences, offsets, source)
    doc.set_ents(spans.entities(), default="outside")
    marked = spans.mentions()
    labelled = [_labelled(getattr(mention, mentions), mention.type) for mention in marked]
    set_mentions(doc, sorted(labelled))
    groups: Dict[str, List[Offsets]] = {}
    for mention in marked:
        span = getattr(mention, clusters)
        groups.setdefault(mention.entity, []).append((span.start, span.end))
    set_clusters(doc, resolve_clusters(groups.values(), singletons, dropped))
    rows = resolve_relations(document.sentences, marked, source)
    set_relations(doc, [Relation(labelled[head], labelled[tail], label) for head, label, tail in rows])
    return doc


def _set_sentences(doc: Doc, document: Document, offsets: List[int], source: str) -> None:
    """Set sentence starts; `doc.user_data["paragraphs"]` gets the tokens that begin paragraphs."""
    starts = set(offsets)
    for token in doc:
        if token.is_space:
            line = max(s.line for s, offset in zip(document.sentences, offsets) if offset <= token.idx)
            raise ConversionError(
                source, line, f"found {token.text!r} between words, expected single spaces."
            )
        token.is_sent_start = token.idx in starts
    first = {offset for sentence, offset in zip(document.sentences, offsets) if sentence.new_paragraph}
    doc.user_data["paragraphs"] = tuple(token.i for token in doc if token.idx in first)


def _labelled(span: Span, label: str) -> Span:
    return Span(span.doc, span.start, span.end, label)


converter = Converter(
    inline_to_docs,
    inline_folder_to_docs,
    input="File to convert, or a folder of .txt files",
    example="assets/sample train.spacy --split train",
    flags={"split": "s", "mentions": "m", "clusters": "c"},
)
