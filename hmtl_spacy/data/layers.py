"""All layers of a `Doc` with their scores, from whichever span groups they are in; as plain data too."""

import re
from collections import Counter
from typing import (
    Any,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Tuple,
    runtime_checkable,
)

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..annotations import (
    KEYS,
    Keys,
    Relation,
    TaskKeys,
    get_clusters,
    get_mentions,
    get_relations,
    has_entities,
    keys_of_doc,
    spans_of,
)

DIGITS = 4  # of a score
SpanKey = Tuple[int, int, int]  # start, end, label


@runtime_checkable
class LayerTask(Protocol):
    """What reading a document asks of a task: which layer is its own, in which groups, as which data."""

    @property
    def layer(self) -> str: ...

    @property
    def keys(self) -> TaskKeys: ...

    def to_json(self, doc: Doc) -> Optional[Any]: ...


class Scored(NamedTuple):
    """A span and the confidence in it, None if unknown."""

    span: Span
    score: Optional[float]


class Layers(NamedTuple):
    """What is annotated, in the order of the document; None for a layer that isn't.

    further: plain data by the name of the layer, of tasks beyond these four; only what is annotated.
    """

    sentences: Optional[List[Span]]
    entities: Optional[List[Scored]]
    mentions: Optional[List[Scored]]
    clusters: Optional[List[List[Scored]]]
    relations: Optional[List[Relation]]
    further: Dict[str, Any]


STANDARD = ("entities", "mentions", "clusters", "relations")
RESERVED = ("id", "meta", "text", "tokens", "sentences", "html", "coref")  # names that JSON or pages have
NAME = re.compile(r"[\w-]+")


def read_layers(
    doc: Doc, keys: Optional[Keys] = None, tasks: Optional[Mapping[str, LayerTask]] = None
) -> Layers:
    """Read all layers of a document.

    keys: the names of its span groups; found out from the document if not given.
    tasks: those of the pipeline, by name, which are asked for layers beyond the standard ones.
    """
    keys = keys_of_doc(doc) if keys is None else keys
    entity_scores, mention_scores, link_scores = (_scores(doc, key) for key in keys[:3])
    clusters = get_clusters(doc, keys.clusters)
    return Layers(
        sentences=list(doc.sents) if doc.has_annotation("SENT_START") else None,
        entities=_scored(list(doc.ents) if has_entities(doc) else None, entity_scores),
        mentions=_scored(get_mentions(doc, keys.mentions), mention_scores),
        clusters=None if clusters is None else [_with_scores(cluster, link_scores) for cluster in clusters],
        relations=get_relations(doc, keys.relations),
        further=further_layers(doc, tasks or {}),
    )


def further_layers(doc: Doc, tasks: Mapping[str, LayerTask]) -> Dict[str, Any]:
    """What tasks beyond the four standard layers have annotated, as plain data by the name of the layer."""
    described = {name: tasks[task].to_json(doc) for name, task in further_names(tasks).items()}
    return {name: data for name, data in described.items() if data is not None}


def further_names(tasks: Mapping[str, LayerTask]) -> Dict[str, str]:
    """The layers beyond the four standard ones, each with the name of the task that fills it."""
    names: Dict[str, str] = {}
    for name, task in tasks.items():
        if not task.layer or task.layer in STANDARD:
            continue
        if task.layer in RESERVED or not NAME.fullmatch(task.layer):
            raise ValueError(
                f"The task '{name}' fills a layer named '{task.layer}': give its `layer` a name of letters, "
                f"digits, - and _ that isn't one of {', '.join(RESERVED)}."
            )
        if names.setdefault(task.layer, name) != name:
            raise ValueError(
                f"The tasks '{names[task.layer]}' and '{name}' both fill the layer '{task.layer}': give the "
                f"`layer` of one of them another name."
            )
    return names


def tasks_of(nlp: Language) -> Dict[str, LayerTask]:
    """The tasks of all components of a pipeline that have some, each as `component.task`."""
    return {
        f"{component}.{name}": task
        for component, pipe in nlp.pipeline
        for name, task in dict(getattr(pipe, "tasks", ())).items()
        if isinstance(task, LayerTask)
    }


def keys_of(tasks: Mapping[str, LayerTask]) -> Keys:
    """The span groups that the tasks of a pipeline write to; of several components, those of the last."""
    named: Dict[str, Any] = {layer: key for task in tasks.values() for layer, key in task.keys.items()}
    return KEYS._replace(**named)


def count_layers(doc: Doc, layers: Layers, counts: "Counter[str]") -> None:
    """Add a document to the numbers of documents, tokens, entities and so on.

    counts: is added to.
    """
    counts["documents"] += 1
    counts["tokens"] += len(doc)
    for name in ("sentences", *STANDARD):
        counts[name] += len(getattr(layers, name) or ())
    for name, data in layers.further.items():
        counts[name] += size(data)


def lose_further(layers: Layers, lost: "Counter[str]") -> None:
    """Count the layers that a format of the four standard ones can't hold.

    lost: is added to, by the name of the layer.
    """
    for name, data in layers.further.items():
        lost[name] += size(data)


def lose_unannotated(layers: Layers, names: Iterable[str], lost: "Counter[str]") -> None:
    """Count the layers that aren't annotated, in a format that can't tell that from nothing found.

    names: of those layers that the format has.
    """
    for name in names:
        lost[f"documents whose {name} aren't annotated, written as none"] += getattr(layers, name) is None


def size(data: Any) -> int:
    """How many items a further layer has; 1 if it isn't a list."""
    return len(data) if isinstance(data, list) else 1


def spans_to_json(doc: Doc, key: str) -> Optional[List[Dict[str, Any]]]:
    """A group of labelled spans as plain data, with the scores in its `attrs["scores"]`; None without it."""
    if key not in doc.spans:
        return None
    return [_labelled(scored) for scored in _with_scores(spans_of(doc, key), _scores(doc, key))]


def layer_to_json(doc: Doc, layer: str, keys: Keys) -> Optional[Any]:
    """One of the four standard layers as plain data; None where it isn't annotated."""
    return layers_to_json(read_layers(doc, keys)).get(layer)


def layers_to_json(layers: Layers) -> Dict[str, Any]:
    """The annotated layers as plain data with character offsets and tokens, by name."""
    data: Dict[str, Any] = {}
    if layers.entities is not None:
        data["entities"] = [_labelled(entity) for entity in layers.entities]
    if layers.mentions is not None:
        data["mentions"] = [_labelled(mention) for mention in layers.mentions]
    if layers.clusters is not None:
        data["clusters"] = [
            [{**_offsets(span), **_score(score)} for span, score in cluster] for cluster in layers.clusters
        ]
    if layers.relations is not None:
        data["relations"] = [
            {"head": _offsets(head), "tail": _offsets(tail), "label": label, **_score(score)}
            for head, tail, label, score in layers.relations
        ]
    return {**data, **layers.further}


def _labelled(scored: Scored) -> Dict[str, Any]:
    span, score = scored
    return {**_offsets(span), "label": span.label_, **_score(score)}


def _offsets(span: Span) -> Dict[str, int]:
    return {
        "start": span.start_char,
        "end": span.end_char,
        "start_token": span.start,
        "end_token": span.end,
    }


def _score(score: Optional[float]) -> Dict[str, float]:
    return {} if score is None else {"score": round(score, DIGITS)}


def _scores(doc: Doc, key: Optional[str]) -> Dict[SpanKey, float]:
    if key is None or key not in doc.spans:
        return {}
    group = doc.spans[key]
    return {_key(span): score for span, score in zip(group, group.attrs.get("scores", ()), strict=False)}


def _scored(spans: Optional[List[Span]], scores: Dict[SpanKey, float]) -> Optional[List[Scored]]:
    return None if spans is None else _with_scores(spans, scores)


def _with_scores(spans: List[Span], scores: Dict[SpanKey, float]) -> List[Scored]:
    return [Scored(span, scores.get(_key(span))) for span in spans]


def _key(span: Span) -> SpanKey:
    return span.start, span.end, span.label
