"""The lines of a WebAnno TSV file: the columns of its layers, its sentences with rows of tokens."""

import re
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .common import ConversionError
from .records import shorten

FORMAT = "#FORMAT=WebAnno TSV 3"
LAYER = re.compile(r"#T_(SP|RL|CH)=([^|]*)\|?(.*)")
UNIT = re.compile(r"(\d+)-(\d+)(\.\d+)?")  # a token, or a part of one
PLACE = re.compile(r"(\d+)-(\d+)")
STACK = re.compile(r"(?<!\\)((?:\\\\)*)\|")  # a bar that isn't escaped
ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|->|.)")
NUMBERED = re.compile(r"(.*?(?<!\\)(?:\\\\)*)\[([^\[\]]*)\]", re.DOTALL)
CONTROL = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Layer(NamedTuple):
    """A layer of the header. kind: SP for spans, RL for relations, CH for chains. column: its first one."""

    kind: str
    type: str
    features: List[str]
    column: int

    @property
    def name(self) -> str:
        return self.type.rpartition(".")[2]


class Row(NamedTuple):
    """A token, or a part of one, with the cells of its layers. start, end: as the file counts them."""

    id: str
    start: int
    end: int
    text: str
    cells: List[str]
    line: int


class Sentence(NamedTuple):
    """The text of a sentence and its rows."""

    text: str
    rows: List[Row]


class Cell(NamedTuple):
    """One of the stacked values of a cell. number: what is in its brackets, empty without."""

    value: str
    number: str


def read_rows(lines: Iterable[str], source: str) -> Tuple[List[Layer], List[Sentence]]:
    """Read a file.

    lines: its decoded lines.
    source: the name of the file, for messages.
    RETURNS: the layers of its header, and its sentences.
    """
    layers: List[Layer] = []
    sentences: List[Sentence] = []
    text: List[str] = []
    rows: List[Row] = []
    number = 0
    for number, line in enumerate(lines, start=1):
        if number == 1 and not line.startswith(FORMAT):
            expected = f"expected {FORMAT}.3 or another version of that"
            raise ConversionError(source, 1, f"found {shorten(line)}, {expected}. Is it this format?")
        if match := LAYER.fullmatch(line):
            column = sum(len(layer.features) for layer in layers)
            layers.append(Layer(match[1], match[2], match[3].split("|"), column))
        elif line.startswith("#Text="):
            if rows:
                sentences.append(Sentence("\n".join(text), rows))
                text, rows = [], []
            text.append(unescape(line[6:]))
        elif line and not line.startswith("#"):
            rows.append(_row(line, number, layers, source))
            if not text:
                found = f"the token {rows[0].id} has no sentence"
                raise ConversionError(source, number, f"{found}, expected a line #Text= before its rows.")
    if text:
        sentences.append(Sentence("\n".join(text), rows))
    if not number:
        raise ConversionError(source, None, f"the file is empty, expected {FORMAT}.3 as its first line.")
    return layers, sentences


def _row(line: str, number: int, layers: List[Layer], source: str) -> Row:
    cells = line.split("\t")
    expected = sum(len(layer.features) for layer in layers)
    if cells[-1] == "":
        cells.pop()  # rows end in a tab, and no cell is empty
    place = PLACE.fullmatch(cells[1]) if len(cells) > 2 else None
    if not UNIT.fullmatch(cells[0]) or place is None or len(cells) != expected + 3:
        wanted = f"expected {expected + 3}: 1-1, start-end, the token, and {expected} for the header's layers"
        message = f"found the {len(cells)} columns {shorten(cells)}, {wanted}. Is a part of the row missing?"
        raise ConversionError(source, number, message)
    return Row(cells[0], int(place[1]), int(place[2]), unescape(cells[2]), cells[3:], number)


def stacked(cell: str) -> Iterator[Optional[Cell]]:
    """The values of a cell in their order; None where this column has none."""
    for value in STACK.sub(lambda bar: f"{bar[1]}\0", cell).split("\0"):
        match = NUMBERED.fullmatch(value)
        bare, number = (match[1], match[2]) if match else (value, "")
        yield None if bare == "_" else Cell("" if bare == "*" else bare, number)


def unescape(text: str) -> str:
    """A text without the backslashes before signs that mean something else."""

    def plain(match: "re.Match[str]") -> str:
        sign = match[1]
        return chr(int(sign[1:], 16)) if len(sign) == 5 else CONTROL.get(sign, sign)

    return ESCAPE.sub(plain, text)
