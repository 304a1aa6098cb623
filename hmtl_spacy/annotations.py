"""Where mentions, coreference clusters and relations live on a `Doc`.

All three are span groups, so they survive `DocBin`, `Doc.to_bytes`, pickling and
`nlp.pipe(n_process=2)`. A missing group means *not annotated*; an empty one means
*annotated, none found*. Every reader below returns `None` for the former.

The groups may have other names than the usual ones; `Keys` holds them. Each group says in `attrs["layer"]`
which layer it is, so that a document can be read without knowing which pipeline annotated it: `keys_of_doc`.
"""

import re
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span, SpanGroup

ENTITIES = "ents"
MENTIONS = "mentions"
CLUSTERS = "coref_clusters"
RELATIONS = "relations"


class Keys(NamedTuple):
    """The names of the span groups of a pipeline's layers.

    entities: the group of the scores of `doc.ents`, which themselves need no group; None for none.
    """

    entities: Optional[str] = ENTITIES
    mentions: str = MENTIONS
    clusters: str = CLUSTERS
    relations: str = RELATIONS


KEYS = Keys()
TaskKeys = Mapping[str, Optional[str]]  # of one task: from a field of `Keys` to the name of a group


def merge_keys(tasks: Mapping[str, TaskKeys]) -> Keys:
    """The groups that several tasks name, the usual ones for what none of them names.

    tasks: the keys of each task, by its name.
    """
    merged: Dict[str, Any] = {}
    namers: Dict[str, str] = {}
    for task, keys in tasks.items():
        if unknown := [layer for layer in keys if layer not in Keys._fields]:
            raise ValueError(
                f"The task '{task}' names span groups for {unknown}; expected layers of {list(Keys._fields)}."
            )
        for layer, key in keys.items():
            if merged.setdefault(layer, key) != key:
                raise ValueError(_conflict(layer, (namers[layer], task), (merged[layer], key)))
            namers.setdefault(layer, task)
    return Keys(**merged)


def keys_of_doc(doc: Doc, default: Keys = KEYS) -> Keys:
    """The groups that a document's layers are in; where several groups are of one layer, the last written.

    default: for layers that no group of the document says it is.
    """
    marked = {
        group.attrs.get("layer"): key
        for key, group in doc.spans.items()
        if key == group.name  # a copy under another name isn't the layer
    }
    return default._replace(**{layer: marked[layer] for layer in Keys._fields if layer in marked})


def write_layer(doc: Doc, layer: str, key: str, spans: List[Span], **attrs: Any) -> None:
    """Store spans as the group of a layer, the last of the document's groups.

    layer: a field of `Keys`.
    attrs: what goes into the group's attributes beside the name of its layer.
    """
    doc.spans.pop(key, None)  # a key that is replaced would keep its place
    doc.spans[key] = SpanGroup(doc, name=key, spans=spans, attrs={**attrs, "layer": layer})


class Relation(NamedTuple):
    """A directed relation between two spans of one document."""

    head: Span
    tail: Span
    label: str
    score: float = 1.0


def has_entities(doc: Doc) -> bool:
    """Whether `doc.ents` is annotated; an empty document counts as annotated."""
    return len(doc) == 0 or doc.has_annotation("ENT_IOB")


def set_mentions(
    doc: Doc, mentions: Iterable[Span], scores: Optional[Sequence[float]] = None, key: str = MENTIONS
) -> None:
    """Store typed mentions; they may nest and overlap.

    scores: confidences in 0..1, one per mention; all 1.0 if not given.
    """
    mentions = list(mentions)
    write_layer(doc, "mentions", key, mentions, scores=_scores(scores, len(mentions)))


def get_mentions(doc: Doc, key: str = MENTIONS) -> Optional[List[Span]]:
    """The mentions of a document, or None if it isn't annotated with them."""
    return list(doc.spans[key]) if key in doc.spans else None


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
    for old in _numbered_keys(doc, key):
        del doc.spans[old]
    ordered = sorted(sorted(set(cluster)) for cluster in clusters if cluster)
    spans: List[Span] = []
    confidences: List[float] = []
    for number, cluster in enumerate(ordered, start=1):
        members = [Span(doc, start, end, span_id=str(number)) for start, end in cluster]
        spans.extend(members)
        confidences.extend((scores or {}).get(offsets, 1.0) for offsets in cluster)
        if numbered_groups:
            doc.spans[f"{key}_{number}"] = members
    write_layer(doc, "clusters", key, spans, scores=confidences)


def get_clusters(doc: Doc, key: str = CLUSTERS) -> Optional[List[List[Span]]]:
    """The clusters of a document, or None if it isn't annotated with coreference.

    Documents that only have the numbered groups of spacy-experimental are read too.
    """
    if key in doc.spans:
        clusters: Dict[str, List[Span]] = {}
        for span in doc.spans[key]:
            clusters.setdefault(span.id_, []).append(span)
        return list(clusters.values())
    numbered = _numbered_keys(doc, key)
    return [list(doc.spans[name]) for name in numbered] if numbered else None


def set_relations(doc: Doc, relations: Iterable[Relation], key: str = RELATIONS) -> None:
    """Store relations as one span group: head and tail in turn, labels and scores in its attrs."""
    relations = list(relations)
    spans = [span for relation in relations for span in (relation.head, relation.tail)]
    labels = [relation.label for relation in relations]
    scores = [float(relation.score) for relation in relations]
    write_layer(doc, "relations", key, spans, labels=labels, scores=scores)


def get_relations(doc: Doc, key: str = RELATIONS) -> Optional[List[Relation]]:
    """The relations of a document, or None if it isn't annotated with them."""
    if key not in doc.spans:
        return None
    group = doc.spans[key]
    spans = list(group)
    labels = group.attrs.get("labels", [])
    if len(spans) != 2 * len(labels):
        raise ValueError(
            f"doc.spans['{key}'] holds {len(spans)} spans for {len(labels)} relation labels; a relation "
            f"needs a head and a tail. Write relations with hmtl_spacy.annotations.set_relations."
        )
    scores = group.attrs.get("scores") or [1.0] * len(labels)
    return [Relation(*row) for row in zip(spans[::2], spans[1::2], labels, scores)]


def set_extensions() -> None:
    """Add the getters `doc._.coref_clusters` and `doc._.relations`, each only where nobody set one.

    They read the groups that the document's layers are in, and give empty lists where nothing is annotated.
    They can be pickled: spaCy sends all extensions to the processes of `nlp.pipe(n_process=2)`.
    """
    for name, getter in (("coref_clusters", _clusters_or_none), ("relations", _relations_or_none)):
        if not Doc.has_extension(name):
            Doc.set_extension(name, getter=getter)


def _clusters_or_none(doc: Doc) -> List[List[Span]]:
    return get_clusters(doc, keys_of_doc(doc).clusters) or []


def _relations_or_none(doc: Doc) -> List[Relation]:
    return get_relations(doc, keys_of_doc(doc).relations) or []


def _conflict(layer: str, tasks: Tuple[str, str], keys: Tuple[Optional[str], Optional[str]]) -> str:
    setting = "scores_key" if layer == "entities" else f"{layer}_key"
    first, second = tasks
    return (
        f"The tasks '{first}' and '{second}' name different span groups for the {layer}: {keys[0]!r} and "
        f"{keys[1]!r}. If you change `{setting}` of {first}, also change it in {second}."
    )


def _numbered_keys(doc: Doc, key: str) -> List[str]:
    pattern = re.compile(re.escape(key) + r"_([0-9]+)\Z")
    numbered = [(int(match.group(1)), name) for name in doc.spans if (match := pattern.match(name))]
    return [name for _, name in sorted(numbered)]


def _scores(scores: Optional[Sequence[float]], n: int) -> List[float]:
    return [1.0] * n if scores is None else [float(score) for score in scores]
