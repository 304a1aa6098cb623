"""What a document states about its entities, to compare with what another annotation of it states."""

from typing import Dict, Iterator, List, Set, Tuple

from spacy.tokens import Doc, Span

from ..annotations import get_relations, keys_of_doc
from .building import Key, key_of, spans_by_entity
from .membership import Membership
from .mention_forms import MentionForm, form_of

Fact = Tuple[Key, Key, str]  # head entity, tail entity, label


class Facts:
    """The entities of a document, as `entity_graph` makes them, and the relations between them.

    spans: the spans of each entity. stated: each relation between two entities once.
    """

    def __init__(self, doc: Doc):
        keys = keys_of_doc(doc)
        self._members = Membership(doc, keys)
        self.relations = get_relations(doc, keys.relations) or []
        arguments = [span for relation in self.relations for span in relation[:2]]
        self.spans: Dict[Key, List[Span]] = spans_by_entity(self._members, arguments)
        self.stated: Set[Fact] = {
            (self.entity(head), self.entity(tail), label) for head, tail, label, _ in self.relations
        }

    def entity(self, span: Span) -> Key:
        """The entity that a span of the document belongs to; one of its own if it is in none."""
        return key_of(span, self._members)

    def names(self, entity: Key) -> Set[str]:
        """What an entity is called: the texts of its mentions but for pronouns, which call all alike."""
        heads = self._members.heads
        return {span.text for span in self.spans[entity] if form_of(span, heads) != MentionForm.PRONOUN}

    def named(self, fact: Fact) -> Iterator[Tuple[str, str, str]]:
        """A fact with each name of its head and each of its tail."""
        head, tail, label = fact
        yield from ((a, b, label) for a in self.names(head) for b in self.names(tail))
