"""One line of the inline format: `[the *mayor* of [Lyon](lyon:GPE GPE)](ruiz:PER)`."""

import re
from dataclasses import dataclass, field
from typing import Callable, List, Optional, Tuple

from ..clusters import Offsets
from ..common import ConversionError
from ..records import shorten
from .ace import ENTITY_LABELS, MENTION_TYPES

ANNOTATION = re.compile(
    r"(?P<entity>[a-z][a-z0-9_-]*)?(?P<type>:[^ ]*)?(?:(?:^|(?<=\S) )(?P<label>[A-Z][^ ]*))?"
)
ESCAPED = "[]*\\#>"


MakeError = Callable[[str], ConversionError]


@dataclass
class Bracket:
    """A span of a sentence. entity: its id, "" for one without a name, None if it's no mention.

    start, end, head: offsets in the characters of the sentence, without the markup.
    """

    start: int
    end: int = -1
    entity: Optional[str] = None
    type: str = ""
    label: str = ""  # of the named entity, "" for none
    head: Optional[Offsets] = None
    inner: List["Bracket"] = field(default_factory=list)


def parse_line(line: str, source: str, number: int) -> Tuple[str, List[Bracket]]:
    """Separate a sentence and its annotation.

    line: the sentence with its markup.
    source: the name of the file, for messages.
    number: the number of the line.
    RETURNS: the sentence, and its brackets in the order in which they open.
    """

    def error(message: str) -> ConversionError:
        return ConversionError(source, number, message)

    chars: List[str] = []
    brackets: List[Bracket] = []
    opened: List[Bracket] = []
    i = 0
    while i < len(line):
        char = line[i]
        i += 1
        if char == "\\":
            if line[i : i + 1] not in tuple(ESCAPED):
                raise error(f"found {line[i - 1 : i + 1]!r}; a backslash escapes one of {' '.join(ESCAPED)}.")
            chars.append(line[i])
            i += 1
        elif char == "[":
            bracket = Bracket(len(chars))
            if opened:
                opened[-1].inner.append(bracket)
            opened.append(bracket)
            brackets.append(bracket)
        elif char == "*":
            if not opened:
                raise error("found a head (*) outside of its mention. Put it in the brackets, or write \\*.")
            _mark_head(opened[-1], len(chars), error)
        elif char == "]":
            if not opened:
                raise error("found ']' without '['. Open the bracket, or write \\] for the character.")
            bracket = opened.pop()
            bracket.end = len(chars)
            text = "".join(chars[bracket.start :])
            if bracket.head and bracket.head[1] < 0:
                raise error(f"a head (*) opens in [{text}] and doesn't close there; it can't cross brackets.")
            close = line.find(")", i)
            if line[i : i + 1] != "(" or close < 0:
                raise error(f"[{text}] has no annotation. Write [{text}](entity:TYPE LABEL).")
            _annotate(bracket, line[i + 1 : close], text, error)
            i = close + 1
        else:
            chars.append(char)
    if opened:
        text = shorten("".join(chars[opened[-1].start :]), 40)
        raise error(f"the bracket before {text} never closes in its line.")
    return "".join(chars), brackets


def _mark_head(bracket: Bracket, position: int, error: MakeError) -> None:
    if bracket.head is None:
        bracket.head = (position, -1)
    elif bracket.head[1] >= 0:
        raise error("found a second head (*) in a mention, expected one. Write \\* for the character.")
    else:
        bracket.head = (bracket.head[0], position)


def _annotate(bracket: Bracket, annotation: str, text: str, error: MakeError) -> None:
    match = ANNOTATION.fullmatch(annotation)
    if not annotation or not match:
        found = f"[{text}] has the annotation {annotation!r}"
        raise error(f"{found}, expected (id:TYPE LABEL) or parts of it, as in docs/formats/inline.md.")
    bracket.type, bracket.label = (match["type"] or "")[1:], match["label"] or ""
    if match["entity"] or match["type"]:
        bracket.entity = match["entity"] or ""
    if match["type"] is not None and bracket.type not in MENTION_TYPES:
        found = f"[{text}] has the mention type {bracket.type!r}"
        raise error(f"{found}, expected one of {', '.join(MENTION_TYPES)}.")
    if bracket.label and bracket.label not in ENTITY_LABELS:
        found = f"[{text}] has the entity label {bracket.label!r}"
        raise error(f"{found}, expected one of {', '.join(ENTITY_LABELS)}.")
    if bracket.head and bracket.entity is None:
        raise error(f"[{text}] has a head (*) but isn't a mention. Give it an entity's id.")
