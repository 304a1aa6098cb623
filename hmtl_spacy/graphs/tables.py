"""CSV: one table each of documents, nodes, edges, mentions and the evidence of relations."""

import csv
from collections import Counter
from typing import IO, Any, Dict, Iterable, Iterator, Sequence, Tuple

from ..data.writers.csv_tables import harmless
from .documents import DocumentGraph

COLUMNS = {
    "documents": ("id", "name"),
    "nodes": ("id", "name", "label"),
    "edges": ("id", "source", "target", "label", "score", "document"),
    "mentions": ("id", "node", "document", "start", "end", "text", "label", "form", "score"),
    "evidence": ("edge", "head_start", "head_end", "tail_start", "tail_end", "score"),
}
FILES = tuple(f"{name}.csv" for name in COLUMNS)


def write_tables(
    files: Sequence[IO[str]], documents: Iterable[DocumentGraph], changed: "Counter[str]"
) -> None:
    """Write the tables, a document at a time.

    changed: texts that spreadsheets would run as formulas, which get a ' before them, are counted here.
    """
    tables: Dict[str, Any] = {}
    for (name, columns), file in zip(COLUMNS.items(), files, strict=True):
        tables[name] = csv.writer(file, lineterminator="\n")
        tables[name].writerow(columns)
    for document in documents:
        for name, row in _rows(document):
            tables[name].writerow([harmless(value, changed) for value in row])


def _rows(document: DocumentGraph) -> Iterator[Tuple[str, Tuple[Any, ...]]]:
    yield "documents", (document.id, document.name)
    for node in document.nodes:
        if node.is_new:
            yield "nodes", (node.id, node.name, node.label)
    for id, node_id, mention in document.mentions():
        place = (id, node_id, document.id, mention.start, mention.end)
        yield "mentions", (*place, mention.text, mention.label, mention.form, mention.score)
    for edge in document.edges:
        yield "edges", (edge.id, edge.head, edge.tail, edge.label, edge.score, document.id)
        for item in edge.evidence:
            yield "evidence", (edge.id, *item.head, *item.tail, item.score)
