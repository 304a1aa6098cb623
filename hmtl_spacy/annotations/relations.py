"""Relations: a group of heads and tails in turn."""

from typing import Iterable, List, NamedTuple, Optional

from spacy.tokens import Doc, Span

from .keys import RELATIONS, write_layer
from .spans import spans_of


class Relation(NamedTuple):
    """A directed relation between two spans of one document."""

    head: Span
    tail: Span
    label: str
    score: float = 1.0


def set_relations(doc: Doc, relations: Iterable[Relation], key: str = RELATIONS) -> None:
    """Store relations as one span group: head and tail in turn, both with the relation's label, and their own
    as `kb_id_`; scores in its attrs.
    """
    relations = list(relations)
    spans = [
        Span(doc, span.start, span.end, label=relation.label, kb_id=span.label)
        for relation in relations
        for span in (relation.head, relation.tail)
    ]
    write_layer(doc, "relations", key, spans, scores=[float(relation.score) for relation in relations])


def get_relations(doc: Doc, key: str = RELATIONS) -> Optional[List[Relation]]:
    """The relations of a document, or None if it isn't annotated with them."""
    if key not in doc.spans:
        return None
    spans = spans_of(doc, key, scored=2)
    pairs = list(zip(spans[::2], spans[1::2]))
    if len(spans) % 2 or any(head.label != tail.label for head, tail in pairs):
        raise ValueError(
            f"doc.spans['{key}'] holds {len(spans)} spans that aren't relations: a head and a tail in turn, "
            f"both with the relation's label. Write relations with hmtl_spacy.annotations.set_relations."
        )
    scores = doc.spans[key].attrs.get("scores") or [1.0] * len(pairs)
    return [
        Relation(_as_argument(head), _as_argument(tail), head.label_, score)
        for (head, tail), score in zip(pairs, scores)
    ]


def _as_argument(span: Span) -> Span:
    """A head or tail with its own label instead of the relation's."""
    return Span(span.doc, span.start, span.end, label=span.kb_id)
