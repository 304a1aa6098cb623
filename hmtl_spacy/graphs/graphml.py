"""GraphML, a document at a time: entities and documents are nodes, relations and "mentioned in" are edges.

Nodes and edges take turns, which GraphML allows.
"""

import json
from collections import Counter
from typing import IO, Any, Iterable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from ..entities.graph import NOT_IN_XML
from .documents import DocumentGraph, Node
from .identity import part

EDGE = ("kind", "label", "score", "document", "evidence")
KEYS = {
    "node": {"kind": "string", "name": "string", "label": "string"},
    "edge": {name: "double" if name == "score" else "string" for name in EDGE},
}
ENDS = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}  # which a parser would change in attributes, or anywhere
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
MENTIONED = "mentioned in"


def write_graphml(
    files: Sequence[IO[str]], documents: Iterable[DocumentGraph], changed: "Counter[str]"
) -> None:
    """Write the graph as GraphML, a document at a time.

    The `evidence` of an edge is JSON: of a relation as in JSON-LD, of an entity in a document its mentions.

    changed: characters that XML can't hold, which become U+FFFD, are counted here.
    """
    [out] = files
    out.write(HEAD)
    for kind, keys in KEYS.items():
        for name, type in keys.items():
            out.write(f'<key id="{kind}-{name}" for="{kind}" attr.name="{name}" attr.type="{type}"/>\n')
    out.write('<graph edgedefault="directed">\n')
    for document in documents:
        out.writelines(_document(document, changed))
    out.write("</graph>\n</graphml>\n")


def _document(document: DocumentGraph, changed: "Counter[str]") -> Iterator[str]:
    def element(_tag: str, attributes: str, **values: Any) -> str:
        data = "".join(
            f'<data key="{_tag}-{name}">{_text(str(value), changed)}</data>' for name, value in values.items()
        )
        return f"<{_tag} {attributes}>{data}</{_tag}>\n"

    yield element("node", f"id={quoteattr(document.id)}", kind="document", name=document.name)
    for node in document.nodes:
        if node.is_new:
            label = {"label": node.label} if node.label else {}
            yield element("node", f"id={quoteattr(node.id)}", kind="entity", name=node.name, **label)
    for number, node in enumerate(document.nodes, start=1):
        place = _ends(part(document.id, f"d{number}"), node.id, document.id)
        evidence = _mentions(node)
        yield element("edge", place, kind=MENTIONED, document=document.name, evidence=evidence)
    for edge in document.edges:
        values = {"label": edge.label, "score": edge.score, "document": document.name}
        evidence = _json([item.to_dict() for item in edge.evidence])
        place = _ends(edge.id, edge.head, edge.tail)
        yield element("edge", place, kind="relation", **values, evidence=evidence)


def _ends(id: str, source: str, target: str) -> str:
    return f"id={quoteattr(id)} source={quoteattr(source)} target={quoteattr(target)}"


def _mentions(node: Node) -> str:
    return _json([mention.to_dict() for mention in node.mentions])


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)


def _text(text: str, changed: "Counter[str]") -> str:
    kept, n = NOT_IN_XML.subn("\ufffd", text)
    changed["characters that XML can't hold, written as U+FFFD"] += n
    return escape(kept, ENDS)
