"""A `Doc` as a line of our own JSONL, which the converter `jsonl` reads."""

import json
from collections import Counter
from typing import Any, Dict, Optional

from spacy.tokens import Doc, Span

from ..layers import Layers, Scored, read_layers

DIGITS = 4  # of a score


def doc_to_jsonl(doc: Doc, layers: Layers, lost: Counter) -> str:
    """A document as a line of JSON. The format holds everything: nothing is counted in `lost`."""
    return json.dumps(to_jsonl(doc, layers), ensure_ascii=False, allow_nan=False) + "\n"


def to_jsonl(doc: Doc, layers: Optional[Layers] = None) -> Dict[str, Any]:
    """Describe a document as `jsonl_to_docs` reads it; layers that aren't annotated are left out.

    doc (Doc): The document.
    layers (Optional[Layers]): What it has; by default all layers of the usual span groups.
    RETURNS (Dict[str, Any]): One line of JSONL, for `srsly.write_jsonl`.
    """
    layers = read_layers(doc) if layers is None else layers
    record: Dict[str, Any] = {key: doc.user_data[key] for key in ("id", "meta") if key in doc.user_data}
    record["text"] = doc.text
    record["tokens"] = [token.text for token in doc]
    if layers.sentences is not None:
        record["sentences"] = [[sent.start_char, sent.end_char] for sent in layers.sentences]
    if layers.entities is not None:
        record["entities"] = [_labelled(entity) for entity in layers.entities]
    if layers.mentions is not None:
        record["mentions"] = [_labelled(mention) for mention in layers.mentions]
    if layers.clusters is not None:
        record["clusters"] = [
            [{**_offsets(span), **_score(score)} for span, score in cluster] for cluster in layers.clusters
        ]
    if layers.relations is not None:
        record["relations"] = [
            {"head": _offsets(head), "tail": _offsets(tail), "label": label, **_score(score)}
            for head, tail, label, score in layers.relations
        ]
    return record


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
