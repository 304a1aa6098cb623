"""What there is to show of a `Doc`, as plain data in character offsets."""

from dataclasses import dataclass, field
from typing import List, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..annotations import get_clusters, get_mentions, get_relations, has_entities
from ..entities.membership import Membership
from .direction import direction_of

LAYERS = ("entities", "mentions", "coref", "relations")


@dataclass
class Bar:
    """A span of one layer.

    number: tells apart spans of one layer that cover the same text.
    cluster: the cluster that it is a mention of, from 1; 0 for none.
    mark: "" where both annotations agree, else "only here" or "cluster differs".
    """

    start: int
    end: int
    label: str
    text: str
    number: int = 0
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
    language: str
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
        language="" if doc.lang_ == "xx" else doc.lang_,
        direction=direction_of(doc.text, doc.vocab.writing_system.get("direction", "ltr")),
        tokens=[(token.idx, token.idx + len(token), token.text) for token in doc],
        sentences=_sentences(doc),
    )
    clusters = get_clusters(doc) if "coref" in layers else None
    members = Membership(doc) if clusters is not None else None
    if "entities" in layers and has_entities(doc):
        content.bars["entities"] = _bars(doc.ents, members)
    if "mentions" in layers and (mentions := get_mentions(doc)) is not None:
        content.bars["mentions"] = _bars(mentions, members)
    if clusters is not None:
        numbered = [(number, span) for number, cluster in enumerate(clusters, start=1) for span in cluster]
        content.bars["coref"] = [_bar(span, "", i, number) for i, (number, span) in enumerate(numbered)]
    if "relations" in layers and (relations := get_relations(doc)) is not None:
        content.links = [Link(_end(r.head), _end(r.tail), r.label, r.score) for r in relations]
    return content


def _sentences(doc: Doc) -> List[Tuple[int, int]]:
    """Character offsets; the whole text where no boundaries are known."""
    if not doc.has_annotation("SENT_START"):
        return [(0, len(doc.text))]
    return [(sent.start_char, sent.end_char) for sent in doc.sents]


def _bars(spans: Sequence[Span], members: Optional[Membership]) -> List[Bar]:
    """Typed spans, with the numbers of the clusters that they belong to."""
    bars = []
    for i, span in enumerate(spans):
        cluster = members.number(span) if members else None
        bars.append(_bar(span, span.label_, i, 0 if cluster is None else cluster + 1))
    return bars


def _bar(span: Span, label: str, number: int, cluster: int) -> Bar:
    return Bar(span.start_char, span.end_char, label, span.text, number, cluster)


def _end(span: Span) -> Tuple[int, int, str]:
    return span.start_char, span.end_char, span.text
