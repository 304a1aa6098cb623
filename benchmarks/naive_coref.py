"""A reference implementation of the coreference head (Lee et al. 2017), for one document and with the head's
weights: a whole vector for every span and for every pair of spans goes through the scorers, also for those
pairs that a coarse score then leaves out.

The benchmarks measure against it, and the tests of the head compare its numbers.
"""

import math
from itertools import product
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import numpy
import torch
from torch import Tensor

BUCKETS = (5, 8, 16, 32, 64)  # where the buckets of distances begin after those of 1, 2, 3 and 4


class Document(NamedTuple):
    """A document as the head reads it.

    lengths: tokens of each sentence. [n_sentences]
    features: what the head reads of tokens beside that, by name: an id per token. [n_tokens] each
    inputs: what the encoder read. [n_tokens, nX]
    outputs: what the encoder gave. [n_tokens, nI]
    """

    lengths: List[int]
    features: Mapping[str, List[int]]
    inputs: Tensor
    outputs: Tensor


class Pairs(NamedTuple):
    """Every kept span with the n kept spans before it, nearest first.

    antecedent: indices of kept spans, negative where there is none. [n_kept, n]
    scores: the dummy's, 0, then those of the antecedents, -inf where there is none, or where others have
        better coarse scores. [n_kept, 1 + n]
    """

    antecedent: Tensor
    scores: Tensor


def decode_coref(head: Any, document: Document, threshold: float) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Rows of start, end, cluster, [n, 3], and scores [n] of a document."""
    spans = kept_spans(head, document) if document.lengths else []
    if len(spans) < 2:
        return numpy.zeros((0, 3), dtype=numpy.int64), numpy.zeros(0, dtype=numpy.float32)
    return links(head, spans.tolist(), score_pairs(head, document, spans).scores, threshold)


def kept_spans(head: Any, document: Document) -> Tensor:
    """The candidates with the best mention scores, in document order. [n_kept, 2]"""
    spans = candidates(document.lengths, head.max_width)
    scores = mention_scores(head, represent(head, spans, document)[0])
    quota = math.ceil(head.spans_per_token * sum(document.lengths))
    best = scores.argsort(descending=True, stable=True)[:quota]
    return torch.tensor(sorted(spans[best].tolist()))


def score_pairs(head: Any, document: Document, spans: Tensor) -> Pairs:
    """Scores of all pairs of kept spans. spans: in document order, [n_kept, 2]"""
    vectors, heads = represent(head, spans, document)
    scorer, projected = head.antecedents, head.project(vectors)
    farthest = max(scorer.max_antecedents, scorer.coarse_window)
    antecedent = torch.arange(len(spans))[:, None] - torch.arange(1, farthest + 1)
    before = antecedent.clamp(min=0)
    mentions = mention_scores(head, vectors)
    features = pair_features(scorer, document, spans, heads, before)
    scores = pair_scores(scorer, projected, before, features) + mentions[:, None] + mentions[before]
    scores = scores.masked_fill(antecedent < 0, -torch.inf)
    if scorer.coarse_window:
        coarse = (scorer.coarse.product(projected)[:, None] * projected[before]).sum(dim=2)
        ranking = (coarse + mentions[before]).masked_fill(antecedent < 0, -torch.inf)
        place = ranking.argsort(dim=1, descending=True).argsort(dim=1)  # 0 for the best
        scores = (scores + coarse).masked_fill(place >= scorer.max_antecedents, -torch.inf)
    return Pairs(antecedent, torch.cat([scores.new_zeros((len(scores), 1)), scores], dim=1))


def candidates(lengths: List[int], max_width: int) -> Tensor:
    """Start and end of every span of up to `max_width` tokens inside a sentence, by width. [n_spans, 2]"""
    spans, first = [], 0
    for length in lengths:
        for width in range(1, min(max_width, length) + 1):
            spans.extend((first + start, first + start + width) for start in range(length - width + 1))
        first += length
    return torch.tensor(sorted(spans, key=lambda span: (span[1] - span[0], span[0])))


def represent(head: Any, spans: Tensor, document: Document) -> Tuple[Tensor, Tensor]:
    """[start ; end ; width ; attended], [n_spans, 2 * nI + feature_width + nX], and head tokens [n_spans].

    spans: start and end, of any width. [n_spans, 2]
    """
    inputs, outputs = document.inputs, document.outputs
    starts, ends = spans.unbind(dim=1)
    widths = ends - starts
    tokens = starts[:, None] + torch.arange(int(widths.max()))  # [n_spans, widest]
    inside = tokens < ends[:, None]
    tokens = torch.where(inside, tokens, starts[:, None])
    scores = head.attention.score(outputs)[:, 0][tokens].masked_fill(~inside, -torch.inf)
    weights = scores.softmax(dim=1)
    attended = (weights[:, :, None] * inputs[tokens]).sum(dim=1)
    width = head.width(widths.clamp(max=head.max_width))
    vectors = torch.cat([outputs[starts], outputs[ends - 1], width, attended], dim=1)
    return vectors, tokens.gather(1, weights.argmax(dim=1, keepdim=True))[:, 0]


def mention_scores(head: Any, vectors: Tensor) -> Tensor:
    """[n_spans, width] -> [n_spans]"""
    parts = (head.from_start, head.from_end, head.from_width, head.from_head)
    weight = torch.cat([part.weight for part in parts], dim=1)
    hidden = (vectors @ weight.T + head.from_start.bias).relu()
    return head.mention_score(head.mention(hidden))[:, 0]


def pair_scores(scorer: Any, vectors: Tensor, antecedent: Tensor, features: Tensor) -> Tensor:
    """Scores of [span ; antecedent ; product ; features] without the mention scores. [n_kept, n]

    vectors: [n_kept, nI]; antecedent: [n_kept, n]; features: [n_kept, n, feature_width]
    """
    before = vectors[antecedent]  # [n_kept, n, nI]
    own = vectors[:, None].expand_as(before)
    pairs = torch.cat([own, before, own * before, features], dim=2)
    parts = (scorer.from_span, scorer.from_antecedent, scorer.from_product, scorer.from_features)
    weight = torch.cat([part.weight for part in parts], dim=1)
    hidden = (pairs @ weight.T + scorer.from_span.bias).relu()
    return scorer.score(scorer.hidden(hidden))[:, :, 0]


def pair_features(
    scorer: Any, document: Document, spans: Tensor, heads: Tensor, antecedent: Tensor
) -> Tensor:
    """The sum of the embeddings of distance, words and speakers. [n_kept, n, feature_width]

    spans: [n_kept, 2]; heads: [n_kept]; antecedent: [n_kept, n]
    """
    features = scorer.distance(distance_buckets(antecedent.shape[1])).expand(len(spans), -1, -1)
    if scorer.string_match:
        features = features + scorer.match(same_words(document.features["words"], spans, heads, antecedent))
    if scorer.speakers:
        own = torch.tensor(document.features["speakers"])[spans[:, :1]].expand_as(antecedent)
        before = own[:, 0][antecedent]
        same = torch.where(own == before, 2, 1)
        features = features + scorer.speaker(torch.where((own == 0) | (before == 0), 0, same))
    return features


def distance_buckets(n: int) -> Tensor:
    """The bucket of each distance from 1 to n. [n]"""
    return torch.tensor([min(d, 4) + sum(d >= begin for begin in BUCKETS) for d in range(1, n + 1)])


def same_words(words: List[int], spans: Tensor, heads: Tensor, antecedent: Tensor) -> Tensor:
    """How close the words of a pair are: 0 not, 1 last word, 2 head word, 3 all. [n_kept, n]"""
    of_span = (
        [words[end - 1] for _, end in spans.tolist()],
        [words[head] for head in heads.tolist()],
        [tuple(words[start:end]) for start, end in spans.tolist()],
    )
    match = torch.zeros_like(antecedent)
    for closeness, keys in enumerate(of_span, start=1):
        numbers = {key: number for number, key in enumerate(set(keys))}
        number = torch.tensor([numbers[key] for key in keys])
        match[number[:, None] == number[antecedent]] = closeness
    return match


def links(
    head: Any, spans: List[List[int]], scores: Tensor, threshold: float
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Clusters of each span's best antecedent; unless the head links nested spans, of the best one that
    brings no nested spans together, best links first. A first mention has the score of the best link to it.
    """
    choices = []
    for i, probabilities in enumerate(scores.softmax(dim=1).tolist()):
        none, *others = probabilities
        found = [(p, i, i - k) for k, p in enumerate(others, start=1) if p >= max(none, threshold) and p > 0]
        if head.linking == "total" and none < 0.5 and max(others) >= threshold:
            found.append((max(others), i, i - 1 - others.index(max(others))))
        choices += found
    clusters: List[List[int]] = [[i] for i in range(len(spans))]  # of each span, shared by its mentions
    linked: Dict[int, float] = {}
    probability_of: Dict[int, float] = {}
    for p, i, before in sorted(choices, reverse=True):
        pairs = product(clusters[i], clusters[before])
        if i in linked or (not head.link_nested and any(nested(spans[a], spans[b]) for a, b in pairs)):
            continue
        linked[i] = p
        together = sorted({*clusters[i], *clusters[before]})
        for member in together:
            clusters[member] = together
        probability_of[before] = max(probability_of.get(before, 0.0), p)
    probability_of.update(linked)
    rows = [[*spans[i], clusters[i][0]] for i in sorted(probability_of)]
    confidences = [probability_of[i] for i in sorted(probability_of)]
    return numpy.array(rows, dtype=numpy.int64).reshape(-1, 3), numpy.array(confidences, dtype=numpy.float32)


def nested(one: List[int], other: List[int]) -> bool:
    """Whether one span lies within the other, or is the other."""
    inside = set(range(*one)), set(range(*other))
    return inside[0] <= inside[1] or inside[1] <= inside[0]
