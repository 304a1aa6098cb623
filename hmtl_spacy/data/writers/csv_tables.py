"""A `Doc` as rows of tables: documents, named entities, mentions, clusters and relations, as CSV."""

import csv
import io
import re
from collections import Counter
from typing import Any, Dict, List, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..layers import DIGITS, STANDARD, Layers, lose_further
from .links import Place, place
from .writer import Writer

SPAN = ("start", "end", "text", "label")
COLUMNS: Dict[str, Tuple[str, ...]] = {
    "documents": ("doc", "characters", "tokens", "sentences", *STANDARD),
    "entities": ("doc", *SPAN, "score"),
    "mentions": ("doc", *SPAN, "cluster", "score"),
    "clusters": ("doc", "cluster", *SPAN, "score"),
    "relations": (
        "doc",
        *(f"head_{name}" for name in (*SPAN, "cluster")),
        "label",
        *(f"tail_{name}" for name in (*SPAN, "cluster")),
        "score",
    ),
}
# What spreadsheets run when they open a file, and what has the sign that stops them already.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
FORMULAS = "cells that spreadsheets would take for formulas, which got a ' before them"
Row = Sequence[Any]


def doc_to_tables(doc: Doc, layers: Layers, lost: "Counter[str]") -> Dict[str, List[Row]]:
    """A document's rows of each table.

    Offsets are characters, ends exclusive. A mention's cluster is its number in the document, from 1; in the
    table of clusters each of their mentions has a row. The table of documents has the size of each layer,
    nothing for one that isn't annotated.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: rows by the name of their table.
    """
    id = str(doc.user_data.get("id", "document"))
    lose_further(layers, lost)
    lost["sentence boundaries"] += len(layers.sentences or ())
    lost["documents' meta"] += "meta" in doc.user_data
    clusters = layers.clusters or []
    labels = {place(span): span.label_ for span, _ in [*(layers.entities or ()), *(layers.mentions or ())]}
    numbers = {place(span): i for i, cluster in enumerate(clusters, start=1) for span, _ in cluster}

    def cells(span: Span, label: Optional[str] = None) -> Row:
        where = place(span)
        return (*where, span.text, labels.get(where, "") if label is None else label)

    counts = [None if layer is None else len(layer) for layer in (getattr(layers, name) for name in STANDARD)]
    sentences = None if layers.sentences is None else len(layers.sentences)
    tables: Dict[str, List[Row]] = {
        "documents": [(id, len(doc.text), len(doc), sentences, *counts)],
        "entities": [
            (id, *cells(span, span.label_), _score(score)) for span, score in layers.entities or ()
        ],
        "mentions": [
            (id, *cells(span, span.label_), numbers.get(place(span)), _score(score))
            for span, score in layers.mentions or ()
        ],
        "clusters": [
            (id, number, *cells(span), _score(score))
            for number, cluster in enumerate(clusters, start=1)
            for span, score in cluster
        ],
        "relations": [
            (id, *_argument(cells(head), numbers), label, *_argument(cells(tail), numbers), _score(score))
            for head, tail, label, score in layers.relations or ()
        ],
    }  # fmt: skip
    return {name: [[harmless(cell, lost) for cell in row] for row in rows] for name, rows in tables.items()}


def harmless(cell: Any, changed: "Counter[str]") -> Any:
    """What stands in a table: a text that a spreadsheet would run as a formula gets a ' before it.

    changed: such texts are counted here.
    """
    if not isinstance(cell, str) or not FORMULA.match(cell):
        return cell
    changed[FORMULAS] += 1
    return f"'{cell}"


def _argument(cells: Row, numbers: Dict[Place, int]) -> Row:
    """A head or tail with the number of its cluster."""
    return (*cells, numbers.get((cells[0], cells[1])))


def _score(score: Optional[float]) -> Optional[float]:
    return None if score is None else round(score, DIGITS)


def tables_to_csv(documents: List[Dict[str, List[Row]]]) -> Dict[str, bytes]:
    """The rows of a batch by the file that they are added to."""
    return {
        f"{table}.csv": _to_csv([row for rows in documents for row in rows[table]])  # in the documents' order
        for table in COLUMNS
    }


def _to_csv(rows: List[Row]) -> bytes:
    """Rows as RFC 4180 has them."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8")


writer = Writer(
    doc_to_tables,
    (".csv",),
    tables_to_csv,
    files={f"{table}.csv": _to_csv([columns]) for table, columns in COLUMNS.items()},
)
