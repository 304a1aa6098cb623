"""Clusters without mentions that lie within one another: a possessor isn't what it possesses."""

import heapq
from typing import Dict, Iterator, List, Tuple

import numpy
from torch import Tensor

from .clusters import Links


def part_nested(
    links: Links, spans: numpy.ndarray, antecedent: Tensor, probability: Tensor, threshold: float
) -> Links:
    """Links that bring no span into a cluster with one that it contains or lies in, be it through a third.

    They are made from the most probable on. One that may not be is passed over for the span's next
    antecedent, as long as that is likelier than none and reaches the threshold.

    spans: in document order, by start, then end. [n_kept, 2]
    links, antecedent, probability, threshold: see `best_links`.
    """
    linked, chosen, of_link = (array.copy() for array in links)
    nested = nested_spans(spans)
    cluster, members = list(range(len(spans))), [[span] for span in range(len(spans))]
    others: Dict[int, Iterator[Tuple[int, float]]] = {}  # what is left to try of spans that were refused
    waiting = [(-of_link[span], span, chosen[span]) for span in numpy.flatnonzero(linked).tolist()]
    heapq.heapify(waiting)
    while waiting:
        minus_p, span, before = heapq.heappop(waiting)
        large, small = cluster[before], cluster[span]
        if len(members[large]) < len(members[small]):
            large, small = small, large
        if any(cluster[other] == large for member in members[small] for other in nested[member]):
            linked[span] = False
            if span not in others:
                others[span] = _further_choices(antecedent[span], probability[span], threshold)
            if choice := next(others[span], None):
                heapq.heappush(waiting, (-choice[1], span, choice[0]))
            continue
        linked[span], chosen[span], of_link[span] = True, before, -minus_p
        for member in members[small]:
            cluster[member] = large
        members[large] += members[small]
    return Links(linked, chosen, of_link)


def nested_spans(spans: numpy.ndarray) -> List[List[int]]:
    """For each span those that it contains, lies in or equals.

    >>> nested_spans(numpy.array([[0, 2], [0, 4], [1, 3], [4, 5]]))
    [[1], [0, 2], [1], []]

    spans: in document order. [n, 2]
    """
    offsets = spans.tolist()
    nested: List[List[int]] = [[] for _ in offsets]
    reached: List[int] = []  # spans before the present one that end behind its start
    for span, (start, end) in enumerate(offsets):
        reached = [before for before in reached if offsets[before][1] > start]
        for before in reached:
            # by their order, the one before contains this one or is its beginning
            if offsets[before][1] >= end or offsets[before][0] == start:
                nested[before].append(span)
                nested[span].append(before)
        reached.append(span)
    return nested


def _further_choices(
    antecedent: Tensor, probability: Tensor, threshold: float
) -> Iterator[Tuple[int, float]]:
    """A span's antecedents and their probabilities from the second on, most probable first, as long as they
    are likelier than none.

    antecedent: [n]; probability: [1 + n]
    """
    none, of_each = float(probability[0]), probability[1:]
    for place in of_each.argsort(descending=True, stable=True)[1:].tolist():
        p = float(of_each[place])
        if p <= none or p < threshold:
            return
        yield int(antecedent[place]), p
