"""Which token heads a span: mentions may be heads where clusters have whole phrases."""

from bisect import bisect_left
from typing import Dict, Iterable, List, Optional

from spacy.tokens import Doc, Span

from .coordinations import Offsets, in_name, joins_mentions, looks_joined
from .words import NOUNS, POSSESSIVE_MARKS, POSSESSIVES, follows_head


class Heads:
    """Finds the head token of spans of one document.

    That is the root of the span where there is a parse. Else it is the last token before whatever
    follows a noun (a preposition, a comma, a relative word): [the Chilean *company*] [of ...]. If that
    is in no mention, it is the first mention in the span that isn't in a smaller cluster span and has no
    possessive mark: [the *house* Ann bought]; a span that is a mention itself has no need of that. A
    coordination has no head: one of mentions, or what looks like one and isn't a mention by itself.

    mentions: all mentions, as heads or in full, that count for the last two rules; None if they aren't
        annotated, then named entities count for the last one.
    clustered: all spans of all clusters.
    """

    def __init__(self, doc: Doc, mentions: Optional[Iterable[Span]], clustered: Iterable[Span]):
        self.doc = doc
        self.parsed = doc.has_annotation("DEP")
        self.mentions = _offsets(mentions or ())
        self.whole = set(self.mentions)
        self.names = _offsets(doc.ents) if mentions is None else []
        self.clustered = _offsets(clustered)
        self._known: Dict[Offsets, Optional[int]] = {}

    def __call__(self, span: Span) -> Optional[int]:
        """The index of the head token in the document, or None for a coordination."""
        offsets = (span.start, span.end)
        if offsets not in self._known:
            self._known[offsets] = self._head(span)
        return self._known[offsets]

    def _head(self, span: Span) -> Optional[int]:
        inside = _inside(self.mentions, span.start, span.end)
        if self._is_coordination(span, inside):
            return None
        head = span.root.i if self.parsed else self._last_before_modifiers(span)
        if (span.start, span.end) in self.whole or any(start <= head < end for start, end in inside):
            return head
        smaller = _inside(self.clustered, span.start, span.end)
        for start, end in inside:
            owned = any(first <= start and end <= last for first, last in smaller)
            if not owned and not self._is_possessor(start, end):
                return self(self.doc[start:end])
        return head

    def _is_possessor(self, start: int, end: int) -> bool:
        marked = end < len(self.doc) and self.doc[end].lower_ in POSSESSIVE_MARKS
        return marked or (end - start == 1 and self.doc[start].lower_ in POSSESSIVES)

    def _last_before_modifiers(self, span: Span) -> int:
        head, noun = span.start, None
        for token in span:
            if token.i > span.start and not in_name(token, span) and follows_head(token, noun):
                break
            head = token.i
            noun = token.i if token.pos_ in NOUNS else noun
        if noun is not None:
            return noun
        while head > span.start and self.doc[head].lower_ in POSSESSIVE_MARKS:
            head -= 1
        return head

    def _is_coordination(self, span: Span, inside: List[Offsets]) -> bool:
        if joins_mentions(span, inside or _inside(self.names, span.start, span.end)):
            return True
        is_one = not inside and (span.start, span.end) in self.whole
        return not is_one and looks_joined(span)


def nested(one: Span, other: Span) -> bool:
    """Whether one of two spans is inside the other, or they are the same."""
    inside = one.start <= other.start and other.end <= one.end
    return inside or (other.start <= one.start and one.end <= other.end)


def _offsets(spans: Iterable[Span]) -> List[Offsets]:
    return sorted({(span.start, span.end) for span in spans})


def _inside(offsets: List[Offsets], start: int, end: int) -> List[Offsets]:
    """Those that lie in a span and aren't the span; offsets are sorted."""
    inside: List[Offsets] = []
    for i in range(bisect_left(offsets, (start, start)), len(offsets)):
        if offsets[i][0] >= end:
            break
        if offsets[i][1] <= end and offsets[i] != (start, end):
            inside.append(offsets[i])
    return inside
