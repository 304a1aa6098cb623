"""Antecedent scores of the spans that coreference keeps (Lee et al. 2017, sections 3 and 4; 2018, section 4).

s(i, j) = s_m(i) + s_m(j) + s_a(i, j) for a span i and a span j before it, and s_c(i, j) if there is a coarse
score; 0 for the dummy antecedent, which means that i starts a cluster or belongs to none.
"""

from typing import Callable, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import TokenBatch
from .coarse import CoarseScorer, Reach, preceding
from .dropout import Dropout
from .spans import PrunedSpans

N_BUCKETS = 10  # of distances, numbered from 1; 0 stays unused
VALUES_AT_A_TIME = 2**18  # of the vectors of pairs: they fit a CPU's caches
ON_A_GPU = 128  # times as many
MATCHES = ("none", "same last word", "same head word", "same words")
SPEAKER_PAIRS = ("unknown", "different", "same")
WORDS, SPEAKERS = "words", "speakers"  # features of tokens


class Pairs(NamedTuple):
    """Every kept span with n of the kept spans before it, nearest first.

    antecedent: indices of kept spans, 0 where there is none. [n_kept, n]
    exists: whether there is one. [n_kept, n]
    scores: s(i, j), the dummy's (always 0) in column 0, -inf where there is no antecedent. [n_kept, 1 + n]
    """

    antecedent: Tensor
    exists: Tensor
    scores: Tensor


def distance_bucket(distance: Tensor) -> Tensor:
    """1, 2, 3, 4, 5-7, 8-15, 16-31, 32-63, 64+ as 1 to 9 (Lee et al. 2017, section 7.1)."""
    log = torch.log2(distance.clamp(min=1).float()).floor().long() + 3
    return torch.where(distance <= 4, distance, log.clamp(max=N_BUCKETS - 1))


class AntecedentScorer(nn.Module):
    """s_a(i, j): [span ; antecedent ; their product ; features] through two hidden layers.

    The first layer is linear in these blocks: span and antecedent are projected once per
    span and only the product once per pair. The features are an embedding of the bucketed
    distance, in kept spans, and one of how the words match.

    nI: width of the spans' vectors; hidden: width of both layers.
    max_antecedents: each span is compared with so many kept spans before it: the nearest, or
    coarse_window: those with the best coarse scores of so many nearest ones; 0: without a coarse score.
    feature_width: width of the embeddings of distances and matches.
    string_match: whether the words' match is a feature (not in the paper); needs the feature "words".
    speakers: whether it is a feature who says both spans; needs the feature "speakers".
    """

    def __init__(
        self,
        nI: int,
        hidden: int,
        max_antecedents: int,
        coarse_window: int,
        dropout: float,
        feature_width: int,
        string_match: bool,
        speakers: bool,
    ):
        super().__init__()
        self.max_antecedents = max_antecedents
        self.coarse_window = coarse_window
        self.string_match = string_match
        self.speakers = speakers
        self.from_span = nn.Linear(nI, hidden)
        self.from_antecedent = nn.Linear(nI, hidden, bias=False)
        self.from_product = nn.Linear(nI, hidden, bias=False)
        self.distance = nn.Embedding(N_BUCKETS, feature_width)
        self.match = nn.Embedding(len(MATCHES), feature_width)
        self.from_features = nn.Linear(feature_width, hidden, bias=False)
        self.dropout = Dropout(dropout)
        self.hidden = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(inplace=True), Dropout(dropout))
        self.score = nn.Linear(hidden, 1)
        if speakers:
            self.speaker = nn.Embedding(len(SPEAKER_PAIRS), feature_width)
        if coarse_window:
            self.coarse = CoarseScorer(nI, dropout)

    def forward(
        self, tokens: TokenBatch, kept: PrunedSpans, represented: Tuple[Tensor, Tensor]
    ) -> Optional[Pairs]:
        """represented: span vectors [n_kept, nI] and head tokens [n_kept].
        RETURNS: None if no document keeps two spans.
        """
        spans, heads = represented
        reach = self._reach(spans, kept)
        if reach is None:
            return None
        names, speakers = self._names(tokens, kept, heads), self._speakers(tokens, kept)
        score = self._scorer(spans, kept.scores, names, speakers)
        n = reach.exists.shape[1]
        scores = [spans.new_zeros((0, n))]
        values = VALUES_AT_A_TIME * (1 if spans.device.type == "cpu" else ON_A_GPU)
        for rows in torch.arange(len(spans), device=spans.device).split(
            max(1, values // (spans.shape[1] * n))
        ):
            span, place = reach.exists[rows].nonzero(as_tuple=True)
            span_of_pair = rows[span]
            before = reach.antecedent[span_of_pair, place]
            pair = score(span_of_pair, before)  # [n_pairs]
            if reach.scores is not None:
                pair = pair + reach.scores[span_of_pair, place]
            scores.append(spans.new_full((len(rows), n), -torch.inf).index_put((span, place), pair))
        dummy = spans.new_zeros((len(spans), 1))  # its score is fixed, so that the others are relative to it
        scores_with_dummy = torch.cat([dummy, torch.cat(scores)], dim=1)
        return Pairs(reach.antecedent.clamp(min=0), reach.exists, scores_with_dummy)

    @property
    def farthest(self) -> int:
        """How many kept spans before a span its antecedent may be."""
        return max(self.max_antecedents, self.coarse_window)

    def _reach(self, spans: Tensor, kept: PrunedSpans) -> Optional[Reach]:
        """The antecedents that are scored; None if no document keeps two spans."""
        n = min(self.farthest, int(numpy.diff(kept.offsets).max(initial=0)) - 1)
        if n < 1:
            return None
        if self.coarse_window:
            reach: Reach = self.coarse(spans, kept, n, self.max_antecedents)
            return reach
        antecedent, exists = preceding(kept.offsets, n, spans.device)
        return Reach(antecedent, exists, None)

    def _scorer(
        self, spans: Tensor, mention: Tensor, names: Optional[Tensor], speakers: Optional[Tensor]
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """A function that scores pairs: from span and antecedent, [n_pairs] each, to [n_pairs].

        spans: [n_kept, nI]; mention: s_m, [n_kept]; names, speakers: see `_names` and `_speakers`.
        """
        from_span, from_antecedent = self.from_span(spans), self.from_antecedent(spans)  # [n_kept, hidden]
        distances = torch.arange(self.farthest + 1, device=spans.device)
        features = self.from_features(self.distance.weight)[distance_bucket(distances)]
        if names is not None:  # one row for every distance and match: row d * len(MATCHES) + m
            features = (features[:, None] + self.from_features(self.match.weight)).flatten(0, 1)
        if speakers is not None:  # and for every relation of the speakers
            features = (features[:, None] + self.from_features(self.speaker.weight)).flatten(0, 1)

        def score(span: Tensor, before: Tensor) -> Tensor:
            hidden = F.embedding(span, from_span)  # [n_pairs, hidden], summed in place from here on
            hidden += F.embedding(before, from_antecedent)
            row = span - before  # of the features: the distance, then match and speakers. [n_pairs]
            if names is not None:
                match = closest_match(names.index_select(0, span), names.index_select(0, before))
                row = row * len(MATCHES) + match
            if speakers is not None:
                row = row * len(SPEAKER_PAIRS) + compare_speakers(speakers[span], speakers[before])
            hidden += F.embedding(row, features)
            product = F.embedding(span, spans) * F.embedding(before, spans)  # [n_pairs, nI]
            hidden = hidden.addmm_(product, self.from_product.weight.T)
            hidden = self.hidden(self.dropout(hidden.relu_()))
            scores: Tensor = self.score(hidden)[:, 0] + mention[span] + mention[before]
            return scores

        return score

    def _names(self, tokens: TokenBatch, kept: PrunedSpans, heads: Tensor) -> Optional[Tensor]:
        """What spans are compared by: ids of their last word, head word and all words. [n_kept, 3]"""
        if not self.string_match:
            return None
        words = torch.from_numpy(tokens.features[WORDS]).to(heads.device)
        widest = int((kept.ends - kept.starts).max())
        position = kept.starts[:, None] + torch.arange(widest, device=heads.device)[None, :]
        outside = position >= kept.ends[:, None]  # [n_kept, widest]
        ids = words[position.clamp(max=len(words) - 1)].masked_fill_(outside, 0)
        # a hash of each span's words, which may overflow: [n_kept]
        string = (ids * hash_factors(widest).to(heads.device)).sum(dim=1)
        return torch.stack([words[kept.ends - 1], words[heads], string], dim=1)

    def _speakers(self, tokens: TokenBatch, kept: PrunedSpans) -> Optional[Tensor]:
        """The id of each span's speaker, who says its first word. [n_kept]"""
        if not self.speakers:
            return None
        return torch.from_numpy(tokens.features[SPEAKERS]).to(kept.starts.device)[kept.starts]


def hash_factors(n: int) -> Tensor:
    """Odd random numbers of 64 bits, always the same: sums of word ids times these tell strings apart. [n]"""
    drawn = numpy.random.default_rng(0).integers(2**63, size=n, dtype=numpy.int64)
    return torch.from_numpy(drawn * 2 + 1)


def compare_speakers(span: Tensor, before: Tensor) -> Tensor:
    """Indices of SPEAKER_PAIRS, from the ids of both speakers of pairs. [n_pairs] -> [n_pairs]"""
    known = (span != 0) & (before != 0)  # [n_pairs]
    return known.long() * (1 + (span == before).long())


def closest_match(span: Tensor, before: Tensor) -> Tensor:
    """Indices of MATCHES, from the names of both spans of each pair. [n_pairs, 3] both -> [n_pairs]"""
    same = span == before
    match = torch.where(same[:, 1], 2, same[:, 0].long())  # the closest of several matches counts
    return torch.where(same[:, 2], 3, match)
