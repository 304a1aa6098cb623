"""JSON-LD, the same RDF as in Turtle: one object whose `@graph` has a node a line."""

import json
from collections import Counter
from typing import IO, Any, Dict, Iterable, Iterator, List, Sequence

from ..entities.json_ld import CONTEXT, Link, by_head, entity_to_json, relation_to_json, triples_to_json
from .documents import DocumentGraph, Edge
from .identity import part


def write_json_ld(
    files: Sequence[IO[str]], documents: Iterable[DocumentGraph], changed: "Counter[str]"
) -> None:
    """Write the graph as JSON-LD, a document at a time; nothing is changed."""
    [out] = files
    out.write(f'{{"@context": {_line(CONTEXT)}, "@graph": [')
    between = "\n"
    for document in documents:
        for node in _nodes(document):
            out.write(f"{between}{_line(node)}")
            between = ",\n"
    out.write("\n]}\n")


def _nodes(document: DocumentGraph) -> Iterator[Dict[str, Any]]:
    source = _id(document.id)
    yield {"@id": source, "@type": "Document", "name": document.name}
    mentions: Dict[str, List[Dict[str, Any]]] = {}
    for id, node_id, mention in document.mentions():
        place = {"@id": _id(id), "@type": "Mention", "document": source}
        mentions.setdefault(node_id, []).append({**place, **mention.to_dict()})
    links = by_head(map(_link, document.edges))
    for node in document.nodes:
        id = _id(node.id)
        described = entity_to_json(id, node.name, node.label) if node.is_new else {"@id": id}
        kinds = [kind for kind in ("Entity", described.get("@type")) if kind]
        found = {"mentions": mentions.pop(node.id, []), **triples_to_json(links.get(id, ()))}
        yield {**described, "@type": kinds, **found}
    for edge in document.edges:
        evidence = [
            {"@id": _id(part(edge.id, str(number))), **item.to_dict()}
            for number, item in enumerate(edge.evidence, start=1)
        ]
        statement = relation_to_json(_link(edge), edge.score, evidence)
        yield {"@id": _id(edge.id), **statement, "document": source}


def _link(edge: Edge) -> Link:
    return _id(edge.head), _id(edge.tail), edge.label


def _id(id: str) -> str:
    return f"id:{id}"


def _line(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False)
