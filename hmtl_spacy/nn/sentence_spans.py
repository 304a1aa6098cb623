"""Spans that are given to a head, by sentence; the largest of each feature over many ranges of tokens."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Sequence, Tuple

import numpy
import torch
from torch import Tensor
from torch.nn import functional as F

from .batch import Layout
from .pairs import OrderedPairs

NO_LABEL = -1


@dataclass
class SentenceSpans:
    """Different spans within sentences, by start, then by end.

    starts, ends: flat tokens, ends exclusive. [n_spans]
    labels: NO_LABEL where a span has none. [n_spans]
    sizes: how many spans the sentences have, those without any left out. [n_sentences that have spans]
    n_tokens: of the batch.
    """

    starts: numpy.ndarray
    ends: numpy.ndarray
    labels: numpy.ndarray
    sizes: numpy.ndarray
    n_tokens: int

    def index(self, starts: numpy.ndarray, ends: numpy.ndarray) -> numpy.ndarray:
        """The places of some of these spans. [n] both -> [n]"""
        keys = self.starts * (self.n_tokens + 1) + self.ends
        places: numpy.ndarray = numpy.searchsorted(keys, starts * (self.n_tokens + 1) + ends)
        return places


def sentence_spans(layout: Layout, rows: Sequence[numpy.ndarray]) -> SentenceSpans:
    """The spans of a batch that don't leave their sentence; of several rows for one span the first counts.

    >>> rows = [numpy.array([[1, 3, 7], [0, 1, 5], [1, 3, 8], [2, 4, 5]]), numpy.array([[0, 1]])]
    >>> spans = sentence_spans(Layout([4, 2], [3, 1, 2]), rows)
    >>> list(zip(spans.starts.tolist(), spans.ends.tolist(), spans.labels.tolist()))
    [(0, 1, 5), (1, 3, 7), (4, 5, -1)]
    >>> spans.sizes.tolist()
    [2, 1]

    rows: start, end and, if they have one, the label, in tokens of the document. [n, 2 or more] each
    """
    spans = layout.join_docs([labelled(of_doc) for of_doc in rows], columns=2)
    spans = spans[spans[:, 0] < spans[:, 1]]
    spans = spans[layout.sentence_of[spans[:, 0]] == layout.sentence_of[spans[:, 1] - 1]]
    _, first = numpy.unique(spans[:, 0] * (layout.n_tokens + 1) + spans[:, 1], return_index=True)
    starts, ends, labels = spans[first].T
    _, sizes = numpy.unique(layout.sentence_of[starts], return_counts=True)
    return SentenceSpans(starts, ends, labels, sizes, layout.n_tokens)


def labelled(rows: numpy.ndarray) -> numpy.ndarray:
    """Start, end and label of rows, NO_LABEL if they have only start and end. [n, 3]"""
    if rows.shape[1] > 2:
        return rows[:, :3]
    return numpy.pad(rows, ((0, 0), (0, 1)), constant_values=NO_LABEL)


def range_max(values: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """The largest of each feature over ranges of tokens, one or more, none of them empty.

    The largest over a window of 2^k tokens is that of two windows half as wide; two of these windows,
    which may overlap, cover a range. So all windows take log2(longest range) steps, each range one.

    values: [n_tokens, width]; starts, ends: ends exclusive, [n_ranges].
    RETURNS: [n_ranges, width]
    """
    steps = torch.log2((ends - starts).double()).floor().long()  # [n_ranges]
    windows, half = values, 1  # the windows that start at each token, and half of the next windows' size
    found, places = [], []
    for step in range(int(steps.max()) + 1):
        if step:
            windows = _larger(windows[:-half], windows[half:])
            half *= 2
        place = (steps == step).nonzero()[:, 0]
        first = F.embedding(starts[place], windows)
        found.append(_larger(first, F.embedding(ends[place] - half, windows)) if step else first)
        places.append(place)
    return F.embedding(torch.cat(places).argsort(), torch.cat(found))


class Larger(torch.autograd.Function):
    """The larger of each two values, to which its gradient goes; of equal ones to the first.

    Torch's own `maximum` halves the gradient of equal values, which takes ten times as long on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor) -> Tensor:
        ctx.save_for_backward(first, second)
        return torch.maximum(first, second)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Tensor, Tensor]:
        first, second = ctx.saved_tensors
        of_first = (first >= second).to(gradient.dtype).mul_(gradient)
        return of_first, gradient - of_first


def _larger(first: Tensor, second: Tensor) -> Tensor:
    larger: Tensor = Larger.apply(first, second)  # type: ignore[no-untyped-call]
    return larger


class Gaps(NamedTuple):
    """What lies between the spans of pairs, each gap once.

    starts, ends: of the gaps of at least one token, flat. [n_gaps]
    gap: for each pair 0 if there is no token between, else one more than the number of its gap. [n_pairs]
    distance: 0 where the spans overlap, else one more than the tokens between them. [n_pairs]
    """

    starts: numpy.ndarray
    ends: numpy.ndarray
    gap: numpy.ndarray
    distance: numpy.ndarray


def gaps_between(spans: SentenceSpans, pairs: OrderedPairs) -> Gaps:
    """The gaps of pairs of spans; a pair and its reverse have the same."""
    left, right = numpy.minimum(pairs.head, pairs.tail), numpy.maximum(pairs.head, pairs.tail)
    starts, ends = spans.ends[left], spans.starts[right]  # [n_pairs]
    keys = numpy.where(starts < ends, starts * (spans.n_tokens + 1) + ends, -1)
    different, gap = numpy.unique(numpy.append(-1, keys), return_inverse=True)  # -1 comes first
    gap_starts, gap_ends = numpy.divmod(different[1:], spans.n_tokens + 1)
    return Gaps(gap_starts, gap_ends, gap[1:], (ends - starts + 1).clip(min=0))
