"""The text of ACE's .sgm files, and the way from their character offsets to it.

ACE counts the characters of the file with its tags taken away, line ends included and
`&amp;` as five, from 0, ends inclusive.
"""

import html
import re
from typing import Iterable, List, Optional

from ..clusters import Offsets
from ..common import ConversionError

# attributes whose values may have < and > in quotes, else anything without these
ATTRIBUTES = r"""(?:\s+[\w.:-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*\s*/?"""
TAG = re.compile(rf"<(/?)\s*(?!\s)([\w.-]*)(?:{ATTRIBUTES}|[^<>]*)>")
CHUNK = re.compile(r"\s+|&#?\w+;|[^\s&]+|&")
METADATA = {"DOCID", "DOCTYPE", "DATETIME", "DATE_TIME", "ENDTIME", "POSTDATE"}  # no text: no entities there
LEFT_OUT = -1


class SourceText:
    """What can be read in a file, and where each of its characters went.

    Runs of white space become one space, references such as `&amp;` the character that they
    stand for; the elements in `METADATA` are left out.

    raw: the file without its tags.
    text: the text.
    breaks: where in `text` elements and paragraphs, which blank lines separate, begin.
    """

    def __init__(self, content: str):
        self.raw = ""
        self.text = ""
        self.breaks: List[int] = []
        self._places: List[int] = []  # for each character of `raw` its place in `text`, or LEFT_OUT
        skipping, position = "", 0
        pieces: List[str] = []
        for tag in [*TAG.finditer(content), None]:
            piece = content[position : tag.start() if tag else len(content)]
            pieces.append(piece)
            if skipping:
                self._places.extend([LEFT_OUT] * len(piece))
            else:
                self._add(piece)
            if tag is not None:
                name, position = tag[2].upper(), tag.end()
                if not skipping and not tag[1] and name in METADATA:
                    skipping = name
                elif tag[1] and name == skipping:
                    skipping = ""
                self._break()
        self.raw = "".join(pieces)
        self.text = self.text.rstrip(" ")

    def span(self, start: int, end: int) -> Optional[Offsets]:
        """From offsets in `raw`, ends exclusive, to offsets in `text`; None if a part was left out."""
        places = self._places[start:end]
        if LEFT_OUT in places or not places:
            return None
        stretch = self.text[places[0] : places[-1] + 1]
        start = places[0] + len(stretch) - len(stretch.lstrip(" "))
        end = places[0] + len(stretch.rstrip(" "))
        return (start, end) if start < end else None

    def readable(self, start: int, end: int) -> str:
        """What stands between two offsets in `raw`, with characters for references."""
        return html.unescape(self.raw[start:end])

    def _add(self, piece: str) -> None:
        for chunk in CHUNK.findall(piece):
            readable = html.unescape(chunk) if chunk.startswith("&") else chunk
            if readable.isspace():
                if chunk.count("\n") > 1:
                    self._break()
                self._space()
                self._places.extend([len(self.text) - 1] * len(chunk))  # LEFT_OUT before the first word
            elif len(readable) == 1:
                self._places.extend([len(self.text)] * len(chunk))
                self.text += readable
            else:
                self._places.extend(range(len(self.text), len(self.text) + len(chunk)))
                self.text += chunk

    def _space(self) -> None:
        if self.text and not self.text.endswith(" "):
            self.text += " "

    def _break(self) -> None:
        self._space()
        if self.breaks[-1:] != [len(self.text)]:
            self.breaks.append(len(self.text))


def read_source(lines: Iterable[str], source: str) -> SourceText:
    """Read a .sgm file, which holds one document.

    lines: the decoded lines.
    source: the name of the file, for messages.
    RETURNS: its text.
    """
    lines = list(lines)
    begins = [number for number, line in enumerate(lines, start=1) if re.match(r"\s*<DOC\b", line, re.I)]
    if len(begins) != 1:
        number = begins[1] if begins else 1
        found = f"found {len(begins)} '<DOC>' at the beginning of lines, expected one"
        raise ConversionError(source, number, f"{found}. Is it ACE's .sgm file of one document?")
    if not any(re.search(r"</DOC>", line, re.I) for line in lines):
        raise ConversionError(source, len(lines), "the file ends without '</DOC>'. Is its end missing?")
    return SourceText("\n".join(lines))
