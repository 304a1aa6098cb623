"""A single item that was found, missed or wrongly predicted, and what its document says about it."""

from dataclasses import dataclass, field
from typing import List, Optional, Tuple

from spacy.tokens import Doc, Span

from ...annotations import Keys
from ...entities.membership import Membership
from ...entities.mention_forms import form_of
from ...tasks.differences import Item

WINDOW = 15  # tokens to either side where there are no sentences


@dataclass
class Case:
    """An item with its document.

    kind: "correct", "missed" or "spurious".
    label: its type; name, nominal or pronoun for mentions in clusters, and the later one's for links.
    length: tokens of a span, or from last token to last token of a relation or link.
    others: what the other annotation has in its place that is wrong too.
    """

    kind: str
    item: Item
    label: str
    length: int
    source: "Source"
    others: List["Case"] = field(default_factory=list, compare=False, repr=False)

    @property
    def instead(self) -> List[str]:
        """The others, as words and types."""
        return [other.source.describe(other.item) for other in self.others]


class Source:
    """The document that an item is from, gold or predicted.

    keys: its span groups; found out from it if not given.
    """

    def __init__(self, doc: Doc, title: str, keys: Optional[Keys] = None):
        self.doc = doc
        self.title = title
        self.keys = keys
        self._members: Optional[Membership] = None

    def case(self, kind: str, item: Item) -> Case:
        spans = self.spans(item)
        length = len(spans[0]) if len(spans) == 1 else abs(spans[0].end - spans[1].end)
        return Case(kind, item, item.label or self._form(spans[-1]), length, self)

    def spans(self, item: Item) -> List[Span]:
        """The tokens of an item, whole where its offsets cut them."""
        spans = (self.doc.char_span(start, end, alignment_mode="expand") for start, end in item.spans)
        return [span for span in spans if span is not None]  # none is: they are widened to tokens

    def describe(self, item: Item) -> str:
        """In words: "Acme Corp ORG", "Ann WORK → Acme", "Ann (PER) WORK → Acme (ORG)"."""
        words = [span.text for span in self.spans(item)]
        words = [f"{word} ({type})" for word, type in zip(words, item.types)] or words
        if len(words) == 1:
            return f"{words[0]} {item.label}".strip()
        return f"{words[0]} {item.label} → {words[1]}".replace("  ", " ")

    def contexts(self, item: Item) -> List[Tuple[int, int]]:
        """Character offsets of the sentences that the item is in, one after the other."""
        contexts = sorted(self._context(span) for span in self.spans(item))
        joined = [contexts[0]]
        for start, end in contexts[1:]:
            if start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return [
            (self.doc[start].idx, self.doc[end - 1].idx + len(self.doc[end - 1])) for start, end in joined
        ]

    def _context(self, span: Span) -> Tuple[int, int]:
        if not self.doc.has_annotation("SENT_START"):
            return max(0, span.start - WINDOW), min(len(self.doc), span.end + WINDOW)
        return span[0].sent.start, span[-1].sent.end

    def _form(self, span: Span) -> str:
        if self._members is None:
            self._members = Membership(self.doc, self.keys)
        return form_of(span, self._members.heads).name.lower()
