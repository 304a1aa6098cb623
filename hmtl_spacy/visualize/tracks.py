"""Spans that nest or cross, sorted into rows in which none overlaps another."""

from bisect import bisect_left, bisect_right
from typing import Dict, List, Sequence, Tuple

from .content import Bar

Cell = Tuple[Bar, bool]  # a span and whether it begins at this token


def assign_tracks(bars: Sequence[Bar], tokens: Sequence[Tuple[int, int, str]]) -> List[Dict[int, Cell]]:
    """Rows for the spans that touch `tokens`, the shortest spans in the first.

    RETURNS: per row what covers a token, by the token's place in `tokens`.
    """
    rows: List[Dict[int, Cell]] = []
    starts, ends = [start for start, _, _ in tokens], [end for _, end, _ in tokens]
    for bar in sorted(bars, key=lambda bar: (bar.end - bar.start, bar.start)):
        covered = range(bisect_right(ends, bar.start), bisect_left(starts, bar.end))
        if not covered:
            continue
        row = next((row for row in rows if not any(i in row for i in covered)), None)
        if row is None:
            rows.append(row := {})
        row.update({i: (bar, i == covered[0]) for i in covered})
    return rows
