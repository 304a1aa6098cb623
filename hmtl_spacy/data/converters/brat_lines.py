"""The lines of brat's standoff files: spans, relations, equivalences; what else there is, counted."""

import re
from collections import Counter
from typing import Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from .clusters import Offsets
from .common import ConversionError
from .records import shorten

SPAN = re.compile(r"T[^\t]*\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")
RELATION = re.compile(r"R[^\t]*\t(\S+)((?: [^\s:]+:\S+)+)[ \t]*")
EVENT = re.compile(r"E[^\t]*\t(\S+?):(\S+)((?: [^\s:]+:\S+)*)[ \t]*")
SET = re.compile(r"\*\t(\S+)((?: \S+)+)[ \t]*")
NOT_READ = {"A": "attributes", "M": "attributes", "N": "normalisations", "#": "notes"}
FORMS = {
    "T": "T1, a tab, a type, start and end, a tab, the text",
    "R": "R1, a tab, a type, Arg1:T1 Arg2:T2",
    "E": "E1, a tab, Type:T1 and any arguments",
    "*": "*, a tab, Equiv and the ids of spans",
}


class TextSpan(NamedTuple):
    """A labelled span in one piece or several, with its text as the file has it."""

    id: str
    label: str
    pieces: List[Offsets]
    text: str
    line: int


class Link(NamedTuple):
    """A relation from the first of two spans to the second, or spans of which all are the same thing."""

    label: str
    ids: Tuple[str, ...]
    is_set: bool
    line: int


class Annotation:
    """What the lines of an annotation file say.

    lines: the decoded lines with their numbers.
    source: the name of the file, for messages.
    dropped: what isn't read is counted here.
    line: the number of the line that is read or used, for messages.
    """

    def __init__(self, lines: Iterable[Tuple[int, str]], source: str, dropped: Counter[str]):
        self.source = source
        self.line: Optional[int] = None
        self.dropped = dropped
        self.spans: List[TextSpan] = []
        self.links: List[Link] = []
        self.events: Set[str] = set()  # their ids and those of their triggers
        self._lines: Dict[str, int] = {}  # of ids
        for self.line, text in lines:
            if text.strip():
                self._read(text, self.line)
        self._check_ids()

    def error(self, message: str) -> ConversionError:
        return ConversionError(self.source, self.line, message)

    def _read(self, text: str, line: int) -> None:
        kind, id = text[0], text.split("\t")[0]
        if kind in NOT_READ:
            self.dropped[NOT_READ[kind]] += 1
            return
        if kind not in FORMS:
            known = ", ".join([*FORMS, *NOT_READ])
            found = f"found {shorten(text)}, expected an id that begins with one of {known}"
            raise self.error(f"{found}. Is it brat's standoff, one annotation a line?")
        if kind != "*" and self._lines.setdefault(id, line) != line:
            found = f"found the id {shorten(id)} a second time, first in line {self._lines[id]}"
            raise self.error(f"{found}. Ids are unique; renumber one of them.")
        read = {"T": self._span, "R": self._relation, "E": self._event, "*": self._set}[kind]
        if not read(id, text, line):
            found = f"found {shorten(text)}, expected {FORMS[kind]}"
            raise self.error(f"{found}. Is a part of the line missing, or a space where a tab should be?")

    def _span(self, id: str, text: str, line: int) -> bool:
        if match := SPAN.fullmatch(text):
            pieces = [(int(start), int(end)) for start, end in map(str.split, match[2].split(";"))]
            self.spans.append(TextSpan(id, match[1], pieces, match[3], line))
        return match is not None

    def _relation(self, id: str, text: str, line: int) -> bool:
        match = RELATION.fullmatch(text)
        if match is None:
            return False
        arguments = [argument.split(":", 1) for argument in match[2].split()]
        if [role for role, _ in arguments] == ["Arg2", "Arg1"]:
            arguments.reverse()
        if len(arguments) == 2:
            self.links.append(Link(match[1], tuple(id for _, id in arguments), False, line))
        else:
            self.dropped["relations of other than two arguments"] += 1
        return True

    def _event(self, id: str, text: str, line: int) -> bool:
        if match := EVENT.fullmatch(text):
            self.dropped["events"] += 1
            self.events.update((id, match[2]))
        return match is not None

    def _set(self, id: str, text: str, line: int) -> bool:
        if match := SET.fullmatch(text):
            self.links.append(Link(match[1], tuple(match[2].split()), True, line))
        return match is not None

    def _check_ids(self) -> None:
        for link in self.links:
            self.line = link.line
            for id in link.ids:
                if id not in self._lines:
                    found = f"found {shorten(id)} in {link.label!r}, but there is no such annotation"
                    raise self.error(f"{found}. Is a part of the file missing?")
