"""All ordered pairs of items of one sentence, some at a time: of tokens, or of candidate spans. Their loss,
and the relations that are predicted of them.
"""

from dataclasses import dataclass
from typing import Iterable, Iterator, Optional, Sequence, Tuple

import numpy
import torch
from torch import Tensor
from torch.nn import functional as F

MAX_PAIRS = 4096  # more are slower on a CPU: their vectors don't fit its caches
ON_A_GPU = 4  # times as many


@dataclass
class OrderedPairs:
    """All ordered pairs of items within each sentence, for some consecutive heads.

    Sentences of 2 and 1 items have five: an item's pair with itself is included, so that a pair's
    place can be computed.

    >>> (pairs,) = ordered_pairs(numpy.array([2, 1]), max_pairs=100)
    >>> list(zip(pairs.head.tolist(), pairs.tail.tolist()))
    [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)]

    The pairs of one head follow each other in the order of the tails, so the pair of head h and tail t
    is at first[h] + t; `first` may be negative, since no tail comes before its sentence.

    >>> pairs.first.tolist()
    [0, 2, 2]
    >>> pairs.index(numpy.array([1, 2]), numpy.array([0, 2])).tolist()
    [2, 4]

    start, end: the heads, end exclusive; items are numbered over all sentences.
    head, tail: by head, then by tail. [n_pairs]
    first: for each head the place of its pair with item 0, were there one. [end - start]
    """

    start: int
    end: int
    head: numpy.ndarray
    tail: numpy.ndarray
    first: numpy.ndarray

    def index(self, head: numpy.ndarray, tail: numpy.ndarray) -> numpy.ndarray:
        """The places of pairs, each within a sentence, whose heads are here. [n] both -> [n]"""
        places: numpy.ndarray = self.first[head - self.start] + tail
        return places


def ordered_pairs(sizes: numpy.ndarray, max_pairs: int) -> Iterator[OrderedPairs]:
    """The pairs of sentences, some heads at a time.

    sizes: items of each sentence, none of which may be empty. [n_sentences]
    max_pairs: more at a time only if they have one head.
    """
    tails = numpy.repeat(sizes, sizes)  # how many pairs each head has, [n_items]
    first_tail = numpy.repeat(numpy.cumsum(sizes) - sizes, sizes)  # [n_items]
    pairs_to = numpy.cumsum(tails)  # up to each head, which is included, [n_items]
    start = 0
    while start < len(tails):
        before = pairs_to[start] - tails[start]
        end = max(start + 1, int(numpy.searchsorted(pairs_to, before + max_pairs, side="right")))
        inside = slice(start, end)
        head = numpy.repeat(numpy.arange(start, end), tails[inside])
        first = pairs_to[inside] - tails[inside] - before - first_tail[inside]
        tail = numpy.arange(len(head)) - numpy.repeat(first, tails[inside])
        yield OrderedPairs(start, end, head, tail, first)
        start = end


def at_a_time(vectors: Tensor) -> int:
    """How many pairs are scored at a time, where the vectors are."""
    return MAX_PAIRS if vectors.device.type == "cpu" else ON_A_GPU * MAX_PAIRS


def from_both_sides(
    related: numpy.ndarray, inverse: Sequence[int], label_sets: Optional[numpy.ndarray] = None
) -> numpy.ndarray:
    """Relations, and those that they are from the tail's side. Of label 0, which is symmetric, and 1:

    >>> from_both_sides(numpy.array([[4, 5, 0], [4, 6, 1]]), [0, -1]).tolist()
    [[4, 5, 0], [4, 6, 1], [5, 4, 0]]

    related: the items of head and tail, and the label, or n_labels + k for set k. [n, 3]
    inverse: for each label the one from the tail's side, -1 for none.
    label_sets: whether it may be none, and the labels, bool [n_sets, 1 + n_labels]; a set of symmetric labels
        is symmetric.
    """
    if max(inverse, default=-1) < 0:
        return related
    n_sets = 0 if label_sets is None else len(label_sets)
    of = numpy.array([*inverse, *[-1] * n_sets], dtype=numpy.int64)
    if label_sets is not None:
        symmetric = of[: len(inverse)] == numpy.arange(len(inverse))
        whole = len(inverse) + numpy.flatnonzero(~(label_sets[:, 1:] & ~symmetric).any(axis=1))
        of[whole] = whole
    turned = numpy.stack([related[:, 1], related[:, 0], of[related[:, 2]]], axis=1)
    return numpy.concatenate([related, turned[turned[:, 2] >= 0]])


def pair_loss(
    scored: Iterable[Tuple[OrderedPairs, Tensor]],
    related: numpy.ndarray,
    ends: numpy.ndarray,
    unannotated: Optional[numpy.ndarray] = None,
    label_sets: Optional[numpy.ndarray] = None,
) -> Tensor:
    """Binary cross-entropy of every label, summed over the pairs whose items end on different tokens.

    Labels that aren't annotated count only where a pair is related by them. A pair related by one or more of
    a set of labels has the term -log(1 - product of (1 - p) over the set) in place of those of its labels;
    none where it may be unrelated, or is related by one of them for certain, which keeps its own.

    scored: pairs and their logits. [n_pairs, n_labels] each
    related: the items of head and tail, and the label, or n_labels + k for set k. [n_relations, 3]
    ends: where each item ends. [n_items]
    unannotated: of each head, the labels that aren't annotated. bool [n_items, n_labels]
    label_sets: whether it may be none, and the labels. bool [n_sets, 1 + n_labels]
    """
    loss = torch.zeros(())
    for pairs, logits in scored:
        inside = related[(related[:, 0] >= pairs.start) & (related[:, 0] < pairs.end)]
        target = numpy.zeros(logits.shape, dtype=numpy.float32)
        known = inside[inside[:, 2] < logits.shape[1]]
        target[pairs.index(known[:, 0], known[:, 1]), known[:, 2]] = 1.0
        # an item's pair with itself is no candidate: its loss weighs nothing. [n_pairs, 1]
        weight = (ends[pairs.head] != ends[pairs.tail]).astype(numpy.float32)[:, None]
        if unannotated is not None and label_sets is not None:
            of_sets = inside[inside[:, 2] >= logits.shape[1]]
            places = pairs.index(of_sets[:, 0], of_sets[:, 1])
            sets = label_sets[of_sets[:, 2] - logits.shape[1]]  # [n, 1 + n_labels]
            loss = loss + _set_loss(logits, target, places, sets)
            is_open = unannotated[pairs.head]  # [n_pairs, n_labels]
            numpy.logical_or.at(is_open, places, sets[:, 1:])
            weight = weight * (~is_open | (target > 0))
        loss = loss + F.binary_cross_entropy_with_logits(
            logits,
            torch.from_numpy(target).to(logits.device),
            weight=torch.from_numpy(weight).to(logits.device),
            reduction="sum",
        )
    return loss


def _set_loss(logits: Tensor, target: numpy.ndarray, places: numpy.ndarray, sets: numpy.ndarray) -> Tensor:
    """Negative log probability that pairs are related by at least one label of their sets, where nothing else
    says so and they must be.

    logits, target: [n_pairs, n_labels]; places: of the pairs, [n]; sets: [n, 1 + n_labels]
    """
    met = ((target[places] > 0) & sets[:, 1:]).any(axis=1)
    asked = ~met & ~sets[:, 0]
    chosen = logits[torch.from_numpy(places[asked]).to(logits.device)]
    which = torch.from_numpy(sets[asked, 1:]).to(logits.device)
    log_none = -(F.softplus(chosen) * which).sum(dim=1)  # log of the product of 1 - p
    return -torch.log((-torch.expm1(log_none)).clamp(min=1e-30)).sum()


def decode_pairs(
    scored: Iterable[Tuple[OrderedPairs, Tensor]],
    threshold: float,
    starts: numpy.ndarray,
    ends: numpy.ndarray,
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """The relations whose probability is above the threshold, of items that end on different tokens.

    scored: as in `pair_loss`. starts, ends: of each item, ends exclusive. [n_items]
    RETURNS: rows by head, [n, 5], and probabilities, [n].
    """
    rows, scores = [numpy.zeros((0, 5), dtype=numpy.int64)], [numpy.zeros(0, dtype=numpy.float32)]
    for pairs, logits in scored:
        probability = logits.sigmoid()  # [n_pairs, n_labels]
        pairs_of_rows, labels_of_rows = (probability > threshold).nonzero(as_tuple=True)  # [n_rows] both
        confidence = probability[pairs_of_rows, labels_of_rows].cpu().numpy()
        pair, label = pairs_of_rows.cpu().numpy(), labels_of_rows.cpu().numpy()
        head, tail = pairs.head[pair], pairs.tail[pair]
        different = ends[head] != ends[tail]
        found = numpy.stack([starts[head], ends[head], starts[tail], ends[tail], label], axis=1)
        rows.append(found[different])
        scores.append(confidence[different])
    return numpy.concatenate(rows), numpy.concatenate(scores)
