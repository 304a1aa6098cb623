"""Coreference clusters: one group of all clustered mentions, and one for each cluster."""

import re
from typing import Dict, Iterable, List, Optional, Tuple

from spacy.tokens import Doc, Span

from .keys import CLUSTERS, write_layer
from .spans import spans_of

PLACE = re.compile(r"([0-9]+):([0-9]+)\Z")


def set_clusters(
    doc: Doc,
    clusters: Iterable[Iterable[Tuple[int, int]]],
    scores: Optional[Dict[Tuple[int, int], float]] = None,
    key: str = CLUSTERS,
    numbered_groups: bool = True,
) -> None:
    """Store coreference clusters, numbered from "1" in the order of their first mentions.

    clusters: per cluster its spans as token offsets (start, end), ends exclusive.
    scores: the confidence of each mention's link, in 0..1; 1.0 where none is given.
    key: the group that holds every clustered mention, its cluster in `span.id_`.
    numbered_groups: also write one group per cluster, `{key}_1`, `{key}_2` ..., as
        spacy-experimental does.
    """
    for old in numbered_keys(doc, key):
        del doc.spans[old]
    ordered = sorted(sorted(set(cluster)) for cluster in clusters if cluster)
    spans: List[Span] = []
    confidences: List[float] = []
    for number, cluster in enumerate(ordered, start=1):
        members = [_member(doc, offsets, number, cluster[0][0]) for offsets in cluster]
        spans.extend(members)
        confidences.extend((scores or {}).get(offsets, 1.0) for offsets in cluster)
        if numbered_groups:
            doc.spans[f"{key}_{number}"] = members
    write_layer(doc, "clusters", key, spans, scores=confidences)


def get_clusters(doc: Doc, key: str = CLUSTERS) -> Optional[List[List[Span]]]:
    """The clusters of a document, or None if it isn't annotated with coreference.

    Documents that only have the numbered groups of spacy-experimental are read too.
    """
    if key not in doc.spans:
        numbered = numbered_keys(doc, key)
        return [spans_of(doc, name) for name in numbered] if numbered else None
    clusters: Dict[Tuple[str, int], List[Span]] = {}
    for span in spans_of(doc, key):
        cluster = _cluster_of(span)
        if not cluster[0]:
            raise ValueError(
                f"doc.spans['{key}'] has a span, {span.text!r}, without its cluster's number in span.id_. "
                f"Write clusters with hmtl_spacy.annotations.set_clusters."
            )
        clusters.setdefault(cluster, []).append(span)
    return list(clusters.values())


def _member(doc: Doc, offsets: Tuple[int, int], number: int, first: int) -> Span:
    """A mention of a cluster. Its `kb_id_` has the cluster's number and how many characters before it the
    first mention begins: that holds where documents are joined (`Doc.from_docs`), which makes all their
    clusters "1", "2" ..., and in JSON (`Doc.to_json`), which has no ids.

    first: the token with which the first mention begins.
    """
    start, end = offsets
    return Span(doc, start, end, span_id=str(number), kb_id=f"{number}:{doc[start].idx - doc[first].idx}")


def _cluster_of(span: Span) -> Tuple[str, int]:
    """What all mentions of a cluster share: its number, and the character at which its first mention begins;
    0 where only the number is known.
    """
    if match := PLACE.match(span.kb_id_):
        return match.group(1), span.start_char - int(match.group(2))
    return span.id_, 0


def numbered_keys(doc: Doc, key: str) -> List[str]:
    pattern = re.compile(re.escape(key) + r"_([0-9]+)\Z")
    numbered = [(int(match.group(1)), name) for name in doc.spans if (match := pattern.match(name))]
    return [name for _, name in sorted(numbered)]
