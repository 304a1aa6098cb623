"""A reference implementation of relations between spans: a whole vector for every pair, pair by pair."""

from typing import Any, Iterable, Iterator, List, Sequence, Tuple

import torch
from torch import Tensor
from torch.nn import functional as F

Span = Tuple[int, int, int]  # start, end, label


def decode_span_relations(
    head: Any, lengths: Sequence[int], x: Tensor, candidates: Iterable[Sequence[int]], threshold: float
) -> Iterator[Tuple[List[int], float]]:
    """Rows of head start, head end, tail start, tail end, label in a document, and their probabilities.

    lengths: of its sentences; x: what the encoder read and gives, [n_tokens, width]; candidates: their
        start, end and label.
    """
    sentence_of = [number for number, length in enumerate(lengths) for _ in range(length)]
    labels: dict = {}
    for start, end, label in candidates:
        if sentence_of[start] == sentence_of[end - 1]:
            labels.setdefault((start, end), label)
    spans = sorted((start, end, label) for (start, end), label in labels.items())
    for one in spans:
        for other in spans:
            if sentence_of[one[0]] == sentence_of[other[0]] and one[1] != other[1]:
                for label, logit in enumerate(pair_logits(head, x, one, other)):
                    if (probability := float(logit.sigmoid())) > threshold:
                        yield [*one[:2], *other[:2], label], probability


def pair_logits(head: Any, x: Tensor, one: Span, other: Span) -> Tensor:
    """Of one and other as head and tail. x: [n_tokens, width]. RETURNS: [n_labels]"""
    (s, e, _), (start, end, _) = one, other
    i, j = span_vector(head, x, *one), span_vector(head, x, *other)
    hidden = head.from_head(i) + head.from_tail(j)
    between = list(range(e, start) or range(end, s))
    if head.context:
        hidden = hidden + (head.from_context(x[between].amax(dim=0)) if between else head.no_context)
    if head.distances:
        distance = 0 if s < end and start < e else 1 + len(between)
        place = 2 * bucket(distance) + ((s, e) < (start, end))
        hidden = hidden + head.from_distance(head.distance.weight[place])
    if head.product_width:
        hidden = hidden + head.from_product(head.head_factor(i) * head.tail_factor(j))
    return F.linear(hidden.relu(), head.score.weight, head.score.bias)


def span_vector(head: Any, x: Tensor, start: int, end: int, label: int) -> Tensor:
    parts = [x[start], x[end - 1], x[start:end].amax(dim=0), head.width.weight[bucket(end - start)]]
    if head.n_types:
        parts.append(head.label.weight[label if 0 <= label < head.n_types else head.n_types])
    return torch.cat(parts)


def bucket(n: int) -> int:
    return sum(n >= edge for edge in (1, 2, 3, 4, 5, 8, 16, 32, 64))
