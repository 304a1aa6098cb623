"""A `Doc` as a task of Label Studio with predictions, for people to correct."""

import json
from collections import Counter
from hashlib import blake2b
from statistics import mean
from typing import Any, Dict, List, Optional, Set, Tuple

from spacy.tokens import Doc

from ..converters.labelstudio.config import Config, Control, layer_of
from ..converters.rules import COREF as LINKS
from ..layers import DIGITS, STANDARD, Layers
from .links import ARGUMENT, Link, Place, arguments, links_of, lose_layers, place
from .writer import MODEL, Writer

COREF = "coref"
# what is written where no project says what its controls are called: docs/correct.md has it as XML
CONTROLS = tuple(Control(name, "text", None) for name in ("ner", "mention", ARGUMENT))
WRITTEN = Config(CONTROLS, None, (("text", "text"),))


def doc_to_labelstudio(doc: Doc, layers: Layers, lost: Counter[str]) -> str:
    """A document as a task whose prediction has regions and relations; the regions of a span share their id.

    Spans that are in clusters or relations alone are regions of the control `argument`, which the converter
    takes for no layer.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: the task.
    """
    prediction = predict(doc, layers, lost)
    data: Dict[str, Any] = {"text": doc.text}
    data.update((key, doc.user_data[key]) for key in ("id", "meta") if key in doc.user_data)
    prediction = {"model_version": doc.user_data.get(MODEL, "hmtl_spacy"), **prediction}
    return json.dumps({"data": data, "predictions": [prediction]}, ensure_ascii=False, allow_nan=False)


def predict(doc: Doc, layers: Layers, lost: Counter[str], config: Config = WRITTEN) -> Dict[str, Any]:
    """A document's annotation as a prediction: its results, and the mean of all scores if there are any.

    config: the project's controls and labels. Spans and relations that have no place there are counted.
    """
    lose_layers(layers, STANDARD, lost)
    regions = _Regions(doc)
    scores: List[float] = []
    for layer, controls in _controls(layers, config).items():
        for span, score in getattr(layers, layer) or ():
            control = next((control for control in controls if control.has(span.label_)), None)
            if control is None:
                lost[f"{layer} with a label that no control of the project has: {span.label_}"] += 1
                continue
            regions.add(place(span), control, span.label_, score)
            scores.extend([] if score is None else [score])
    links = [link for link in _links(layers, config, lost) if _is_known(link, config, lost)]
    argument = next((one for one in config.controls if one.name == ARGUMENT and one.has(ARGUMENT)), None)
    if argument is not None:
        for where in arguments(links, regions.places, lost):
            regions.add(where, argument, ARGUMENT, None)
    pairs: Dict[Tuple[Place, Place], List[str]] = {}
    for link in links:  # the editor drops a second relation of a pair: one has all labels
        if not {link.head, link.tail} <= regions.places:
            lost["relations and links of spans that no control of the project takes"] += 1
            continue
        pairs.setdefault((link.head, link.tail), []).append(link.label)
        scores.extend([] if link.score is None else [link.score])
        lost["scores of relations and links (the prediction has the mean of all)"] += link.score is not None
    for (head, tail), labels in pairs.items():
        ends = {"from_id": regions.id(head), "to_id": regions.id(tail)}
        regions.results.append({"type": "relation", **ends, "direction": "right", "labels": labels})
    mean_score = {"score": round(mean(scores), DIGITS)} if scores else {}
    return {"result": regions.results, **mean_score}


class _Regions:
    """The results for a document, whose ids no other document of an import has."""

    def __init__(self, doc: Doc):
        self.text = doc.text
        self.results: List[Dict[str, Any]] = []
        self.places: Set[Place] = set()
        self._taken: Set[Tuple[Place, str, str]] = set()
        self._prefix = blake2b(f"{doc.user_data.get('id')}\0{self.text}".encode(), digest_size=5).hexdigest()

    def id(self, where: Place) -> str:
        return f"{self._prefix}_{where[0]}_{where[1]}"

    def add(self, where: Place, control: Control, label: str, score: Optional[float]) -> None:
        """Add a span; one that two layers have is one region in a control."""
        start, end = where
        self.places.add(where)
        value = {"start": start, "end": end, "text": self.text[start:end], control.type: [label]}
        names = {"from_name": control.name, "to_name": control.to_name, "type": control.type}
        scored = {} if score is None else {"score": round(score, DIGITS)}
        if (where, control.name, label) not in self._taken:
            self.results.append({"id": self.id(where), **names, "value": value, **scored})
        self._taken.add((where, control.name, label))


def _controls(layers: Layers, config: Config) -> Dict[str, List[Control]]:
    """The controls for each layer: a project with those of one layer only takes named entities in them, or
    mentions if there are no named entities.
    """
    own: Dict[str, List[Control]] = {"entities": [], "mentions": []}
    for control in config.controls:
        if control.name != ARGUMENT:
            own[layer_of(control.name)].append(control)
    only_mentions = layers.entities is None
    return {
        "entities": own["entities"] or own["mentions"],
        "mentions": own["mentions"] or (own["entities"] if only_mentions else []),
    }


def _links(layers: Layers, config: Config, lost: Counter[str]) -> List[Link]:
    """Relations, and the links of clusters with the label that the project has for these."""
    coref = COREF
    if config.relations is not None:
        coref = next((label for label in sorted(config.relations) if label.casefold() in LINKS), "")
    if not coref:
        lost["clusters (the project has no relation 'coref')"] += len(layers.clusters or ())
        layers = layers._replace(clusters=None)
    return links_of(layers, coref, lost)


def _is_known(link: Link, config: Config, lost: Counter[str]) -> bool:
    known = config.relations is None or link.label in config.relations
    if not known:
        lost[f"relations with a label that the project doesn't have: {link.label}"] += 1
    return known


def tasks_to_list(tasks: List[str]) -> bytes:
    return ("[\n" + ",\n".join(tasks) + "\n]\n").encode() if tasks else b""


writer = Writer(doc_to_labelstudio, (".labelstudio.json",), tasks_to_list, whole_files=True, names_model=True)
