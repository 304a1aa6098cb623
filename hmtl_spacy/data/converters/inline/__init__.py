"""Marked-up prose with all four layers, as a person can write and review it.

    [Ana Ruiz](ruiz:PER PERSON), [the *mayor* of [Lyon](lyon:GPE GPE)](ruiz), resigned on [Monday](DATE).
    > ruiz#2 ORG-AFF lyon

`docs/data_format.md` describes the format. Everything that can be checked is checked.
"""

from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Union

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ....annotations import Relation, set_clusters, set_mentions, set_relations
from ..clusters import Offsets, resolve_clusters
from ..common import ConversionError, blank_english, read_lines
from .lines import SPLITS, Document, read_documents
from .relations import resolve_relations
from .spans import Spans

SPANS = ("head", "extent")


def inline_to_docs(lines: Iterable[str], *, source: str = "<input>", **options: Any) -> Iterator[Doc]:
    """Convert the documents of one file.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    options: those of `InlineReader`.
    YIELDS: the documents.
    """
    yield from InlineReader(**options).read(lines, source)


def inline_folder_to_docs(path: Union[str, Path], **options: Any) -> Iterator[Doc]:
    """Convert all files of a folder that end in .txt, in the order of their names.

    path: the folder.
    options: those of `InlineReader`.
    YIELDS: the documents.
    """
    reader = InlineReader(**options)
    for file in sorted(Path(path).glob("*.txt")):
        yield from reader.read(read_lines(file), str(file))


class InlineReader:
    """Reads files of marked-up prose and refuses what isn't sound; ids must differ between all files.

    vocab: the vocabulary of the documents; by default all readers share one.
    mentions: "head" for heads in `doc.spans["mentions"]` and as arguments, "extent" for full mentions.
    clusters: likewise for the coreference clusters.
    singletons: keep clusters of one mention.
    split: yield only the documents of one split; all are checked.
    dropped: what isn't kept of the documents that are yielded is counted here.
    """

    def __init__(
        self,
        *,
        vocab: Optional[Vocab] = None,
        mentions: str = "head",
        clusters: str = "extent",
        singletons: bool = False,
        split: Optional[str] = None,
        dropped: Optional[Counter] = None,
    ):
        for name, value in (("mentions", mentions), ("clusters", clusters)):
            if value not in SPANS:
                raise ValueError(f"{name} is {value!r}, expected 'head' or 'extent'.")
        if split not in (None, *SPLITS):
            raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}.")
        self.nlp = blank_english(vocab)
        self.mentions, self.clusters, self.singletons, self.split = mentions, clusters, singletons, split
        self.dropped = Counter() if dropped is None else dropped
        self.places: Dict[str, str] = {}  # where each document stands, by id

    def read(self, lines: Iterable[str], source: str) -> Iterator[Doc]:
        """Read one file.

        lines: its decoded lines.
        source: its name, for messages.
        YIELDS: its documents.
        """
        for document in read_documents(lines, source):
            if document.id in self.places:
                found = f"the document {document.id!r} is at {self.places[document.id]} already"
                raise ConversionError(source, document.line, f"{found}. Ids are unique.")
            self.places[document.id] = f"{source}:{document.line}"
            wanted = self.split in (None, document.header["split"])
            doc = self._convert(document, source, self.dropped if wanted else Counter())
            if wanted:
                yield doc

    def _convert(self, document: Document, source: str, dropped: Counter) -> Doc:
        doc = self.nlp.make_doc(" ".join(sentence.text for sentence in document.sentences))
        doc.user_data.update(id=document.id, **document.header)
        lengths = (len(sentence.text) + 1 for sentence in document.sentences[:-1])
        offsets = list(accumulate(lengths, initial=0))
        _set_sentences(doc, document, offsets, source)
        spans = Spans(doc, document.sentences, offsets, source)
        doc.set_ents(spans.entities(), default="outside")
        found = spans.mentions()
        mentions = [_labelled(getattr(mention, self.mentions), mention.type) for mention in found]
        set_mentions(doc, sorted(mentions))
        groups: Dict[str, List[Offsets]] = {}
        for mention in found:
            span = getattr(mention, self.clusters)
            groups.setdefault(mention.entity, []).append((span.start, span.end))
        set_clusters(doc, resolve_clusters(groups.values(), self.singletons, dropped))
        relations = resolve_relations(document.sentences, found, source)
        set_relations(doc, [Relation(mentions[one], mentions[two], label) for one, label, two in relations])
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
