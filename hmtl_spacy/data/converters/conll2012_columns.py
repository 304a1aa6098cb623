"""The columns of CoNLL-2012: rows checked, brackets of named entities and coreference matched."""

import re
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .clusters import Offsets
from .common import ConversionError

# document, part, number, word, tag, parse, lemma, frame, sense, speaker, entity, (roles ...), coreference
PARSE, SPEAKER, ENTITY = 5, 9, 10
ENTITY_VALUE = re.compile(r"\*|\(([^()*|]+)\*|\*\)|\(([^()*|]+)\)")
COREF_VALUE = re.compile(r"(\()?([^()|]+)(\))?")
NO_COREF = "-"
UNKNOWN = ("_", NO_COREF, "")  # what stands for a value that isn't given


class Row(NamedTuple):
    """A word with the columns that are read, and where it stands in the file."""

    word: str
    entity: str
    coref: str
    line: int


def sentence_rows(lines: List[Tuple[int, str]], name: str, part: int, source: str) -> List[Row]:
    """Read the rows of a sentence; all must have one width and belong to the document around them.

    lines: the rows and the numbers of their lines.
    name: the document's name, from its `#begin document`.
    part: the number of the part, likewise.
    source: the name of the file, for messages.
    RETURNS: the columns that are used.
    """
    table = [(number, _split(line)) for number, line in lines]
    if all(not fields[-1] for _, fields in table) and any("(" in fields[-2] for _, fields in table):
        table = [(number, fields[:-1]) for number, fields in table]  # tabs at the ends of lines
    width = len(table[0][1])
    for position, (number, fields) in enumerate(table):
        if len(fields) != width or width <= ENTITY:
            expected = f"{width}, as in the sentence's first row" if width > ENTITY else "12 or more"
            found = f"found {len(fields)} columns, expected {expected}"
            raise ConversionError(source, number, f"{found}. Is a part of the row or a blank line missing?")
        if fields[:3] != [name, fields[1], str(position)] or not _is_number(fields[1], part):
            found = f"found {' '.join(fields[:3])!r}, expected '{name} {part} {position}'"
            raise ConversionError(source, number, f"{found}: document, part, number of the word.")
    column = _entity_column([fields for _, fields in table])
    if column == len(table[0][1]) - 1:
        raise ConversionError(source, table[0][0], f"found {width} columns, expected 12 or more.")
    return [Row(fields[3], fields[column], fields[-1], number) for number, fields in table]


def _split(line: str) -> List[str]:
    """The columns of a row: between tabs they may be empty, between spaces they aren't."""
    fields = [field.strip(" ") for field in line.split("\t")]
    return fields if len(fields) > ENTITY else re.split(r"[ \t]+", line.strip(" \t"))


def _is_number(text: str, number: int) -> bool:
    return text.isdecimal() and int(text) == number


def _entity_column(table: List[List[str]]) -> int:
    """Where the named entities are: one column earlier if there is no parse."""
    parsed = all("*" in fields[PARSE] for fields in table)
    earlier = all(ENTITY_VALUE.fullmatch(fields[SPEAKER]) for fields in table)
    return SPEAKER if earlier and not parsed else ENTITY


def read_entities(sentences: Sequence[Sequence[Row]], source: str) -> Iterator[Tuple[int, int, str]]:
    """Match the brackets of named entities, `(ORG*` ... `*)`, sentence by sentence.

    sentences: the rows of a document.
    source: the name of the file, for messages.
    YIELDS: start and end in tokens of the document, and the label.
    """
    offset = 0
    for rows in sentences:
        start: Optional[int] = None
        label = ""
        for i, row in enumerate(rows, start=offset):
            if row.entity in UNKNOWN and start is None:
                continue
            match = ENTITY_VALUE.fullmatch(row.entity)
            opens, closes = row.entity.startswith("("), row.entity.endswith(")")
            if not match or (opens and start is not None) or (closes and not opens and start is None):
                expected = "one of *, (LABEL*, *) and (LABEL), never one in another"
                raise ConversionError(
                    source, row.line, f"found the entity {row.entity!r}, expected {expected}."
                )
            if opens:
                start, label = i, match[1] or match[2]
            if closes and start is not None:
                yield start, i + 1, label
                start = None
        if start is not None:
            row = rows[start - offset]
            found = f"the entity {row.entity!r} ({row.word!r}) never closes in its sentence"
            raise ConversionError(source, row.line, f"{found}. Correct the brackets.")
        offset += len(rows)


def read_clusters(rows: Sequence[Row], source: str) -> List[List[Offsets]]:
    """Match the brackets of coreference, such as `(3|(12)` ... `3)`; mentions may nest and cross.

    A bracket closes the mention of its cluster that opened last.

    rows: the rows of a document.
    source: the name of the file, for messages.
    RETURNS: the mentions of each cluster, ends exclusive.
    """
    clusters: Dict[str, List[Offsets]] = {}
    opened: Dict[str, List[int]] = {}
    nothing = (NO_COREF,) if any(row.coref == NO_COREF for row in rows) else UNKNOWN
    for i, row in enumerate(rows):
        for value in row.coref.split("|") if row.coref not in nothing else ():
            match = COREF_VALUE.fullmatch(value)
            opens, cluster, closes = match.groups() if match else (None, "", None)
            if not opens and not closes:
                expected = "- or brackets such as (1, 1) and (1), with | between them"
                raise ConversionError(
                    source, row.line, f"found the coreference {row.coref!r}, expected {expected}."
                )
            if opens:
                opened.setdefault(cluster, []).append(i)
            if closes:
                if not opened.get(cluster):
                    found = f"{row.coref!r} closes a mention of {cluster}, and none is open"
                    raise ConversionError(source, row.line, f"{found}. Correct the brackets.")
                clusters.setdefault(cluster, []).append((opened[cluster].pop(), i + 1))
    for cluster, starts in opened.items():
        if starts:
            row = rows[starts[0]]
            found = f"the mention {row.coref!r} ({row.word!r}) of {cluster} never closes in its document"
            raise ConversionError(source, row.line, f"{found}. Correct the brackets.")
    return list(clusters.values())
