"""A `Doc` as a task of Prodigy: a suggestion without an answer, for `rel.manual` or `ner.manual`."""

import json
from collections import Counter
from typing import Any, Dict, Optional

from spacy.tokens import Doc, Span

from ..converters.prodigy import OUR_ID
from ..layers import DIGITS, Layers
from .links import COREF, Place, links_of, lose_layers, one_layer, place
from .writer import Writer


def doc_to_prodigy(doc: Doc, layers: Layers, lost: Counter[str]) -> str:
    """A document as a line: tokens, spans, relations between them, clusters as relations `COREF`.

    `spans` has the mentions, or the named entities of a document without a layer of mentions, whose view is
    then `ner_manual`.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: the line.
    """
    has_links = layers.relations is not None or layers.clusters is not None
    spans = one_layer(layers, lost)
    lose_layers(layers, ("relations", "clusters") if has_links else (), lost)
    view = "relations" if has_links else "ner_manual" if layers.mentions is None else "spans_manual"
    record: Dict[str, Any] = {
        "text": doc.text,
        "tokens": [
            {"text": token.text, "start": token.idx, "end": token.idx + len(token), "id": token.i,
             "ws": bool(token.whitespace_), "disabled": False}
            for token in doc
        ],
        "spans": [{**_span(span), "type": "span", **_score(score)} for span, score in spans],
        "_view_id": view,
    }  # fmt: skip
    if has_links:
        labels = {place(span): span.label_ for span, _ in reversed(spans)}
        record["relations"] = [
            {
                **_end(doc, link.head, labels, "head"),
                **_end(doc, link.tail, labels, "child"),
                "label": link.label,
                **_score(link.score),
            }
            for link in links_of(layers, COREF, lost)
        ]
    meta = {OUR_ID: doc.user_data.get("id")}
    if "meta" in doc.user_data:
        meta["meta"] = doc.user_data["meta"]
    return json.dumps({**record, "meta": meta}, ensure_ascii=False, allow_nan=False) + "\n"


def _span(span: Span) -> Dict[str, Any]:
    """A span by characters and by tokens, the last of which is its end."""
    start, end = place(span)
    tokens = {"token_start": span.start, "token_end": span.end - 1}
    return {"text": span.text, "start": start, "end": end, **tokens, "label": span.label_ or None}


def _end(doc: Doc, where: Place, labels: Dict[Place, str], key: str) -> Dict[str, Any]:
    """A head or child: its last token, and its span."""
    span = doc.char_span(*where, labels.get(where, ""), alignment_mode="expand")
    assert span is not None  # it was one
    return {key: span.end - 1, f"{key}_span": _span(span)}


def _score(score: Optional[float]) -> Dict[str, float]:
    return {} if score is None else {"score": round(score, DIGITS)}


writer = Writer(doc_to_prodigy, (".prodigy.jsonl",))
