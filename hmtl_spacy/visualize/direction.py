"""The direction of a text."""

from unicodedata import bidirectional

LETTERS = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def direction_of(text: str, default: str) -> str:
    """ "ltr" or "rtl", as most letters of a text have it; `default` if neither has most."""
    counts = {"ltr": 0, "rtl": 0}
    for char in text:
        if kind := LETTERS.get(bidirectional(char)):
            counts[kind] += 1
    if counts["ltr"] == counts["rtl"]:
        return default
    return max(counts, key=lambda kind: counts[kind])
