"""Neo4j: the tables that `neo4j-admin database import full` reads.

Like `cypher.py`: `(:Entity)` with its label as a second one, `(:Mention)-[:REFERS_TO]->(:Entity)`,
`(:Mention)-[:IN]->(:Document)`, and relations with their labels as types. What Neo4j's names can't hold
becomes "_" in these; the properties have labels as they are.
"""

import re
from collections import Counter
from typing import IO, Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from .documents import DocumentGraph, Edge

RELATED = "RELATED"  # the type of relations without a label
ENDS = ("head_starts", "head_ends", "tail_starts", "tail_ends")
# https://neo4j.com/docs/operations-manual/current/import/, "CSV header format"
COLUMNS = {
    "documents": ("id:ID", "name", ":LABEL"),
    "entities": ("id:ID", "name", "type", ":LABEL"),
    "mentions": ("id:ID", "text", "type", "form", "start:long", "end:long", "score:double", ":LABEL"),
    "links": (":START_ID", ":END_ID", ":TYPE"),
    "relations": (
        *("id", ":START_ID", ":END_ID", ":TYPE", "label", "document", "score:double"),
        *(f"{name}:long[]" for name in ENDS),
        "scores:double[]",
    ),
}
FILES = tuple(f"{name}.csv" for name in COLUMNS)
NOT_IN_NAMES = re.compile(r"[^\w .:/+-]")  # no backtick or backslash, and no ";", which separates labels


def write_import(
    files: Sequence[IO[str]], documents: Iterable[DocumentGraph], changed: "Counter[str]"
) -> None:
    """Write the tables of an import, a document at a time.

    changed: labels that Neo4j's names can't hold as they are, are counted here.
    """
    tables = dict(zip(COLUMNS, files, strict=True))
    for name, table in tables.items():
        table.write(",".join(COLUMNS[name]) + "\n")
    for document in documents:
        for name, row in _rows(document, changed):
            tables[name].write(",".join(map(_cell, row)) + "\n")


def schema_name(label: str, changed: "Counter[str]") -> str:
    """A label as that of a node, or as the type of a relationship."""
    name = NOT_IN_NAMES.sub("_", label)
    changed["labels with characters that Neo4j's names can't hold, written as _ there"] += name != label
    return name


def evidence_of(edge: Edge) -> Dict[str, List[Any]]:
    """Neo4j's properties hold lists of numbers, not of lists: the ends of each argument, and the scores."""
    rows = [(*item.head, *item.tail, item.score) for item in edge.evidence]
    return dict(zip((*ENDS, "scores"), map(list, zip(*rows)), strict=True))


def _rows(document: DocumentGraph, changed: "Counter[str]") -> Iterator[Tuple[str, Tuple[Any, ...]]]:
    yield "documents", (document.id, document.name, "Document")
    for node in document.nodes:
        if node.is_new:
            labels = f"Entity;{schema_name(node.label, changed)}" if node.label else "Entity"
            yield "entities", (node.id, node.name, node.label, labels)
    for id, node_id, mention in document.mentions():
        place = (mention.start, mention.end, mention.score, "Mention")
        yield "mentions", (id, mention.text, mention.label, mention.form, *place)
        yield "links", (id, node_id, "REFERS_TO")
        yield "links", (id, document.id, "IN")
    for edge in document.edges:
        ends = (edge.id, edge.head, edge.tail, schema_name(edge.label, changed) or RELATED)
        arrays = [";".join(map(repr, values)) for values in evidence_of(edge).values()]
        yield "relations", (*ends, edge.label, document.id, edge.score, *arrays)


def _cell(value: Any) -> str:
    """Quoted texts keep the white space at their ends; an empty cell without quotes is no value."""
    if value is None:
        return ""
    return '"{}"'.format(value.replace('"', '""')) if isinstance(value, str) else repr(value)
