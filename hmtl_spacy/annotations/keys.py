"""How the span groups of a pipeline's layers are called, and which groups of a document are its layers."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

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

    layer: a field of `Keys`, or the `layer` of a task beyond the four standard ones.
    attrs: what goes into the group's attributes beside the name of its layer.
    """
    doc.spans.pop(key, None)  # a key that is replaced would keep its place
    doc.spans[key] = SpanGroup(doc, name=key, spans=spans, attrs={**attrs, "layer": layer})


def _conflict(layer: str, tasks: Tuple[str, str], keys: Tuple[Optional[str], Optional[str]]) -> str:
    setting = "scores_key" if layer == "entities" else f"{layer}_key"
    first, second = tasks
    return (
        f"The tasks '{first}' and '{second}' name different span groups for the {layer}: {keys[0]!r} and "
        f"{keys[1]!r}. If you change `{setting}` of {first}, also change it in {second}."
    )
