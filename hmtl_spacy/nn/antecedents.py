"""Antecedent scores of the spans that coreference keeps (Lee et al. 2017, section 4)."""

from typing import NamedTuple, Optional, Tuple

import numpy
import torch
from torch import Tensor, nn

from .batch import TokenBatch

N_BUCKETS = 10
PAIRS_AT_A_TIME = 8192  # their vectors fit a CPU's caches
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
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.score = nn.Linear(hidden, 1)

    def forward(self, tokens: TokenBatch, kept, represented: Tuple[Tensor, Tensor]) -> Optional[Pairs]:
        """represented: span vectors [n_kept, nI] and head tokens [n_kept]. None if nothing was kept."""
        spans, heads = represented
        n_kept = len(spans)
        sizes = numpy.diff(kept.offsets)
        n = min(self.max_antecedents, int(sizes.max(initial=0)) - 1)
        if n < 1:
            return None
        device = spans.device
        first = torch.from_numpy(numpy.repeat(kept.offsets[:-1], sizes)).to(device)
        own = torch.arange(n_kept, device=device)
        antecedent = own[:, None] - torch.arange(1, n + 1, device=device)[None, :]
        exists = antecedent >= first[:, None]
        span, column = exists.nonzero(as_tuple=True)
        before = antecedent[span, column]
        match = self._matches(tokens, kept, heads, span, before) if self.string_match else None
        pair = self._score(spans, span, before, distance_bucket(column + 1), match)
        pair = pair + kept.scores[span] + kept.scores[before]
        scores = spans.new_full((n_kept, n), -torch.inf).index_put((span, column), pair)
        antecedent = antecedent.clamp(min=0)
        return Pairs(antecedent, exists, torch.cat([scores.new_zeros((n_kept, 1)), scores], dim=1))

    def _score(
        self, spans: Tensor, span: Tensor, before: Tensor, distance: Tensor, match: Optional[Tensor]
    ) -> Tensor:
        """Scores of pairs, each a span and the one before it by their indices. [n_pairs]"""
        from_span, from_antecedent = self.from_span(spans), self.from_antecedent(spans)
        from_distance = self.from_features(self.distance.weight)
        from_match = self.from_features(self.match.weight)
        scores = [spans.new_zeros(0)]
        for pairs in torch.arange(len(span), device=spans.device).split(PAIRS_AT_A_TIME):
            one, other = span[pairs], before[pairs]
            hidden = self.from_product(spans[one] * spans[other])
            hidden += from_span[one]
            hidden += from_antecedent[other]
            hidden += from_distance[distance[pairs]]
            if match is not None:
                hidden += from_match[match[pairs]]
            scores.append(self.score(self.hidden(self.dropout(hidden.relu_())))[:, 0])
        return torch.cat(scores)

    def _matches(self, tokens: TokenBatch, kept, heads: Tensor, span: Tensor, before: Tensor) -> Tensor:
        """The closest match of each pair, as an index of MATCHES. [n_pairs]"""
        words = torch.from_numpy(tokens.word_ids).to(span.device)
        widest = int((kept.ends - kept.starts).max())
        inside = kept.starts[:, None] + torch.arange(widest, device=span.device)[None, :]
        strings = torch.where(
            inside < kept.ends[:, None], words[inside.clamp(max=len(words) - 1)], torch.full_like(inside, -1)
        )
        string = strings.unique(dim=0, return_inverse=True)[1]
        last, head = words[kept.ends - 1], words[heads]
        match = (last[span] == last[before]).long()
        match = torch.where(head[span] == head[before], 2, match)
        return torch.where(string[span] == string[before], 3, match)
