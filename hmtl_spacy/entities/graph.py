"""Entities and the relations between them: what a document says, by entity instead of by mention."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .json_ld import CONTEXT, Link, by_head, entity_to_json, relation_to_json, triples_to_json

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class EntityMention:
    """A mention of an entity; offsets count characters.

    form: "name", "nominal" or "pronoun".
    score: the confidence in the mention, None if unknown.
    """

    start: int
    end: int
    text: str
    label: str
    form: str
    score: Optional[float] = None

    def to_dict(self) -> Dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value not in ("", None)}


@dataclass(frozen=True)
class Entity:
    """A node.

    name: that of its main mention.
    label: the one that most of its mentions have; "" if none has any.
    """

    id: str
    name: str
    label: str
    mentions: Tuple[EntityMention, ...] = field(repr=False)


@dataclass(frozen=True)
class Evidence:
    """A relation as the text has it: character offsets of both arguments, and its score."""

    head: Tuple[int, int]
    tail: Tuple[int, int]
    score: float

    def to_dict(self) -> Dict[str, Any]:
        return {"head": list(self.head), "tail": list(self.tail), "score": self.score}


@dataclass(frozen=True)
class EntityRelation:
    """A directed edge.

    score: the highest of its evidence.
    """

    head: Entity
    tail: Entity
    label: str
    score: float
    evidence: Tuple[Evidence, ...] = field(repr=False)


@dataclass(frozen=True)
class EntityGraph:
    """The entities of a document, by first mention, and one relation per head, tail and label."""

    entities: Tuple[Entity, ...] = ()
    relations: Tuple[EntityRelation, ...] = ()

    def to_dict(self) -> Dict[str, Any]:
        """Plain data that is valid JSON-LD: entities are blank nodes. Each relation is there twice: as a
        triple, under its head, and as a statement about it.
        """
        links = by_head(map(_link, self.relations))
        return {
            "@context": CONTEXT,
            "entities": [_entity_to_dict(entity, links) for entity in self.entities],
            "relations": [_relation_to_dict(relation) for relation in self.relations],
        }

    def to_json(self, indent: int = 2) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def to_networkx(self) -> Any:
        """A `networkx.MultiDiGraph`: nodes by entity id, edges by label; attributes as in `to_dict`."""
        graph = _networkx("to_networkx").MultiDiGraph()
        for entity in self.entities:
            mentions = [mention.to_dict() for mention in entity.mentions]
            graph.add_node(entity.id, name=entity.name, label=entity.label, mentions=mentions)
        for relation in self.relations:
            evidence = [item.to_dict() for item in relation.evidence]
            values = {"label": relation.label, "score": relation.score, "evidence": evidence}
            graph.add_edge(relation.head.id, relation.tail.id, key=relation.label, **values)
        return graph

    def to_graphml(self) -> str:
        """GraphML, with lists as JSON; characters that XML can't hold become U+FFFD."""
        networkx = _networkx("to_graphml")
        graph = networkx.MultiDiGraph()
        for id, values in self.to_networkx().nodes(data=True):
            graph.add_node(id, **_flat(values))
        for number, (head, tail, values) in enumerate(self.to_networkx().edges(data=True), start=1):
            graph.add_edge(head, tail, key=f"r{number}", **_flat(values))
        return "\n".join(networkx.generate_graphml(graph))


def _entity_to_dict(entity: Entity, links: Mapping[str, List[Link]]) -> Dict[str, Any]:
    id = f"_:{entity.id}"
    mentions = [mention.to_dict() for mention in entity.mentions]
    described = entity_to_json(id, entity.name, entity.label)
    return {**described, "mentions": mentions, **triples_to_json(links.get(id, ()))}


def _link(relation: EntityRelation) -> Link:
    return f"_:{relation.head.id}", f"_:{relation.tail.id}", relation.label


def _relation_to_dict(relation: EntityRelation) -> Dict[str, Any]:
    evidence = [item.to_dict() for item in relation.evidence]
    return relation_to_json(_link(relation), relation.score, evidence)


def _flat(values: Dict[str, Any]) -> Dict[str, Any]:
    lists = {
        key: json.dumps(value, ensure_ascii=False) for key, value in values.items() if isinstance(value, list)
    }
    flat = {**values, **lists}
    return {
        key: NOT_IN_XML.sub("\ufffd", value) if isinstance(value, str) else value
        for key, value in flat.items()
    }


def _networkx(method: str) -> Any:
    try:
        import networkx
    except ImportError as error:
        raise ImportError(
            f"EntityGraph.{method} needs networkx, which can't be imported ({error}). "
            f"Install it with: pip install 'hmtl-spacy[graph]'"
        ) from error
    return networkx
