"""A `Doc` as a row of a Parquet table; each batch is a file."""

import json
from collections import Counter
from typing import Any, Dict, List

from spacy.tokens import Doc

from ..arrow import load_pyarrow, make_schema
from ..layers import Layers, lose_further
from .jsonl import to_jsonl
from .writer import Writer


def doc_to_row(doc: Doc, layers: Layers, lost: "Counter[str]") -> Dict[str, Any]:
    """A document as a row, as our JSON lines have it but for layers beyond the four.

    doc: the document.
    layers: what it has.
    lost: those further layers are counted here.
    RETURNS: the values of its columns.
    """
    lose_further(layers, lost)
    row = to_jsonl(doc, layers._replace(further={}))
    row["id"] = str(row["id"]) if "id" in row else None
    if layers.sentences is not None:
        row["sentences"] = [{"start": start, "end": end} for start, end in row["sentences"]]
    if "meta" in row:
        row["meta"] = json.dumps(row["meta"], ensure_ascii=False, allow_nan=False)
    return row


def rows_to_parquet(rows: List[Dict[str, Any]]) -> bytes:
    if not rows:
        return b""
    arrow = load_pyarrow()
    sink = arrow.BufferOutputStream()
    arrow.parquet.write_table(arrow.Table.from_pylist(rows, schema=make_schema()), sink)
    return bytes(sink.getvalue().to_pybytes())


writer = Writer(doc_to_row, (".parquet",), join=rows_to_parquet, whole_files=True)
