"""The RDF that entities and relations are written as, and JSON-LD of it.

An entity has its name, its label and its mentions; its label is its class as well. A relation is a triple
between two entities, and an `rdf:Statement` about that triple with its score and its evidence. Offsets count
characters. Labels may be anything: in IRIs they are percent-encoded, in literals they are as they are.
"""

from typing import Any, Dict, Iterable, List, Tuple
from urllib.parse import quote

VOCABULARY = "urn:hmtl-spacy:"
PREFIXES = {
    "hmtl": VOCABULARY,
    "id": f"{VOCABULARY}id:",
    "type": f"{VOCABULARY}type:",
    "relation": f"{VOCABULARY}relation:",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
REFERENCE, PAIR = {"@type": "@id"}, {"@container": "@list"}  # a pair keeps its order, and equal numbers
CONTEXT: Dict[str, Any] = {
    "@vocab": VOCABULARY,
    **PREFIXES,
    **{name: {"@id": f"rdf:{name}", **REFERENCE} for name in ("subject", "predicate", "object")},
    "document": REFERENCE,
    "head": PAIR,
    "tail": PAIR,
    "score": {"@type": "xsd:double"},
}
Link = Tuple[str, str, str]  # ids of head and tail, and the label


def type_iri(label: str) -> str:
    """The compact IRI of a class: "type:PER"."""
    return f"type:{quote(label, safe='')}"


def predicate_iri(label: str) -> str:
    """The compact IRI of a predicate: "relation:LIVES_IN", "hmtl:related" where there is no label."""
    return f"relation:{quote(label, safe='')}" if label else "hmtl:related"


def entity_to_json(id: str, name: str, label: str) -> Dict[str, Any]:
    kind = {"@type": type_iri(label), "label": label} if label else {}
    return {"@id": id, **kind, "name": name}


def triples_to_json(links: Iterable[Link]) -> Dict[str, List[Dict[str, str]]]:
    """The relations of which one entity is the head, by predicate."""
    triples: Dict[str, List[Dict[str, str]]] = {}
    for _, tail, label in links:
        triples.setdefault(predicate_iri(label), []).append({"@id": tail})
    return triples


def by_head(links: Iterable[Link]) -> Dict[str, List[Link]]:
    grouped: Dict[str, List[Link]] = {}
    for link in links:
        grouped.setdefault(link[0], []).append(link)
    return grouped


def relation_to_json(link: Link, score: float, evidence: List[Dict[str, Any]]) -> Dict[str, Any]:
    head, tail, label = link
    ends = {"subject": head, "predicate": predicate_iri(label), "object": tail}
    named = {"label": label} if label else {}
    return {"@type": "rdf:Statement", **ends, **named, "score": score, "evidence": evidence}
