"""A `Doc` as a line of our own JSONL, which the converter `jsonl` reads."""

import json
from collections import Counter
from typing import Any, Dict, Optional

from spacy.tokens import Doc

from ..layers import Layers, layers_to_json, read_layers
from .writer import Writer


def doc_to_jsonl(doc: Doc, layers: Layers, lost: "Counter[str]") -> str:
    """A document as a line of JSON. The format holds everything: nothing is counted in `lost`."""
    return json.dumps(to_jsonl(doc, layers), ensure_ascii=False, allow_nan=False) + "\n"


def to_jsonl(doc: Doc, layers: Optional[Layers] = None) -> Dict[str, Any]:
    """Describe a document as `jsonl_to_docs` reads it; layers that aren't annotated are left out.

    layers: what it has; if not given, the four standard layers, from whichever span groups they are in.
    RETURNS: one line of JSONL, for `srsly.write_jsonl`.
    """
    layers = read_layers(doc) if layers is None else layers
    record: Dict[str, Any] = {key: doc.user_data[key] for key in ("id", "meta") if key in doc.user_data}
    record["text"] = doc.text
    record["tokens"] = [token.text for token in doc]
    if layers.sentences is not None:
        record["sentences"] = [[sent.start_char, sent.end_char] for sent in layers.sentences]
    return {**record, **layers_to_json(layers)}


writer = Writer(doc_to_jsonl, (".jsonl",))
