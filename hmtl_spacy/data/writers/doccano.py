"""A `Doc` as a line of doccano's JSON, for a project with relations."""

import json
from collections import Counter
from typing import Any, Dict, List

from spacy.tokens import Doc

from ..converters.doccano import OUR_ID
from ..converters.units import utf16_offsets
from ..layers import Layers
from .links import ARGUMENT, COREF, Place, arguments, links_of, lose_layers, one_layer, place
from .words import lose_scores
from .writer import Writer


def doc_to_doccano(doc: Doc, layers: Layers, lost: Counter[str]) -> str:
    """A document as a line: spans with ids from 0, relations, clusters as relations `COREF`.

    `entities` has the mentions, or the named entities of a document without a layer of mentions. Offsets
    count UTF-16 units, as doccano does.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: the line.
    """
    spans = one_layer(layers, lost)
    has_links = layers.relations is not None or layers.clusters is not None
    lose_layers(layers, ("relations", "clusters") if has_links else (), lost)
    lose_scores([spans, layers.relations, *(layers.clusters or ())], lost)
    links = links_of(layers, COREF, lost)
    rows = [(place(span), span.label_) for span, _ in spans]
    rows += [(one, ARGUMENT) for one in arguments(links, [where for where, _ in rows], lost)]
    lost["spans that overlap (kept: the project must allow overlapping spans)"] += _overlapping(rows)
    units = utf16_offsets(doc.text)
    numbers: Dict[Place, int] = {}
    record: Dict[str, Any] = {"text": doc.text, "entities": []}
    for number, ((start, end), label) in enumerate(rows):
        numbers.setdefault((start, end), number)
        offsets = {"start_offset": units[start], "end_offset": units[end]}
        record["entities"].append({"id": number, "label": label, **offsets})
    if has_links:
        record["relations"] = [
            {"id": i, "from_id": numbers[link.head], "to_id": numbers[link.tail], "type": link.label}
            for i, link in enumerate(links)
        ]
    record[OUR_ID] = doc.user_data.get("id")
    if "meta" in doc.user_data:
        record["meta"] = doc.user_data["meta"]
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _overlapping(rows: List[Any]) -> int:
    """How many spans begin before an earlier one ends."""
    count, furthest = 0, 0
    for (start, end), _ in sorted(rows):
        count += start < furthest
        furthest = max(furthest, end)
    return count


writer = Writer(doc_to_doccano, (".doccano.jsonl",))
