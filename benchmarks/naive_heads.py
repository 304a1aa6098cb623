"""A reference implementation of the heads that read one sentence: Viterbi token by token in Python, a whole
vector for every pair of tokens.
"""

import math
from typing import Any, Iterator, List, Tuple

import torch
from torch import Tensor

Row = Tuple[List[int], float]


def label_distribution(head: Any, vectors: Tensor) -> Tensor:
    """[n_tokens, nI] -> [n_tokens, n_tags]"""
    return head.emit(vectors).softmax(dim=1)


def decode_tags(head: Any, vectors: Tensor, threshold: float, probabilities: bool) -> Iterator[Row]:
    """Rows of start, end, label in a sentence, and their probabilities. vectors: [n_tokens, nI]"""
    emissions = head.emit(vectors)
    tags = viterbi(head.crf, emissions)
    spans = list(spans_of(tags))
    scores = (
        span_probabilities(head.crf, emissions, tags, spans)
        if probabilities and spans
        else [1.0] * len(spans)
    )
    for span, score in zip(spans, scores):
        if score >= threshold:
            yield list(span), score


def span_probabilities(
    crf: Any, emissions: Tensor, tags: List[int], spans: List[Tuple[int, int, int]]
) -> List[float]:
    """How likely the tags of each span are, whatever the others."""
    alpha, beta, log_z = forward_backward(crf, emissions)
    transitions = crf.weights()[0].double()
    scores = []
    for start, end, _ in spans:
        path = alpha[start][tags[start]] + beta[end - 1][tags[end - 1]] - log_z
        for i in range(start + 1, end):
            path = path + transitions[tags[i - 1], tags[i]] + emissions[i, tags[i]].double()
        scores.append(min(math.exp(path), 1.0))
    return scores


def viterbi(crf: Any, emissions: Tensor) -> List[int]:
    """The best tags of a sentence. [n_tokens, n_tags]"""
    transitions, start, end = crf.weights()
    best = start + emissions[0]
    pointers = []
    for emission in emissions[1:]:
        score, pointer = (best[:, None] + transitions).max(dim=0)
        best = score + emission
        pointers.append(pointer)
    tags = [int((best + end).argmax())]
    for pointer in reversed(pointers):
        tags.append(int(pointer[tags[-1]]))
    return tags[::-1]


def forward_backward(crf: Any, emissions: Tensor) -> Tuple[List[Tensor], List[Tensor], Tensor]:
    """Forward and backward scores of each token, [n_tags] each, and the log partition function."""
    transitions, start, end = (weights.double() for weights in crf.weights())
    emissions = emissions.double()
    alpha = [start + emissions[0]]
    for emission in emissions[1:]:
        alpha.append(torch.logsumexp(alpha[-1][:, None] + transitions, dim=0) + emission)
    beta = [end]
    for emission in reversed(emissions[1:]):
        beta.append(torch.logsumexp(transitions + emission + beta[-1], dim=1))
    return alpha, beta[::-1], torch.logsumexp(alpha[-1] + end, dim=0)


def spans_of(tags: List[int]) -> Iterator[Tuple[int, int, int]]:
    """Start, end and label of the spans of BILOU tags: O is 0, label k has B, I, L, U from 1 + 4k."""
    start = 0
    for i, tag in enumerate(tags):
        kind = (tag - 1) % 4
        if tag and kind in (0, 3):
            start = i
        if tag and kind in (2, 3):
            yield start, i + 1, (tag - 1) // 4


def decode_relations(head: Any, vectors: Tensor, threshold: float) -> Iterator[Row]:
    """Rows of head start, head end, tail start, tail end, label in a sentence. vectors: [n_tokens, nI]"""
    n = len(vectors)
    pairs = torch.cat([vectors[:, None].expand(n, n, -1), vectors[None].expand(n, n, -1)], dim=2)
    weight = torch.cat([head.from_head.weight, head.from_tail.weight], dim=1)
    hidden = (pairs @ weight.T + head.from_head.bias).relu()  # [n_tokens, n_tokens, hidden]
    probability = head.score(hidden).sigmoid()  # [n_tokens, n_tokens, n_labels]
    for i, j, label in (probability > threshold).nonzero().tolist():
        if i != j:
            yield [i, i + 1, j, j + 1, label], float(probability[i, j, label])
