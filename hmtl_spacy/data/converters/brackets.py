"""The brackets in CoNLL-U's `Entity=`, as GUM writes them: `(7-person-giv:act-nnnnn-cf1-2-coref` ... `7)`."""

import re
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from .clusters import Offsets
from .common import ConversionError

# where no "# global.Entity" says otherwise
FIELDS = ("GRP", "etype", "infstat", "salience", "centering", "minspan", "link", "identity")
BRACKET = re.compile(r"\(([^()]+)(\))?|([^()]+)\)")


class Word(NamedTuple):
    """A word with its column of entities, and where it stands in the file."""

    text: str
    space: bool
    entity: str
    line: int


class Entity(NamedTuple):
    """A mention as the file has it: its cluster, its type, the whole span and its head."""

    cluster: str
    label: str
    extent: Offsets
    head: Offsets


def read_entities(words: List[Word], fields: Sequence[str], source: str) -> Iterator[Entity]:
    """Match the brackets of a document.

    words: the tokens of the document.
    fields: the names of the fields in a bracket, the cluster's id first.
    source: the name of the file, for messages.
    YIELDS: the entities in the order in which they open.
    """
    opened: List[Tuple[int, List[str]]] = []
    unclosed: Dict[str, List[int]] = {}
    ends: Dict[int, int] = {}
    for i, word in enumerate(words):
        if word.entity and BRACKET.sub("", word.entity):
            found = f"found Entity={word.entity}, expected brackets such as (1-person-...) or 1)"
            raise ConversionError(source, word.line, f"{found}. Correct them.")
        for opening, closes, closing in BRACKET.findall(word.entity):
            values = opening.split("-", len(fields) - 1)
            if opening:
                unclosed.setdefault(values[0], []).append(len(opened))
                opened.append((i, values))
            if closes or closing:
                cluster = values[0] if opening else closing
                if not unclosed.get(cluster):
                    found = f"Entity={word.entity} closes {cluster!r}, which isn't open"
                    raise ConversionError(source, word.line, f"{found}. Correct the brackets.")
                ends[unclosed[cluster].pop()] = i + 1
    for number, (start, values) in enumerate(opened):
        line = words[start].line
        if number not in ends:
            found = f"the mention {values[0]!r} opens and never closes in its document"
            raise ConversionError(source, line, f"{found}. Correct the brackets.")
        yield _entity(values, fields, (start, ends[number]), source, line)


def _entity(values: List[str], fields: Sequence[str], extent: Offsets, source: str, line: int) -> Entity:
    named = dict(zip(fields, values, strict=False))  # the last fields may be left out
    try:
        heads = [int(position) for position in named["minspan"].split(",")]
        cluster, label = named["GRP"], named["etype"]
    except (KeyError, ValueError):
        found = f"found the entity {'-'.join(values)!r}"
        expected = f"expected {'-'.join(fields)}, with a minspan such as 1 or 1,2"
        raise ConversionError(source, line, f"{found}, {expected}. See '# global.Entity'.") from None
    start, end = extent
    if not 1 <= min(heads) <= max(heads) <= end - start:
        found = f"minspan {named['minspan']} of {cluster!r}, a mention of {end - start} tokens"
        raise ConversionError(source, line, f"found {found}; positions count its tokens from 1.")
    return Entity(cluster, label, extent, _head(start, heads))


def _head(start: int, positions: List[int]) -> Offsets:
    """The first run of adjoining head tokens: of "[Ann] and [Bob]" or "[Ann], [the mayor]" it is Ann.

    positions: the head tokens, counted from 1 at `start`.
    """
    first = min(positions)
    end = first
    while end + 1 in positions:
        end += 1
    return start + first - 1, start + end
