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
    shown = [entity for entity in found.entities if entity.id in related or len(entity.mentions) > 1]
    nodes = [
        Node(entity, [_quote(text, sentences, [(one.start, one.end)]) for one in entity.mentions])
        for entity in shown
    ]
    edges = [
        Edge(relation, [_quote(text, sentences, [one.head, one.tail]) for one in relation.evidence])
        for relation in found.relations
    ]
    return Graph(nodes, edges, [entity for entity in found.entities if entity not in shown])


def _quote(text: str, sentences: Sequence[Offsets], spans: List[Offsets]) -> Quote:
    """The sentences around some spans, from the first to the last of these."""
    starts = [start for start, _ in sentences]
    first, last = (
        max(0, bisect_right(starts, offset) - 1)
        for offset in (min(start for start, _ in spans), max(end for _, end in spans) - 1)
    )
    start = min(sentences[first][0], *(start for start, _ in spans))
    end = max(sentences[last][1], *(end for _, end in spans))
    edges = sorted({start, end, *(edge for span in spans for edge in span)})
    return Quote(
        [
            (text[a:b], any(first <= a and b <= last for first, last in spans))
            for a, b in zip(edges, edges[1:])
        ]
    )
