"""All layers of a `Doc` with their scores, from whichever span groups they are in."""

from collections import Counter
from typing import Dict, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc, Span

from ..annotations import (
    CLUSTERS,
    MENTIONS,
    RELATIONS,
    Relation,
    get_clusters,
    get_mentions,
    get_relations,
    has_entities,
)

ENTITY_SCORES = "ents"
SpanKey = Tuple[int, int, int]  # start, end, label


class Keys(NamedTuple):
    """The names of the span groups; `entities` is that of the scores of `doc.ents`."""

    entities: Optional[str] = ENTITY_SCORES
    mentions: str = MENTIONS
    clusters: str = CLUSTERS
    relations: str = RELATIONS


KEYS = Keys()


class Scored(NamedTuple):
    """A span and the confidence in it, None if unknown."""

    span: Span
    score: Optional[float]


class Layers(NamedTuple):
    """What is annotated, in the order of the document; None for a layer that isn't."""

    sentences: Optional[List[Span]]
    entities: Optional[List[Scored]]
    mentions: Optional[List[Scored]]
    clusters: Optional[List[List[Scored]]]
    relations: Optional[List[Relation]]


def read_layers(doc: Doc, keys: Keys = KEYS) -> Layers:
    """Read all layers of a document.

    doc (Doc): The document.
    keys (Keys): The names of its span groups.
    RETURNS (Layers): The layers.
    """
    entity_scores, mention_scores, link_scores = (_scores(doc, key) for key in keys[:3])
    clusters = get_clusters(doc, keys.clusters)
    return Layers(
        sentences=list(doc.sents) if doc.has_annotation("SENT_START") else None,
        entities=_scored(list(doc.ents) if has_entities(doc) else None, entity_scores),
        mentions=_scored(get_mentions(doc, keys.mentions), mention_scores),
        clusters=None if clusters is None else [_scored(cluster, link_scores) for cluster in clusters],
        relations=get_relations(doc, keys.relations),
    )


def count_layers(doc: Doc, layers: Layers, counts: Counter) -> None:
    """Add a document to the numbers of documents, tokens, entities and so on.

    doc (Doc): The document.
    layers (Layers): What it has.
    counts (Counter): Is added to.
    """
    counts["documents"] += 1
    counts["tokens"] += len(doc)
    for name, layer in zip(Layers._fields, layers, strict=True):
        counts[name] += len(layer or ())


def _scores(doc: Doc, key: Optional[str]) -> Dict[SpanKey, float]:
    if key not in doc.spans:
        return {}
    group = doc.spans[key]
    return {_key(span): score for span, score in zip(group, group.attrs.get("scores", ()), strict=False)}


def _scored(spans: Optional[List[Span]], scores: Dict[SpanKey, float]) -> Optional[List[Scored]]:
    return None if spans is None else [Scored(span, scores.get(_key(span))) for span in spans]


def _key(span: Span) -> SpanKey:
    return span.start, span.end, span.label
