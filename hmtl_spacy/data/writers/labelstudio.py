"""A `Doc` as a task of Label Studio with predictions, for people to correct."""

import json
from collections import Counter
from hashlib import blake2b
from statistics import mean
from typing import Any, Dict, List, Set, Tuple

from spacy.tokens import Doc

from ..layers import DIGITS, Layers
from .links import ARGUMENT, Place, arguments, links_of, lose_layers, place
from .writer import MODEL, Writer

COREF = "coref"
CONTROLS = {"entities": "ner", "mentions": "mention"}


def doc_to_labelstudio(doc: Doc, layers: Layers, lost: Counter[str]) -> str:
    """A document as a task whose prediction has regions and relations; the regions of a span share their id.

    Spans that are in clusters or relations alone are regions of the control `argument`, which the converter
    takes for no layer.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: the task.
    """
    text = doc.text
    lose_layers(layers, ("entities", "mentions", "clusters", "relations"), lost)
    prefix = blake2b(f"{doc.user_data.get('id')}\0{text}".encode(), digest_size=5).hexdigest()
    results: List[Dict[str, Any]] = []
    scores: List[float] = []
    known: Set[Place] = set()
    for layer, control in CONTROLS.items():
        for span, score in getattr(layers, layer) or ():
            results.append(_region(text, prefix, place(span), control, span.label_))
            scores.extend([] if score is None else [score])
            known.add(place(span))
    links = links_of(layers, COREF, lost)
    for one in arguments(links, known, lost):
        results.append(_region(text, prefix, one, ARGUMENT, ARGUMENT))
    pairs: Dict[Tuple[Place, Place], List[str]] = {}
    for link in links:  # the editor drops a second relation of a pair: one has all labels
        pairs.setdefault((link.head, link.tail), []).append(link.label)
        scores.extend([] if link.score is None else [link.score])
    for (head, tail), labels in pairs.items():
        ends = {"from_id": _id(prefix, head), "to_id": _id(prefix, tail)}
        results.append({"type": "relation", **ends, "direction": "right", "labels": labels})
    lost["scores of single spans and relations (the prediction has their mean)"] += len(scores)
    data: Dict[str, Any] = {"text": text}
    data.update((key, doc.user_data[key]) for key in ("id", "meta") if key in doc.user_data)
    prediction: Dict[str, Any] = {"model_version": doc.user_data.get(MODEL, "hmtl_spacy"), "result": results}
    if scores:
        prediction["score"] = round(mean(scores), DIGITS)
    return json.dumps({"data": data, "predictions": [prediction]}, ensure_ascii=False, allow_nan=False)


def _id(prefix: str, where: Place) -> str:
    """A region's id, which no other of the import has."""
    return f"{prefix}_{where[0]}_{where[1]}"


def _region(text: str, prefix: str, where: Place, control: str, label: str) -> Dict[str, Any]:
    start, end = where
    value = {"start": start, "end": end, "text": text[start:end], "labels": [label]}
    names = {"from_name": control, "to_name": "text", "type": "labels"}
    return {"id": _id(prefix, where), **names, "value": value}


def tasks_to_list(tasks: List[str]) -> bytes:
    return ("[\n" + ",\n".join(tasks) + "\n]\n").encode() if tasks else b""


writer = Writer(doc_to_labelstudio, (".labelstudio.json",), tasks_to_list, whole_files=True, names_model=True)
