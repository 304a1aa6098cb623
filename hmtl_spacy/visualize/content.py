"""What a page shows of a `Doc`, as plain data in character offsets."""

import json
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..annotations import Keys, keys_of_doc
from ..data.layers import Layers, LayerTask, Scored, read_layers
from ..entities import entity_graph
from ..entities.membership import Membership
from .direction import direction_of
from .graph import Graph, graph_of

LAYERS = ("entities", "mentions", "coref", "relations")


@dataclass
class Bar:
    """A span of one layer.

    number: tells apart spans of one layer that cover the same text.
    cluster: the cluster that it is a mention of, from 1; 0 for none.
    mark: "" where both annotations agree, else "only here" or "cluster differs".
    score: the confidence in it; None if unknown.
    """

    start: int
    end: int
    label: str
    text: str
    number: int = 0
    cluster: int = 0
    mark: str = ""
    score: Optional[float] = None


@dataclass
class Link:
    """A relation; head and tail are (start, end, text)."""

    head: Tuple[int, int, str]
    tail: Tuple[int, int, str]
    label: str
    mark: str = ""
    score: Optional[float] = None


@dataclass
class Note:
    """A layer that is neither spans nor relations, as text."""

    text: str
    mark: str = ""


@dataclass
class Content:
    """One document: its tokens and sentences, and the layers that were asked for and are annotated.

    bars, links, notes: by the name of the layer; what spans, relations and anything else look like.
    graph: its entities and the relations between them, if these are shown.
    """

    title: str
    text: str
    language: str
    direction: str
    tokens: List[Tuple[int, int, str]]
    sentences: List[Tuple[int, int]]
    bars: Dict[str, List[Bar]] = field(default_factory=dict)
    links: Dict[str, List[Link]] = field(default_factory=dict)
    notes: Dict[str, Note] = field(default_factory=dict)
    graph: Optional[Graph] = None

    def clusters(self) -> Dict[int, List[Bar]]:
        """The mentions of each cluster, by its number."""
        clusters: Dict[int, List[Bar]] = {}
        for bar in sorted(self.bars.get("coref", ()), key=lambda bar: (bar.cluster, bar.start)):
            clusters.setdefault(bar.cluster, []).append(bar)
        return clusters

    def counts(self) -> Dict[str, int]:
        """How many spans, clusters and relations there are, by the name of the layer."""
        counts = {name: len(bars) for name, bars in self.bars.items()}
        if "coref" in counts:
            counts["coref"] = len(self.clusters())
        return {**counts, **{name: len(links) for name, links in self.links.items()}}

    def differences(self) -> int:
        """How much of it differs from the annotation that it was compared with."""
        return count_marks(self.bars, self.links) + sum(bool(note.mark) for note in self.notes.values())


def count_marks(bars: Mapping[str, List[Bar]], links: Mapping[str, List[Link]]) -> int:
    """How many of some spans and relations, by the name of the layer, are marked as different."""
    n_bars = sum(bool(bar.mark) for bar in chain(*bars.values()))
    return n_bars + sum(bool(link.mark) for link in chain(*links.values()))


def read(
    doc: Doc,
    layers: Optional[Sequence[str]] = None,
    keys: Optional[Keys] = None,
    tasks: Optional[Mapping[str, LayerTask]] = None,
    graph: bool = False,
) -> Content:
    """Everything about a document that a page shows.

    layers: which to show; all if not given.
    keys: the document's span groups; found out from it if not given.
    tasks: those of the pipeline, by name, which are asked for layers beyond the standard ones.
    graph: whether its entity graph is shown too.
    """
    keys = keys_of_doc(doc) if keys is None else keys
    content = Content(
        title=str(doc.user_data.get("title") or doc.user_data.get("id") or ""),
        text=doc.text,
        language="" if doc.lang_ == "xx" else doc.lang_,
        direction=direction_of(doc.text, doc.vocab.writing_system.get("direction", "ltr")),
        tokens=[(token.idx, token.idx + len(token), token.text) for token in doc],
        sentences=_sentences(doc),
    )
    found = read_layers(doc, keys, tasks)
    further = found.further
    shown = [*LAYERS, *further] if layers is None else layers
    _add_spans(content, found, shown, Membership(doc, keys))
    if "relations" in shown and found.relations is not None:
        content.links["relations"] = [
            Link(_end(head), _end(tail), label, score=score) for head, tail, label, score in found.relations
        ]
    for name, data in further.items():
        if name in shown:
            _add_further(content, name, data)
    if graph:
        content.graph = graph_of(entity_graph(doc, keys=keys), doc.text, content.sentences)
    return content


def _add_spans(content: Content, found: Layers, shown: Sequence[str], members: Membership) -> None:
    named = members if "coref" in shown and found.clusters is not None else None
    if "entities" in shown and found.entities is not None:
        content.bars["entities"] = _bars(found.entities, named)
    if "mentions" in shown and found.mentions is not None:
        content.bars["mentions"] = _bars(found.mentions, named)
    if "coref" in shown and found.clusters is not None:
        numbered = [(number, one) for number, spans in enumerate(found.clusters, start=1) for one in spans]
        content.bars["coref"] = [_bar(one, "", i, number) for i, (number, one) in enumerate(numbered)]


def _add_further(content: Content, name: str, data: Any) -> None:
    """Show a layer's plain data as what it looks like: spans, relations, else a note."""
    items = data if isinstance(data, list) else None
    if items is not None and all(_is_labelled(item) and _is_place(item, content.text) for item in items):
        content.bars[name] = [
            Bar(*_place(item, content.text)[:2], str(item["label"]), _place(item, content.text)[2], i)
            for i, item in enumerate(items)
        ]
    if items is not None and all(_is_link(item, content.text) for item in items):
        content.links[name] = [
            Link(_place(item["head"], content.text), _place(item["tail"], content.text), str(item["label"]))
            for item in items
        ]
    if name not in content.bars and name not in content.links:
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)
        content.notes[name] = Note(text)


def _is_labelled(item: Any) -> bool:
    return isinstance(item, dict) and "label" in item


def _is_link(item: Any, text: str) -> bool:
    return _is_labelled(item) and all(_is_place(item.get(side), text) for side in ("head", "tail"))


def _is_place(item: Any, text: str) -> bool:
    if not isinstance(item, dict):
        return False
    start, end = item.get("start"), item.get("end")
    return type(start) is int and type(end) is int and 0 <= start < end <= len(text)


def _place(item: Dict[str, Any], text: str) -> Tuple[int, int, str]:
    return item["start"], item["end"], text[item["start"] : item["end"]]


def _sentences(doc: Doc) -> List[Tuple[int, int]]:
    """Character offsets; the whole text where no boundaries are known."""
    if not doc.has_annotation("SENT_START"):
        return [(0, len(doc.text))]
    return [(sent.start_char, sent.end_char) for sent in doc.sents]


def _bars(spans: Sequence[Scored], members: Optional[Membership]) -> List[Bar]:
    """Typed spans, with the numbers of the clusters that they belong to."""
    bars = []
    for i, scored in enumerate(spans):
        cluster = members.number(scored.span) if members else None
        bars.append(_bar(scored, scored.span.label_, i, 0 if cluster is None else cluster + 1))
    return bars


def _bar(scored: Scored, label: str, number: int, cluster: int) -> Bar:
    span, score = scored
    return Bar(span.start_char, span.end_char, label, span.text, number, cluster, score=score)


def _end(span: Span) -> Tuple[int, int, str]:
    return span.start_char, span.end_char, span.text
