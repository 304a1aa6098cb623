"""Spans that cross: they share tokens, and neither lies within the other."""

from typing import List, Tuple

import numpy


def crossing_pairs(starts: numpy.ndarray, ends: numpy.ndarray) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """All pairs of spans that cross, the one that begins first before the other.

    >>> first, second = crossing_pairs(numpy.array([0, 1, 1, 3]), numpy.array([4, 3, 5, 4]))
    >>> list(zip(first.tolist(), second.tolist()))  # 0-4 and 1-5; 1-3 lies in both, 3-4 too
    [(0, 2)]

    starts, ends: ends exclusive, in any order. [n_spans] both
    RETURNS: places of spans. [n_pairs] both
    """
    order = numpy.argsort(starts, kind="stable")
    ordered = starts[order]
    # the spans that begin behind each one's start and before its end lie side by side
    begin = numpy.searchsorted(ordered, starts[order], side="right")
    inside = numpy.searchsorted(ordered, ends[order], side="left") - begin  # how many, [n_spans]
    inside = inside.clip(min=0)
    first = numpy.repeat(numpy.arange(len(order)), inside)
    within = numpy.arange(len(first)) - numpy.repeat(numpy.cumsum(inside) - inside, inside)
    first, second = order[first], order[begin[first] + within]
    crossing = ends[second] > ends[first]
    return first[crossing], second[crossing]


def best_without_crossing(starts: numpy.ndarray, ends: numpy.ndarray, scores: numpy.ndarray) -> numpy.ndarray:
    """Which spans are left if the best is chosen first, and none that crosses a chosen one. bool [n_spans]

    Of equal scores the span that begins first, then the wider one, is better.

    >>> spans = numpy.array([0, 2, 3]), numpy.array([3, 5, 4])
    >>> best_without_crossing(*spans, numpy.array([0.7, 0.9, 0.2])).tolist()
    [False, True, True]
    """
    kept = numpy.ones(len(starts), dtype=bool)
    crossed: List[List[int]] = [[] for _ in starts]
    first, second = crossing_pairs(starts, ends)
    for one, other in zip(first.tolist(), second.tolist()):
        crossed[one].append(other)
        crossed[other].append(one)
    concerned = numpy.unique(numpy.concatenate([first, second]))
    rank = numpy.lexsort((-ends[concerned], starts[concerned], -scores[concerned]))
    for span in concerned[rank].tolist():
        if kept[span]:
            kept[crossed[span]] = False
    return kept


def nested_beside(given: numpy.ndarray, predicted: numpy.ndarray) -> numpy.ndarray:
    """Which predicted rows of spans have other offsets than the given ones, and cross none of them. [n]

    >>> given = numpy.array([[2, 4], [0, 3]])
    >>> nested_beside(given, numpy.array([[2, 4, 1], [0, 4, 1], [3, 5, 0], [2, 3, 0], [1, 4, 0]])).tolist()
    [False, True, False, True, False]
    """
    starts, ends = (numpy.concatenate([given[:, i], predicted[:, i]]) for i in (0, 1))
    first, second = crossing_pairs(starts, ends)
    beside = numpy.ones(len(starts), dtype=bool)
    beside[second[first < len(given)]] = False
    beside[first[second < len(given)]] = False
    known = {(start, end) for start, end in given[:, :2].tolist()}
    new = [(start, end) not in known for start, end in predicted[:, :2].tolist()]
    kept: numpy.ndarray = beside[len(given) :] & numpy.array(new, dtype=bool)
    return kept
