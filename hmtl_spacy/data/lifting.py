"""Relations between entities, learned from every sentence that has a mention of each."""

from typing import Dict, List, Tuple

from spacy.tokens import Doc, Span

from ..annotations import (
    Keys,
    Relation,
    get_mentions,
    get_relations,
    has_entities,
    keys_of_doc,
    set_relations,
)
from ..entities.membership import Membership
from .converters.nearest import mention_pairs, sentence_numbers

LIFTED = "lifted"  # in the attrs of the group of relations: how many were added
Place = Tuple[int, int]


def lift_relations(doc: Doc) -> None:
    """Write each relation between all mentions of its two entities that are in one sentence, once.

    An entity is the cluster that the argument belongs to, by a span of its own or as the head of one, else
    the argument alone. Where a cluster has a phrase and the mention in it is typed, that mention is related.
    A relation whose entities share no sentence stays as it is. Sentences are the document's, by punctuation
    where it has none.
    """
    keys = keys_of_doc(doc)
    relations = get_relations(doc, keys.relations)
    if relations is None or LIFTED in doc.spans[keys.relations].attrs:
        return
    sentences = sentence_numbers(doc)
    entities = _Entities(doc, keys)
    spans = [*(doc.ents if has_entities(doc) else ()), *(get_mentions(doc, keys.mentions) or ())]
    labels = {_place(span): span.label_ for span in spans}
    found = {(_place(row.head), _place(row.tail), row.label): row for row in relations}
    lifted: Dict[Tuple[Place, Place, str], Relation] = {}
    for key, relation in found.items():
        head, tail, label = key
        heads, tails = (entities.mentions(place) for place in (head, tail))
        pairs = mention_pairs(heads, tails, sentences, pairs="sentence")
        if not _share_a_sentence(pairs[0], sentences):
            pairs = [(head, tail)]
        for a, b in pairs:
            first, second = (Span(doc, *place, labels.get(place, "")) for place in (a, b))
            new = found.get((a, b, label)) or Relation(first, second, label, relation.score)
            lifted.setdefault((a, b, label), new)
    attrs = dict(doc.spans[keys.relations].attrs)
    set_relations(doc, lifted.values(), keys.relations)
    written = doc.spans[keys.relations].attrs
    written.update({name: value for name, value in attrs.items() if name not in written})
    written[LIFTED] = len(lifted.keys() - found.keys())


def count_lifted(doc: Doc, key: str) -> int:
    """How many relations were added to a group."""
    return int(doc.spans[key].attrs.get(LIFTED, 0)) if key in doc.spans else 0


class _Entities:
    """The clusters of a document, with the typed mentions that stand for their phrases."""

    def __init__(self, doc: Doc, keys: Keys):
        self.doc = doc
        self._members = Membership(doc, keys)
        self._typed = {_place(span): self._members.number(span) for span in self._members.typed()}

    def mentions(self, place: Place) -> List[Place]:
        """Where the entity is mentioned that an argument belongs to, the argument itself included."""
        number = self._members.number(self.doc[slice(*place)])
        if number is None:
            return [place]
        spans = map(_place, self._members.clusters[number])
        found = dict.fromkeys([place])
        found.update((one, None) for span in spans for one in self._related(span, number))
        return list(found)

    def _related(self, span: Place, number: int) -> List[Place]:
        if span in self._typed:
            return [span]
        inside = [one for one in self._typed if span[0] <= one[0] and one[1] <= span[1]]
        return [one for one in inside if self._typed[one] == number] or [span]


def _share_a_sentence(pair: Tuple[Place, Place], sentences: List[int]) -> bool:
    return len({sentences[i] for start, end in pair for i in (start, end - 1)}) == 1


def _place(span: Span) -> Place:
    return span.start, span.end
