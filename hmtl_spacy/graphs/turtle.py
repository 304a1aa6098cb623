"""Turtle, a triple or a subject at a time: prefixes once, then document by document.

rdflib writes a whole graph, which it holds in memory; this holds one document. A string of JSON is one of
Turtle too, which has all its escapes (RDF 1.1 Turtle, section 6.4), and IRIs are percent-encoded already.
"""

import json
from collections import Counter
from typing import IO, Iterable, Iterator, Optional, Sequence, Tuple

from ..entities.json_ld import PREFIXES, predicate_iri, type_iri
from .documents import DocumentGraph, Edge
from .identity import part

Properties = Iterable[Tuple[str, Optional[str]]]  # predicate and object, None to leave it out


def write_turtle(
    files: Sequence[IO[str]], documents: Iterable[DocumentGraph], changed: "Counter[str]"
) -> None:
    """Write the graph as Turtle, a document at a time; nothing is changed."""
    [out] = files
    out.writelines(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    for document in documents:
        out.writelines(_lines(document))


def _lines(document: DocumentGraph) -> Iterator[str]:
    source = _id(document.id)
    yield _subject(source, [("a", "hmtl:Document"), ("hmtl:name", _text(document.name))])
    for node in document.nodes:
        if node.is_new:
            yield _subject(_id(node.id), _entity(node.name, node.label))
    for id, node_id, mention in document.mentions():
        yield f"{_id(node_id)} hmtl:mentions {_id(id)} .\n"
        properties = [
            ("a", "hmtl:Mention"),
            ("hmtl:document", source),
            ("hmtl:start", str(mention.start)),
            ("hmtl:end", str(mention.end)),
            ("hmtl:text", _text(mention.text)),
            ("hmtl:label", _text(mention.label) if mention.label else None),
            ("hmtl:form", _text(mention.form)),
            ("hmtl:score", None if mention.score is None else _double(mention.score)),
        ]
        yield _subject(_id(id), properties)
    for edge in document.edges:
        yield from _relation(edge, source)


def _entity(name: str, label: str) -> Properties:
    yield "a", "hmtl:Entity"
    yield "a", _iri(type_iri(label)) if label else None
    yield "hmtl:name", _text(name)
    yield "hmtl:label", _text(label) if label else None


def _relation(edge: Edge, source: str) -> Iterator[str]:
    head, predicate, tail = _id(edge.head), _iri(predicate_iri(edge.label)), _id(edge.tail)
    yield f"{head} {predicate} {tail} .\n"
    ids = [part(edge.id, str(number)) for number, _ in enumerate(edge.evidence, start=1)]
    properties = [
        ("a", "rdf:Statement"),
        ("rdf:subject", head),
        ("rdf:predicate", predicate),
        ("rdf:object", tail),
        ("hmtl:label", _text(edge.label) if edge.label else None),
        ("hmtl:score", _double(edge.score)),
        ("hmtl:document", source),
        ("hmtl:evidence", ", ".join(map(_id, ids))),
    ]
    yield _subject(_id(edge.id), properties)
    for id, item in zip(ids, edge.evidence, strict=True):
        offsets = [(f"hmtl:{end}", "({} {})".format(*getattr(item, end))) for end in ("head", "tail")]
        yield _subject(_id(id), [*offsets, ("hmtl:score", _double(item.score))])


def _subject(iri: str, properties: Properties) -> str:
    pairs = " ; ".join(f"{predicate} {value}" for predicate, value in properties if value is not None)
    return f"{iri} {pairs} .\n"


def _id(id: str) -> str:
    return f"<{PREFIXES['id']}{id}>"


def _iri(compact: str) -> str:
    """Written out: what is percent-encoded, or begins with a digit, isn't always a local name."""
    prefix, _, name = compact.partition(":")
    return f"<{PREFIXES[prefix]}{name}>"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _double(value: float) -> str:
    return f'"{value!r}"^^xsd:double'
