"""Cypher that can be run again: everything is merged by its id, so a second run changes nothing.

The same graph as that of `neo4j.py`. A few statements a document, each on one line, since `cypher-shell` runs
statement by statement.
"""

import re
from collections import Counter
from typing import IO, Any, Dict, Iterable, Iterator, List, Sequence, Tuple

from .documents import DocumentGraph
from .neo4j import RELATED, evidence_of, schema_name

KINDS = ("Document", "Entity", "Mention")
# Cypher manual, "Expressions", "String literals". Neo4j also reads \u and four digits before anything else,
# even behind another backslash, so a "u" there is escaped itself.
ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
UNSAFE = re.compile("\\\\u|[\\\\'\x00-\x1f\x7f-\x9f\u2028\u2029]")
Groups = Dict[str, List[Dict[str, Any]]]  # rows by the name of their label or type


def write_cypher(
    files: Sequence[IO[str]], documents: Iterable[DocumentGraph], changed: "Counter[str]"
) -> None:
    """Write the statements, a document at a time; the first make ids unique, which finds nodes by them fast.

    changed: labels that Neo4j's names can't hold as they are, are counted here.
    """
    [out] = files
    for kind in KINDS:
        name = f"hmtl_{kind.lower()}_id"
        out.write(f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{kind}) REQUIRE n.id IS UNIQUE;\n")
    for document in documents:
        out.writelines(_statements(document, changed))


def literal(value: Any) -> str:
    """A text, a number, None, or a list or dict of these, as Cypher."""
    if isinstance(value, str):
        return f"'{UNSAFE.sub(_escape, value)}'"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "null" if value is None else repr(value)


def _escape(match: "re.Match[str]") -> str:
    found = match[0]
    if found == "\\u":
        return "\\\\\\u0075"
    return ESCAPES.get(found) or f"\\u{ord(found):04x}"


def _statements(document: DocumentGraph, changed: "Counter[str]") -> Iterator[str]:
    yield f"MERGE (d:Document {{id: {literal(document.id)}}}) SET d.name = {literal(document.name)};\n"
    nodes: Groups = {}
    for node in document.nodes:
        if node.is_new:
            row = {"id": node.id, "values": {"name": node.name, "type": node.label}}
            nodes.setdefault(schema_name(node.label, changed), []).append(row)
    for label, rows in nodes.items():
        more = f", n:`{label}`" if label else ""
        yield f"{_unwind(rows)} MERGE (n:Entity {{id: row.id}}) SET n += row.values{more};\n"
    mentions = [
        {"id": id, "node": node, "values": _mention(mention)} for id, node, mention in document.mentions()
    ]
    if mentions:
        found = f"MATCH (d:Document {{id: {literal(document.id)}}}) MATCH (n:Entity {{id: row.node}})"
        merged = "MERGE (m:Mention {id: row.id}) SET m += row.values"
        yield f"{_unwind(mentions)} {found} {merged} MERGE (m)-[:REFERS_TO]->(n) MERGE (m)-[:IN]->(d);\n"
    for type, rows in _relations(document, changed).items():
        found = "MATCH (h:Entity {id: row.head}) MATCH (t:Entity {id: row.tail})"
        yield f"{_unwind(rows)} {found} MERGE (h)-[r:`{type}` {{id: row.id}}]->(t) SET r += row.values;\n"


def _mention(mention: Any) -> Dict[str, Any]:
    values: Tuple[str, ...] = ("text", "form", "start", "end", "score")
    return {"type": mention.label, **{name: getattr(mention, name) for name in values}}


def _relations(document: DocumentGraph, changed: "Counter[str]") -> Groups:
    relations: Groups = {}
    for edge in document.edges:
        values = {"label": edge.label, "document": document.id, "score": edge.score, **evidence_of(edge)}
        row = {"id": edge.id, "head": edge.head, "tail": edge.tail, "values": values}
        relations.setdefault(schema_name(edge.label, changed) or RELATED, []).append(row)
    return relations


def _unwind(rows: List[Dict[str, Any]]) -> str:
    return f"UNWIND {literal(rows)} AS row"
