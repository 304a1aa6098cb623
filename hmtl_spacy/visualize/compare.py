"""Two annotations of one text: what only one of them has is marked, clusters get the same numbers."""

from collections import Counter
from itertools import chain
from typing import Any, Callable, Dict, Hashable, List

from .content import Bar, Content

ONLY_HERE = "only here"
OTHER_CLUSTER = "cluster differs"


def compare(one: Content, other: Content) -> None:
    """Mark the differences of both, and show both by the sentences of the second."""
    one.sentences = other.sentences
    for layer in one.bars.keys() & other.bars.keys():
        if layer == "coref":
            _renumber(one, _numbers_alike(one.bars[layer], other.bars[layer]))
            _mark_clusters(one.bars[layer], other.bars[layer])
            _mark_clusters(other.bars[layer], one.bars[layer])
        else:
            _mark(one.bars[layer], other.bars[layer], lambda bar: (bar.start, bar.end, bar.label))
    for layer in one.links.keys() & other.links.keys():
        _mark(one.links[layer], other.links[layer], lambda link: (link.head[:2], link.tail[:2], link.label))
    for layer in one.notes.keys() & other.notes.keys():
        _mark([one.notes[layer]], [other.notes[layer]], lambda note: note.text)


def _mark(one: List, other: List, key: Callable[[Any], Hashable]) -> None:
    keys = {key(item) for item in one}, {key(item) for item in other}
    for items, theirs in ((one, keys[1]), (other, keys[0])):
        for item in items:
            item.mark = "" if key(item) in theirs else ONLY_HERE


def _numbers_alike(one: List[Bar], other: List[Bar]) -> Dict[int, int]:
    """For each cluster of the first the number of the cluster it shares most mentions with."""
    theirs = {(bar.start, bar.end): bar.cluster for bar in other}
    shared = Counter(
        (bar.cluster, theirs[bar.start, bar.end]) for bar in one if (bar.start, bar.end) in theirs
    )
    numbers: Dict[int, int] = {}
    for (mine, number), _ in shared.most_common():
        if mine not in numbers and number not in numbers.values():
            numbers[mine] = number
    free = max((bar.cluster for bar in other), default=0)
    for bar in one:
        if bar.cluster not in numbers:
            free += 1
            numbers[bar.cluster] = free
    return numbers


def _renumber(content: Content, numbers: Dict[int, int]) -> None:
    """In all layers: mentions and entities know their clusters too."""
    for bar in chain.from_iterable(content.bars.values()):
        bar.cluster = numbers.get(bar.cluster, 0)


def _mark_clusters(one: List[Bar], other: List[Bar]) -> None:
    theirs = {(bar.start, bar.end): bar.cluster for bar in other}
    for bar in one:
        number = theirs.get((bar.start, bar.end))
        bar.mark = ONLY_HERE if number is None else OTHER_CLUSTER if number != bar.cluster else ""
