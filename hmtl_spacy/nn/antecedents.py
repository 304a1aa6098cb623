"""Antecedent scores of the spans that coreference keeps (Lee et al. 2017, section 4)."""

from typing import Callable, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import TokenBatch
from .dropout import Dropout

N_BUCKETS = 10
VALUES_AT_A_TIME = 2**18  # of the vectors of pairs: they fit a CPU's caches
ON_A_GPU = 128  # times as many
MATCHES = ("none", "same last word", "same head word", "same words")


class Pairs(NamedTuple):
    """antecedent: indices of kept spans, [n_kept, n]; exists: whether there is one, [n_kept, n];
    scores: of the dummy (column 0, always 0) and the antecedents, [n_kept, 1 + n].
    """

    antecedent: Tensor
    exists: Tensor
    scores: Tensor


def distance_bucket(distance: Tensor) -> Tensor:
    """1, 2, 3, 4, 5-7, 8-15, 16-31, 32-63, 64+ as 1 to 9."""
    log = torch.log2(distance.clamp(min=1).float()).floor().long() + 3
    return torch.where(distance <= 4, distance, log.clamp(max=N_BUCKETS - 1))


class AntecedentScorer(nn.Module):
    """Scores of pairs of spans: [span ; antecedent ; their product ; features] through two layers.

    The first layer is linear in these blocks: span and antecedent are projected once per
    span and only the product once per pair.

    string_match: also tell whether the words are the same (not in the paper).
    """

    def __init__(
        self,
        nI: int,
        hidden: int,
        max_antecedents: int,
        dropout: float,
        feature_width: int,
        string_match: bool,
    ):
        super().__init__()
        self.max_antecedents = max_antecedents
        self.string_match = string_match
        self.from_span = nn.Linear(nI, hidden)
        self.from_antecedent = nn.Linear(nI, hidden, bias=False)
        self.from_product = nn.Linear(nI, hidden, bias=False)
        self.distance = nn.Embedding(N_BUCKETS, feature_width)
        self.match = nn.Embedding(len(MATCHES), feature_width)
        self.from_features = nn.Linear(feature_width, hidden, bias=False)
        self.dropout = Dropout(dropout)
        self.hidden = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(inplace=True), Dropout(dropout))
        self.score = nn.Linear(hidden, 1)

    def forward(self, tokens: TokenBatch, kept, represented: Tuple[Tensor, Tensor]) -> Optional[Pairs]:
        """represented: span vectors [n_kept, nI] and head tokens [n_kept]. None if nothing was kept."""
        spans, heads = represented
        sizes = numpy.diff(kept.offsets)
        n = min(self.max_antecedents, int(sizes.max(initial=0)) - 1)
        if n < 1:
            return None
        first = torch.from_numpy(numpy.repeat(kept.offsets[:-1], sizes)).to(spans.device)
        own = torch.arange(len(spans), device=spans.device)
        antecedent = own[:, None] - torch.arange(1, n + 1, device=spans.device)[None, :]
        exists = antecedent >= first[:, None]
        score = self._scorer(spans, kept.scores, self._names(tokens, kept, heads))
        scores = [spans.new_zeros((0, n))]
        values = VALUES_AT_A_TIME * (1 if spans.device.type == "cpu" else ON_A_GPU)
        for rows in own.split(max(1, values // (spans.shape[1] * n))):
            span, column = exists[rows].nonzero(as_tuple=True)
            pair = score(rows[span], antecedent[rows][span, column], column)
            scores.append(spans.new_full((len(rows), n), -torch.inf).index_put((span, column), pair))
        dummy = spans.new_zeros((len(spans), 1))
        return Pairs(antecedent.clamp(min=0), exists, torch.cat([dummy, torch.cat(scores)], dim=1))

    def _scorer(self, spans: Tensor, mention: Tensor, names: Optional[Tensor]) -> Callable[..., Tensor]:
        """A function that scores pairs: from a span, one before it and how far, less one, to [n_pairs]."""
        from_span, from_antecedent = self.from_span(spans), self.from_antecedent(spans)
        distances = torch.arange(1, self.max_antecedents + 1, device=spans.device)
        features = self.from_features(self.distance.weight)[distance_bucket(distances)]
        if names is not None:  # a row for every distance and match
            features = (features[:, None] + self.from_features(self.match.weight)).flatten(0, 1)

        def score(span: Tensor, before: Tensor, column: Tensor) -> Tensor:
            hidden = F.embedding(span, from_span)
            hidden += F.embedding(before, from_antecedent)
            if names is not None:
                match = closest_match(names.index_select(0, span), names.index_select(0, before))
                column = column * len(MATCHES) + match
            hidden += F.embedding(column, features)
            product = F.embedding(span, spans) * F.embedding(before, spans)
            hidden = hidden.addmm_(product, self.from_product.weight.T)
            hidden = self.hidden(self.dropout(hidden.relu_()))
            return self.score(hidden)[:, 0] + mention[span] + mention[before]

        return score

    def _names(self, tokens: TokenBatch, kept, heads: Tensor) -> Optional[Tensor]:
        """What spans are compared by: the ids of their last word, head word and of all. [n_kept, 3]"""
        if not self.string_match:
            return None
        words = torch.from_numpy(tokens.word_ids).to(heads.device)
        widest = int((kept.ends - kept.starts).max())
        inside = kept.starts[:, None] + torch.arange(widest, device=heads.device)[None, :]
        outside = inside >= kept.ends[:, None]
        ids = words[inside.clamp(max=len(words) - 1)].masked_fill_(outside, 0)
        string = (ids * hash_factors(widest).to(heads.device)).sum(dim=1)
        return torch.stack([words[kept.ends - 1], words[heads], string], dim=1)


def hash_factors(n: int) -> Tensor:
    """Odd numbers of 64 random bits, always the same: sums of word ids times these tell strings apart. [n]"""
    drawn = numpy.random.default_rng(0).integers(2**63, size=n, dtype=numpy.int64)
    return torch.from_numpy(drawn * 2 + 1)


def closest_match(one: Tensor, other: Tensor) -> Tensor:
    """Indices of MATCHES, from what `_names` gives of the spans of pairs. [n_pairs, 3] -> [n_pairs]"""
    same = one == other
    match = torch.where(same[:, 1], 2, same[:, 0].long())
    return torch.where(same[:, 2], 3, match)
