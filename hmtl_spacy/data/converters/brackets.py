"""The brackets in CoNLL-U's `Entity=`, as GUM and CorefUD write them: `(7-person-giv-n-cf1-2-x` ... `7)`."""

import re
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import unquote

from .clusters import Offsets
from .common import ConversionError

# where no "# global.Entity" says otherwise
FIELDS = ("GRP", "etype", "infstat", "salience", "centering", "minspan", "link", "identity")
CLUSTER_FIELDS = ("GRP", "eid")  # one of which is the cluster's id
OLDER_NAMES = {"entity": "etype", "MIN": "minspan"}  # of fields, in GUM before 2021
BRACKET = re.compile(r"\(([^()]+)(\))?|([^()]+)\)")
PART = re.compile(r"(.+)\[(\d+)/(\d+)\]")  # of a mention in several pieces
POSITIONS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})*")


class Word(NamedTuple):
    """A word, or an empty node, with its column of entities, and where it stands in the file."""

    text: str
    space: bool
    entity: str
    line: int
    empty: bool = False


class Bracket(NamedTuple):
    """A pair of brackets: where it opens and closes (exclusive) in words and empty nodes, and its fields.

    part: the number of the piece and of all pieces, (1, 1) for a mention in one piece.
    """

    start: int
    end: int
    cluster: str
    part: Tuple[int, int]
    values: List[str]


class Entity(NamedTuple):
    """A mention as the file has it, on words; None for what has none.

    label: empty if the file has none.
    extent: from its first word to its last one, also if it is in several pieces.
    loss: what of it can't be read, for the count; empty if it is read whole.
    """

    cluster: str
    label: str
    extent: Optional[Offsets]
    head: Optional[Offsets]
    loss: str


def read_entities(nodes: List[Word], fields: Sequence[str], source: str) -> Iterator[Entity]:
    """Match the brackets of a document.

    nodes: its words and empty nodes.
    fields: the names of the fields in a bracket; those at its end may be left out.
    source: the name of the file, for messages.
    YIELDS: the entities in the order in which they open.
    """
    before = [0]  # how many words stand before each node
    for node in nodes:
        before.append(before[-1] + (not node.empty))
    for pieces in _in_pieces(_match(nodes, fields, source), nodes, source):
        members = [i for piece in pieces for i in range(piece.start, piece.end)]
        words = [before[i] for i in members if not nodes[i].empty]
        line = nodes[members[0]].line
        named = dict(zip(fields, pieces[0].values, strict=False))  # the last may be left out
        heads = _heads(named, members, nodes)
        if heads is None or ("minspan" in fields and "head" not in fields and "minspan" not in named):
            found = f"found the entity {'-'.join(pieces[0].values)!r}"
            expected = f"expected {'-'.join(fields)}, with a minspan or head such as 1 or 1,2"
            raise ConversionError(source, line, f"{found}, {expected}. See '# global.Entity'.")
        if not heads:
            name, value = _position(named)
            found = f"found {name} {value} of {pieces[0].cluster!r}, a mention of {len(words)} tokens"
            raise ConversionError(source, line, f"{found}; positions count its tokens from 1.")
        extent = (words[0], words[-1] + 1) if words else None
        head = _first_run(sorted(before[i] for i in heads if not nodes[i].empty))
        loss = _loss(words, head, nodes[members[0]].empty or nodes[members[-1]].empty)
        yield Entity(pieces[0].cluster, unquote(named.get("etype", "")), extent, head, loss)


def _match(nodes: List[Word], fields: Sequence[str], source: str) -> List[Bracket]:
    """All brackets in the order in which they open; a closing one closes what its cluster opened last."""
    id_field = next(i for i, field in enumerate(fields) if field in CLUSTER_FIELDS)
    opened: List[Tuple[int, str, List[str]]] = []
    unclosed: Dict[str, List[int]] = {}
    ends: Dict[int, int] = {}
    for i, word in enumerate(nodes):
        if word.entity and BRACKET.sub("", word.entity):
            found = f"found Entity={word.entity}, expected brackets such as (1-person-...) or 1)"
            raise ConversionError(source, word.line, f"{found}. Correct them.")
        for opening, closes, closing in BRACKET.findall(word.entity):
            values = (opening or closing).split("-", len(fields) - 1)
            if opening and len(values) <= id_field:
                found = f"found the entity {opening!r}, expected {'-'.join(fields)}"
                raise ConversionError(source, word.line, f"{found}. See '# global.Entity'.")
            cluster = closing if closing in unclosed else values[min(id_field, len(values) - 1)]
            if opening:
                unclosed.setdefault(cluster, []).append(len(opened))
                opened.append((i, cluster, values))
            if closes or closing:
                if not unclosed.get(cluster):
                    found = f"Entity={word.entity} closes {cluster!r}, which isn't open"
                    raise ConversionError(source, word.line, f"{found}. Correct the brackets.")
                ends[unclosed[cluster].pop()] = i + 1
    brackets = []
    for number, (start, cluster, values) in enumerate(opened):
        if number not in ends:
            found = f"the mention {cluster!r} opens and never closes in its document"
            raise ConversionError(source, nodes[start].line, f"{found}. Correct the brackets.")
        part = PART.fullmatch(cluster)
        place = (int(part[2]), int(part[3])) if part else (1, 1)
        brackets.append(Bracket(start, ends[number], part[1] if part else cluster, place, values))
    return brackets


def _in_pieces(brackets: List[Bracket], nodes: List[Word], source: str) -> List[List[Bracket]]:
    """The brackets of each mention: one, or those numbered [1/2] and [2/2] of its cluster."""
    mentions: List[List[Bracket]] = []
    unfinished: Dict[Tuple[str, int], List[Bracket]] = {}
    for bracket in brackets:
        number, of = bracket.part
        pieces = unfinished.pop((bracket.cluster, of), []) if of > 1 else []
        if number != len(pieces) + 1 or number > of:
            raise _missing(bracket, len(pieces) + 1, nodes, source)
        pieces.append(bracket)
        if number == 1:
            mentions.append(pieces)
        if number < of:
            unfinished[bracket.cluster, of] = pieces
    for pieces in unfinished.values():
        raise _missing(pieces[-1], len(pieces) + 1, nodes, source)
    return mentions


def _missing(bracket: Bracket, number: int, nodes: List[Word], source: str) -> ConversionError:
    name = f"{bracket.cluster}[{bracket.part[0]}/{bracket.part[1]}]"
    found = f"the mention {name!r} has no piece {number} before or after it"
    expected = f"expected pieces 1 to {bracket.part[1]}, in order"
    return ConversionError(source, nodes[bracket.start].line, f"{found}, {expected}. Correct the brackets.")


def _position(named: Dict[str, str]) -> Tuple[str, str]:
    """The field that says which tokens of a mention are its head, and its value; empty if it doesn't say."""
    name = "minspan" if named.get("minspan") else "head"
    return name, named.get(name, "")


def _heads(named: Dict[str, str], members: List[int], nodes: List[Word]) -> Optional[List[int]]:
    """The nodes of a mention's head: all of them if none is named. None for what isn't a list of numbers, and
    none for positions that the mention doesn't have.

    A minspan counts words, and empty nodes only where it would point behind the mention otherwise; a head
    counts both, as CorefUD has it.
    """
    name, value = _position(named)
    if not value:
        return members
    if not POSITIONS.fullmatch(value):
        return None
    positions = [int(position) for position in value.split(",")]
    words = [i for i in members if not nodes[i].empty]
    counted = words if name == "minspan" and max(positions) <= len(words) else members
    if not 1 <= min(positions) <= max(positions) <= len(counted):
        return []
    return [counted[position - 1] for position in positions]


def _loss(words: List[int], head: Optional[Offsets], on_empty: bool) -> str:
    if not words:
        return "mentions on empty nodes alone"
    if head is None:
        return "mentions whose head is an empty node (read without it, and without a head)"
    if words[-1] - words[0] + 1 != len(words):
        return "discontinuous mentions (as a whole read from their first to their last word)"
    return "mentions that begin or end on an empty node (read without it)" if on_empty else ""


def _first_run(words: List[int]) -> Optional[Offsets]:
    """The first run of adjoining head words: of "[Ann] and [Bob]" or "[Ann], [the mayor]" it is Ann."""
    if not words:
        return None
    end = words[0] + 1
    while end in words:
        end += 1
    return words[0], end
