"""From the brackets of a document to spans of its tokens: named entities and mentions."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..clusters import Offsets
from ..common import ConversionError
from .heads import default_head
from .lines import Sentence
from .markup import Bracket


class Mention(NamedTuple):
    """A mention. entity: its id, or "#" and a number for an entity without one."""

    entity: str
    type: str
    extent: Span
    head: Span
    sentence: int


class Placed(NamedTuple):
    """A bracket and its tokens. sentence: its number."""

    bracket: Bracket
    span: Span
    sentence: int


class Spans:
    """Finds the tokens of a document's brackets and checks what they say.

    doc: the tokens of all sentences.
    sentences: the sentences.
    offsets: where each begins in the text of the document.
    source: the name of the file, for messages.
    """

    def __init__(self, doc: Doc, sentences: Sequence[Sentence], offsets: Sequence[int], source: str):
        self.doc = doc
        self.sentences = sentences
        self.offsets = offsets
        self.source = source
        self.placed = [
            Placed(bracket, self._span(bracket.start, bracket.end, number), number)
            for number, sentence in enumerate(sentences)
            for bracket in sentence.brackets
        ]

    def entities(self) -> List[Span]:
        """The named entities; one in another is refused."""
        entities: List[Span] = []
        for bracket, span, number in self.placed:
            if not bracket.label:
                continue
            if entities and span.start < entities[-1].end:
                inside = f"the named entity {span.text!r} is inside another, {entities[-1].text!r}"
                raise self._error(number, f"{inside}. Only mentions nest.")
            entities.append(Span(self.doc, span.start, span.end, bracket.label))
        return entities

    def mentions(self) -> List[Mention]:
        """The mentions, in the order in which they open; two with one extent or head are refused."""
        types = self._types()
        mentions: List[Mention] = []
        seen: Dict[Tuple[str, Offsets], str] = {}
        for placed in self.placed:
            bracket, extent, number = placed
            if bracket.entity is None:
                continue
            type = types.get(bracket.entity, bracket.type)
            head = self._head(placed, type)
            for kind, span in (("extent", extent), ("head", head)):
                key = (kind, (span.start, span.end))
                if key in seen:
                    same = f"two mentions have the {kind} {span.text!r}: {seen[key]!r} and {extent.text!r}"
                    raise self._error(number, f"{same}. Leave one.")
                seen[key] = extent.text
            mentions.append(Mention(bracket.entity or f"#{len(mentions)}", type, extent, head, number))
        return mentions

    def _types(self) -> Dict[str, str]:
        """The type of every entity that has an id."""
        types: Dict[str, str] = {}
        first: Dict[str, int] = {}
        for bracket, _, number in self.placed:
            entity = bracket.entity
            if entity:
                first.setdefault(entity, number)
                if bracket.type and types.setdefault(entity, bracket.type) != bracket.type:
                    found = f"the entity {entity!r} has two types, {types[entity]} and {bracket.type}"
                    raise self._error(number, f"{found}. Correct one, or make it two entities.")
        for entity, number in first.items():
            if entity not in types:
                found = f"the entity {entity!r} never gets a type"
                raise self._error(number, f"{found}. Write ({entity}:TYPE) at its first mention.")
        return types

    def _head(self, placed: Placed, type: str) -> Span:
        bracket, extent, number = placed
        if bracket.head:
            return self._span(*bracket.head, number)
        inner = [(nested, self._span(nested.start, nested.end, number)) for nested in bracket.inner]
        head = default_head(self.doc, extent, bracket, type, inner)
        if head is None:
            found = f"the head of [{extent.text}] isn't clear"
            raise self._error(number, f"{found}. Put asterisks around it, as in [the *mayor* she knew].")
        return head

    def _span(self, start: int, end: int, number: int) -> Span:
        """The tokens between two characters of a sentence."""
        offset = self.offsets[number]
        span = self.doc.char_span(offset + start, offset + end)
        if span is None:
            text = self.sentences[number].text[start:end]
            around = self.doc.char_span(offset + start, offset + end, alignment_mode="expand")
            tokens = " ".join(repr(token.text) for token in around or ())
            found = f"{text!r} isn't whole tokens, which are {tokens or 'none'}"
            raise self._error(number, f"{found}. Move the bracket or asterisk.")
        return span

    def _error(self, number: int, message: str) -> ConversionError:
        return ConversionError(self.source, self.sentences[number].line, message)
