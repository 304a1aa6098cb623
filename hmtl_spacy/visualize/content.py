"""What there is to show of a `Doc`, as plain data in character offsets."""

from dataclasses import dataclass, field
from typing import List, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..annotations import get_clusters, get_mentions, get_relations, has_entities

LAYERS = ("entities", "mentions", "coref", "relations")


@dataclass
class Bar:
    """A span of one layer. mark: "" where both annotations agree, else "only here" or "cluster differs"."""

    start: int
    end: int
    label: str
    text: str
    cluster: int = 0
    mark: str = ""


@dataclass
class Link:
    """A relation; head and tail are (start, end, text)."""

    head: Tuple[int, int, str]
    tail: Tuple[int, int, str]
    label: str
    score: float
    mark: str = ""


@dataclass
class Content:
    """One document: its tokens and sentences, and the layers that were asked for and are annotated."""

    title: str
    text: str
    direction: str
    tokens: List[Tuple[int, int, str]]
    sentences: List[Tuple[int, int]]
    bars: dict = field(default_factory=dict)
    links: Optional[List[Link]] = None


def read(doc: Doc, layers: Sequence[str]) -> Content:
    """Everything about `doc` that a page shows."""
    content = Content(
        title=str(doc.user_data.get("title") or doc.user_data.get("id") or ""),
        text=doc.text,
        direction=doc.vocab.writing_system.get("direction", "ltr"),
        tokens=[(token.idx, token.idx + len(token), token.text) for token in doc],
        sentences=_sentences(doc),
    )
    if "entities" in layers and has_entities(doc):
        content.bars["entities"] = [_bar(span, span.label_) for span in doc.ents]
    if "mentions" in layers and (mentions := get_mentions(doc)) is not None:
        content.bars["mentions"] = [_bar(span, span.label_) for span in mentions]
    if "coref" in layers and (clusters := get_clusters(doc)) is not None:
        numbered = enumerate(clusters, start=1)
        content.bars["coref"] = [_bar(span, "", number) for number, cluster in numbered for span in cluster]
    if "relations" in layers and (relations := get_relations(doc)) is not None:
        content.links = [Link(_end(r.head), _end(r.tail), r.label, r.score) for r in relations]
    return content


def _sentences(doc: Doc) -> List[Tuple[int, int]]:
    """Character offsets; the whole text where no boundaries are known."""
    if not doc.has_annotation("SENT_START"):
        return [(0, len(doc.text))]
    return [(sent.start_char, sent.end_char) for sent in doc.sents]


def _bar(span: Span, label: str, cluster: int = 0) -> Bar:
    return Bar(span.start_char, span.end_char, label, span.text, cluster)


def _end(span: Span) -> Tuple[int, int, str]:
    return span.start_char, span.end_char, span.text
