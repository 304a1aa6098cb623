"""Which token heads a span: mentions may be heads where clusters have whole phrases."""

from bisect import bisect_left
from typing import Dict, Iterable, List, Optional, Tuple

from spacy.tokens import Doc, Span, Token

from ..annotations import has_entities
from .words import AFTER_HEAD, CONJUNCTIONS, NOUNS, POSSESSIVE_MARKS, POSSESSIVES, TAGS_AFTER_HEAD, is_english

Offsets = Tuple[int, int]


class Heads:
    """Finds the head token of spans of one document.

    That is the root of the span where there is a parse. Else it is the last token before whatever
    follows a noun (a preposition, a comma, a relative word): [the Chilean *company*] [of ...]. If that
    is in no mention, it is the first mention in the span that isn't in a smaller cluster span and has no
    possessive mark: [the *house* Ann bought]; a span that is a mention itself has no need of that. A
    coordination of mentions has no head.

    mentions: all mentions, as heads or in full, that count for the last two rules.
    clustered: all spans of all clusters.
    """

    def __init__(self, doc: Doc, mentions: Iterable[Span], clustered: Iterable[Span]):
        self.doc = doc
        self.parsed = doc.has_annotation("DEP")
        self.has_entities = has_entities(doc)
        self.mentions = sorted({(span.start, span.end) for span in mentions})
        self.whole = set(self.mentions)
        self.clustered = sorted({(span.start, span.end) for span in clustered})
        self._found: Dict[Offsets, Optional[int]] = {}

    def __call__(self, span: Span) -> Optional[int]:
        """The index of the head token in the document, or None for a coordination."""
        offsets = (span.start, span.end)
        if offsets not in self._found:
            self._found[offsets] = self._head(span)
        return self._found[offsets]

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
            if token.i > span.start and not self._in_name(token.i, span) and _follows_head(token, noun):
                break
            head = token.i
            noun = token.i if token.pos_ in NOUNS else noun
        if noun is not None:
            return noun
        while head > span.start and self.doc[head].lower_ in POSSESSIVE_MARKS:
            head -= 1
        return head

    def _is_coordination(self, span: Span, inside: List[Offsets]) -> bool:
        """Whether a conjunction stands between mentions, before anything but commas follows the first."""
        for token in span[1:]:
            if self._in_name(token.i, span):
                continue
            if token.lower_ in CONJUNCTIONS or token.pos_ == "CCONJ":
                before = any(end == token.i for _, end in inside)
                return before and any(start > token.i for start, _ in inside)
            if token.text != "," and _follows_head(token, token.i):
                return False
        return False

    def _in_name(self, index: int, span: Span) -> bool:
        """Whether a token continues a named entity, which nothing can interrupt."""
        return index > span.start and self.doc[index].ent_iob_ == "I"


def nested(one: Span, other: Span) -> bool:
    """Whether one of two spans is inside the other, or they are the same."""
    inside = one.start <= other.start and other.end <= one.end
    return inside or (other.start <= one.start and one.end <= other.end)


def _follows_head(token: Token, noun: Optional[int] = None) -> bool:
    """Whether the noun phrase is over but for what is hung on it; noun: the last noun before, if tagged."""
    if token.pos_:
        return token.pos_ in TAGS_AFTER_HEAD and noun is not None
    hyphen = token.text == "-" and not token.nbor(-1).whitespace_
    return is_english(token.doc) and token.lower_ in AFTER_HEAD and not hyphen


def _inside(offsets: List[Offsets], start: int, end: int) -> List[Offsets]:
    """Those that lie in a span and aren't the span; offsets are sorted."""
    found = []
    for i in range(bisect_left(offsets, (start, start)), len(offsets)):
        if offsets[i][0] >= end:
            break
        if offsets[i][1] <= end and offsets[i] != (start, end):
            found.append(offsets[i])
    return found
