"""Spans that nest or cross, sorted into rows in which none overlaps another."""

from typing import Dict, List, Sequence, Tuple

from .content import Bar

Cell = Tuple[Bar, bool]  # a span and whether it begins at this token


def assign_tracks(bars: Sequence[Bar], tokens: Sequence[Tuple[int, int, str]]) -> List[Dict[int, Cell]]:
    """Rows for the spans that touch `tokens`, the shortest spans in the first.

    RETURNS: per row what covers a token, by the token's place in `tokens`.
    """
    rows: List[Dict[int, Cell]] = []
    first, last = (tokens[0][0], tokens[-1][1]) if tokens else (0, 0)
    touching = [bar for bar in bars if bar.start < last and first < bar.end]
    for bar in sorted(touching, key=lambda bar: (bar.end - bar.start, bar.start)):
        covered = [i for i, (start, end, _) in enumerate(tokens) if start < bar.end and bar.start < end]
        if not covered:
            continue
        row = next((row for row in rows if not any(i in row for i in covered)), None)
        if row is None:
            rows.append(row := {})
        row.update({i: (bar, i == covered[0]) for i in covered})
    return rows
