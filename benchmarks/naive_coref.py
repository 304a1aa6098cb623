"""The coreference head as a textbook has it (Lee et al. 2017), for one document: a whole vector for every
span and for every pair of spans goes through the scorers.
"""

import math
from typing import Any, Dict, List, Tuple

import numpy
import torch
from spacy.tokens import Doc
from torch import Tensor

from hmtl_spacy.nn.antecedents import distance_bucket


def decode_coref(
    head: Any, doc: Doc, inputs: List[Tensor], outputs: List[Tensor], threshold: float
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Rows of start, end, cluster, [n, 3], and scores [n] of a document.

    inputs, outputs: of the encoder, per sentence. [n_tokens, width] each
    """
    nothing = numpy.zeros((0, 3), dtype=numpy.int64), numpy.zeros(0, dtype=numpy.float32)
    if not outputs:
        return nothing
    spans = candidates([len(vectors) for vectors in outputs], head.max_width)
    vectors, heads = represent(head, spans, torch.cat(inputs), torch.cat(outputs))
    scores = mention_scores(head, vectors)
    best = scores.argsort(descending=True, stable=True)[: math.ceil(head.spans_per_token * len(doc))]
    kept = torch.tensor(sorted(best.tolist(), key=spans.tolist().__getitem__))
    if len(kept) < 2:
        return nothing
    spans, scores = spans[kept], scores[kept]
    antecedent = torch.arange(len(kept))[:, None] - torch.arange(1, head.antecedents.max_antecedents + 1)
    match = same_words(doc, spans, heads[kept], antecedent.clamp(min=0))
    pairs = pair_scores(head.antecedents, head.project(vectors[kept]), antecedent.clamp(min=0), match)
    pairs = pairs + scores[:, None] + scores[antecedent.clamp(min=0)]
    pairs = pairs.masked_fill(antecedent < 0, -torch.inf)
    return links(spans.tolist(), pairs, threshold)


def candidates(lengths: List[int], max_width: int) -> Tensor:
    """Start and end of every span of up to `max_width` tokens inside a sentence, by width. [n_spans, 2]"""
    found, first = [], 0
    for length in lengths:
        for width in range(1, min(max_width, length) + 1):
            found.extend((first + start, first + start + width) for start in range(length - width + 1))
        first += length
    return torch.tensor(sorted(found, key=lambda span: (span[1] - span[0], span[0])))


def represent(head: Any, spans: Tensor, inputs: Tensor, outputs: Tensor) -> Tuple[Tensor, Tensor]:
    """[start ; end ; width ; attended], [n_spans, 2 * nI + feature_width + nX], and head tokens [n_spans].

    inputs: [n_tokens, nX]; outputs: [n_tokens, nI]
    """
    starts, ends = spans.unbind(dim=1)
    tokens = starts[:, None] + torch.arange(head.max_width)  # [n_spans, max_width]
    inside = tokens < ends[:, None]
    tokens = torch.where(inside, tokens, starts[:, None])
    scores = head.attention.score(outputs)[:, 0][tokens].masked_fill(~inside, -torch.inf)
    weights = scores.softmax(dim=1)
    attended = (weights[:, :, None] * inputs[tokens]).sum(dim=1)
    vectors = torch.cat([outputs[starts], outputs[ends - 1], head.width(ends - starts), attended], dim=1)
    return vectors, tokens.gather(1, weights.argmax(dim=1, keepdim=True))[:, 0]


def mention_scores(head: Any, vectors: Tensor) -> Tensor:
    """[n_spans, width] -> [n_spans]"""
    parts = (head.from_start, head.from_end, head.from_width, head.from_head)
    weight = torch.cat([part.weight for part in parts], dim=1)
    hidden = (vectors @ weight.T + head.from_start.bias).relu()
    return head.mention_score(head.mention(hidden))[:, 0]


def pair_scores(scorer: Any, vectors: Tensor, antecedent: Tensor, match: Tensor) -> Tensor:
    """Scores of [span ; antecedent ; product ; features] without the mention scores. [n_kept, n_antecedents]

    vectors: [n_kept, nI]; antecedent, match: [n_kept, n_antecedents]
    """
    before = vectors[antecedent]
    own = vectors[:, None].expand_as(before)
    distance = scorer.distance(distance_bucket(torch.arange(1, antecedent.shape[1] + 1)))
    features = distance.expand(len(vectors), -1, -1)
    if scorer.string_match:
        features = features + scorer.match(match)
    pairs = torch.cat([own, before, own * before, features], dim=2)
    parts = (scorer.from_span, scorer.from_antecedent, scorer.from_product, scorer.from_features)
    weight = torch.cat([part.weight for part in parts], dim=1)
    hidden = (pairs @ weight.T + scorer.from_span.bias).relu()
    return scorer.score(scorer.hidden(hidden))[:, :, 0]


def same_words(doc: Doc, spans: Tensor, heads: Tensor, antecedent: Tensor) -> Tensor:
    """How close the words of a pair are: 0 not, 1 last word, 2 head word, 3 all. [n_kept, n_antecedents]"""
    lower = [token.lower_ for token in doc]
    of_span = (
        [lower[end - 1] for _, end in spans.tolist()],
        [lower[head] for head in heads.tolist()],
        [" ".join(lower[start:end]) for start, end in spans.tolist()],
    )
    match = torch.zeros_like(antecedent)
    for closeness, strings in enumerate(of_span, start=1):
        numbers = {string: number for number, string in enumerate(set(strings))}
        number = torch.tensor([numbers[string] for string in strings])
        match[number[:, None] == number[antecedent]] = closeness
    return match


def links(spans: List[List[int]], pairs: Tensor, threshold: float) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Clusters of each span's best antecedent. A first mention has the score of the best link to it."""
    dummy = pairs.new_zeros((len(pairs), 1))
    probabilities, best = torch.cat([dummy, pairs], dim=1).softmax(dim=1).max(dim=1)
    cluster: Dict[int, int] = {}
    score: Dict[int, float] = {}
    linked = set()
    n_clusters = 0
    for i, (probability, choice) in enumerate(zip(probabilities.tolist(), best.tolist())):
        if choice == 0 or probability < threshold:
            continue
        before = i - choice
        if before not in cluster:
            cluster[before] = n_clusters
            n_clusters += 1
        if before not in linked:
            score[before] = max(score.get(before, 0.0), probability)
        cluster[i], score[i] = cluster[before], probability
        linked.add(i)
    rows = [[*spans[i], cluster[i]] for i in sorted(cluster)]
    scores = [score[i] for i in sorted(cluster)]
    return numpy.array(rows, dtype=numpy.int64).reshape(-1, 3), numpy.array(scores, dtype=numpy.float32)
