"""A corpus as a graph, document by document: what every format writes."""

from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc

from ..entities import Entity, EntityGraph, EntityMention, Evidence, entity_graph
from .identity import MERGE_RULES, Distinct, part, quoted


class Node(NamedTuple):
    """An entity, of one document or merged from several.

    id: unique in the corpus.
    is_new: whether no earlier document has it.
    mentions: those in this document, in its order.
    """

    id: str
    name: str
    label: str
    is_new: bool
    mentions: Tuple[EntityMention, ...]


class Edge(NamedTuple):
    """A relation that a document states between two entities.

    id: unique in the corpus. head, tail: ids of nodes.
    score: the highest of its evidence.
    """

    id: str
    head: str
    tail: str
    label: str
    score: float
    evidence: Tuple[Evidence, ...]


class DocumentGraph(NamedTuple):
    """What a document adds to the graph.

    id: unique in the corpus: the name quoted as in an IRI, and ";2" for the second document of a name.
    name: what the document is called, its number in the corpus if it has no name.
    """

    id: str
    name: str
    text: str
    nodes: List[Node]
    edges: List[Edge]

    def mentions(self) -> Iterator[Tuple[str, str, EntityMention]]:
        """Each mention: its id, the id of its node, itself."""
        found = [(node.id, mention) for node in self.nodes for mention in node.mentions]
        for number, (node_id, mention) in enumerate(found, start=1):
            yield part(self.id, f"m{number}"), node_id, mention


def document_graphs(docs: Iterable[Doc], merge: Optional[str] = None) -> Iterator[DocumentGraph]:
    """The graphs of the documents of a corpus, in turn: none is kept.

    merge: which entities of different documents are one, a key of `MERGE_RULES`; by default none are. Only
        entities with a name are merged, never those of pronouns and nominals alone.
    """
    if merge is not None and merge not in MERGE_RULES:
        raise ValueError(f"Can't merge by {merge!r}: expected one of {', '.join(MERGE_RULES)}, or none.")
    documents, merged = Distinct(), Distinct()
    for number, doc in enumerate(docs, start=1):
        name = str(doc.user_data.get("id", "")) or str(number)
        id = _unique(quoted(name), documents)
        graph = entity_graph(doc)
        ids = {entity.id: _node_id(id, entity, merge) for entity in graph.entities}
        nodes = _nodes(graph, ids, merged)
        edges = [
            Edge(part(id, f"r{i}"), ids[row.head.id], ids[row.tail.id], row.label, row.score, row.evidence)
            for i, row in enumerate(graph.relations, start=1)
        ]
        yield DocumentGraph(id, name, doc.text, nodes, edges)


def _unique(id: str, documents: Distinct) -> str:
    """The id for the first document that has it, else with the number of the document among those of its
    name; a quoted name has no ";".
    """
    count = documents.count(id)
    return id if count == 1 else f"{id};{count}"


def _node_id(document: str, entity: Entity, merge: Optional[str]) -> str:
    merged = MERGE_RULES[merge](entity) if merge else None
    return part(document, entity.id) if merged is None else merged


def _nodes(graph: EntityGraph, ids: Dict[str, str], merged: Distinct) -> List[Node]:
    """Entities of one document may be merged too, if they are equal to the rule."""
    nodes: Dict[str, Node] = {}
    for entity in graph.entities:
        id = ids[entity.id]
        known = nodes.get(id) or Node(id, entity.name, entity.label, _is_new(id, merged), ())
        mentions = sorted(
            (*known.mentions, *entity.mentions), key=lambda mention: (mention.start, mention.end)
        )
        nodes[id] = known._replace(mentions=tuple(mentions))
    return list(nodes.values())


def _is_new(id: str, merged: Distinct) -> bool:
    """Only the ids of merged nodes need counting: those of others begin with their document's."""
    return "/" in id or merged.count(id) == 1
