"""The direction of text, and which words stay together so that those of the other direction stay in order.

Each token is a box of its own on the page, so the browser can't see that two boxes are two words of one
Latin name in a Hebrew sentence. The rules are a coarse form of Unicode's bidirectional algorithm (UAX #9):
words of the other direction with what is between them, numbers that follow them, and signs next to numbers.
"""

from typing import List, Sequence, Tuple
from unicodedata import bidirectional

LETTERS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
DIGITS = {"EN", "AN"}
SIGNS = {"ET", "ES", "CS"}  # as in 50%, $100, 1/2


def direction_of(text: str, default: str) -> str:
    """ "ltr" or "rtl", as most letters of a text have it; `default` if neither has most."""
    counts = {"ltr": 0, "rtl": 0}
    for char in text:
        if kind := LETTERS.get(bidirectional(char)):
            counts[kind] += 1
    if counts["ltr"] == counts["rtl"]:
        return default
    return max(counts, key=lambda kind: counts[kind])


def runs(tokens: Sequence[Tuple[int, int, str]], base: str) -> List[Tuple[int, int, str]]:
    """What must stay together of tokens (start, end, text): indices (first, last + 1), and a direction."""
    kinds = [_kind(text) for _, _, text in tokens]
    groups: List[Tuple[int, int, str]] = []
    i = 0
    while i < len(tokens):
        kind = kinds[i]
        if kind in ("ltr", "rtl") and kind != base:
            end = _reach(kinds, i)
        else:
            kind, end = "ltr", _number(tokens, kinds, i) if base == "rtl" else i + 1
        if end > i + 1:
            groups.append((i, end, kind))
        i = end
    return groups


def _reach(kinds: Sequence[str], start: int) -> int:
    """Up to the last word of the same direction, or number after it, with no word of the other between."""
    end = start + 1
    for i in range(start + 1, len(kinds)):
        if kinds[i] in ("ltr", "rtl") and kinds[i] != kinds[start]:
            break
        if kinds[i] in (kinds[start], "number"):
            end = i + 1
    return end


def _number(tokens: Sequence[Tuple[int, int, str]], kinds: Sequence[str], start: int) -> int:
    """Up to the last number or sign that follows without a space."""
    end = start + 1
    while end < len(tokens) and {kinds[end - 1], kinds[end]} <= {"number", "sign"}:
        if tokens[end][0] != tokens[end - 1][1]:
            break
        end += 1
    return end


def _kind(text: str) -> str:
    classes = [bidirectional(char) for char in text]
    letters = [LETTERS[name] for name in classes if name in LETTERS]
    if letters:
        return letters[0]
    if DIGITS.intersection(classes):
        return "number"
    return "sign" if set(classes) <= SIGNS else ""
