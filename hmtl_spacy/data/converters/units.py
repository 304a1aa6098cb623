"""Offsets as tools count them, as code points: UTF-16 units, bytes, graphemes."""

from bisect import bisect_left
from itertools import accumulate
from typing import Iterable, List, Literal, Optional, get_args

Unit = Literal["codepoint", "utf16", "byte", "grapheme"]


class Positions:
    """Turns offsets in a text into code points.

    text: the text.
    unit: what the offsets count. A grapheme is what a reader takes for one character, CRLF too.
    differs: whether the text has characters that are more than one unit, or less.
    """

    def __init__(self, text: str, unit: Unit = "codepoint"):
        if unit not in get_args(Unit):
            raise ValueError(f"the offsets' unit is {unit!r}, expected one of {', '.join(get_args(Unit))}.")
        self.length = len(text)
        self._starts = _starts(text, unit)  # [n_units + 1], the code point at each offset that begins one
        self.differs = self._starts is not None
        self.size = self.length if self._starts is None else self._starts.units[-1]  # the text's, in units

    def __getitem__(self, offset: int) -> int:
        """Likewise, where it is known that the offset fits."""
        found = self.find(offset)
        assert found is not None, offset
        return found

    def find(self, offset: int) -> Optional[int]:
        """The code point at an offset; None after the text's end and inside of a character."""
        if self._starts is None:
            return offset if 0 <= offset <= self.length else None
        i = bisect_left(self._starts.units, offset)
        found = i < len(self._starts.units) and self._starts.units[i] == offset
        return self._starts.points[i] if found else None


def utf16_offsets(text: str) -> List[int]:
    """Where each character of a text begins, and the last one ends, in UTF-16 units. [n_characters + 1]"""
    return list(accumulate((1 + (sign > "\uffff") for sign in text), initial=0))


class _Starts:
    """Where units begin: two lists that grow together."""

    def __init__(self, characters: Iterable[int], points: Iterable[int]):
        self.units: List[int] = list(accumulate(characters, initial=0))
        self.points: List[int] = list(accumulate(points, initial=0))


def _starts(text: str, unit: Unit) -> Optional[_Starts]:
    """Where each character begins, None where units and code points are the same."""
    if unit == "codepoint" or (unit == "byte" and text.isascii()):
        return None
    if unit == "byte":
        return _Starts((len(sign.encode("utf-8")) for sign in text), (1 for _ in text))
    if unit == "utf16":
        if text.isascii() or max(text) <= "\uffff":
            return None
        return _Starts((1 + (sign > "\uffff") for sign in text), (1 for _ in text))
    clusters = _graphemes(text)
    if len(clusters) == len(text):
        return None
    return _Starts((1 for _ in clusters), map(len, clusters))


def _graphemes(text: str) -> List[str]:
    if text.isascii() and "\r\n" not in text:
        return list(text)
    try:
        import regex
    except ImportError:
        advice = "Install it: pip install 'hmtl-spacy[graphemes]'"
        raise ImportError(f"Offsets that count graphemes need the library regex. {advice}") from None
    return list(regex.findall(r"\X", text))
