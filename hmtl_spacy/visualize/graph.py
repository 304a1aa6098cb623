"""What a page shows of an entity graph: nodes, edges, and the sentences that are evidence of each."""

from bisect import bisect_right
from typing import List, NamedTuple, Sequence, Tuple

from ..entities import Entity, EntityGraph, EntityRelation

Offsets = Tuple[int, int]
Piece = Tuple[str, bool]  # a part of a text, and whether it is what the rest is quoted for


class Quote(NamedTuple):
    """A sentence, in pieces."""

    pieces: List[Piece]


class Node(NamedTuple):
    """An entity."""

    entity: Entity
    quotes: List[Quote]


class Edge(NamedTuple):
    """A relation between two entities."""

    relation: EntityRelation
    quotes: List[Quote]


class Graph(NamedTuple):
    """What is drawn, and the entities that are not: those mentioned once, without a relation."""

    nodes: List[Node]
    edges: List[Edge]
    others: List[Entity]


def graph_of(found: EntityGraph, text: str, sentences: Sequence[Offsets]) -> Graph:
    """An entity graph with quotes from its text."""
    related = {entity.id for relation in found.relations for entity in (relation.head, relation.tail)}
    drawn = related | {entity.id for entity in found.entities if len(entity.mentions) > 1}
    starts = [start for start, _ in sentences]

    def quote(*spans: Offsets) -> Quote:
        """The sentences around some spans, from the first to the last of these."""
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        begin = sentences[max(0, bisect_right(starts, first) - 1)][0]
        end = sentences[max(0, bisect_right(starts, last - 1) - 1)][1]
        return _cut(text, min(begin, first), max(end, last), spans)

    nodes = [
        Node(entity, [quote((one.start, one.end)) for one in entity.mentions])
        for entity in found.entities
        if entity.id in drawn
    ]
    edges = [
        Edge(relation, [quote(one.head, one.tail) for one in relation.evidence])
        for relation in found.relations
    ]
    return Graph(nodes, edges, [entity for entity in found.entities if entity.id not in drawn])


def _cut(text: str, start: int, end: int, spans: Sequence[Offsets]) -> Quote:
    """A part of a text in pieces, those of the spans marked."""
    edges = sorted({start, end, *(edge for span in spans for edge in span)})
    return Quote(
        [
            (text[a:b], any(first <= a and b <= last for first, last in spans))
            for a, b in zip(edges, edges[1:])
        ]
    )
