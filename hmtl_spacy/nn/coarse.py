"""Which antecedents are scored: the nearest, or those with the best coarse scores (Lee et al. 2018)."""

from typing import List, NamedTuple, Optional, Tuple

import numpy
import torch
from torch import Tensor, nn

from .dropout import Dropout
from .spans import PrunedSpans

SCORES_AT_A_TIME = 2**20  # of a block of spans with all spans in its reach


class Reach(NamedTuple):
    """Some of the kept spans before each kept span, nearest first.

    antecedent: indices of kept spans, below 0 or of another document where there is none. [n_kept, n]
    exists: whether there is one. [n_kept, n]
    scores: what their score has besides, if anything. [n_kept, n]
    """

    antecedent: Tensor
    exists: Tensor
    scores: Optional[Tensor]


def preceding(
    offsets: List[int], n: int, device: torch.device, some: slice = slice(None)
) -> Tuple[Tensor, Tensor]:
    """The numbering of pairs: row i is a kept span, column k the span k + 1 places before it.

    A document with the spans 0, 1, 2 and one with the spans 3, 4, each with up to two antecedents:

    >>> antecedent, exists = preceding([0, 3, 5], n=2, device=torch.device("cpu"))
    >>> antecedent.tolist()
    [[-1, -2], [0, -1], [1, 0], [2, 1], [3, 2]]
    >>> exists.tolist()  # no link leaves a document: span 3 has no antecedent
    [[False, False], [True, False], [True, True], [False, False], [True, False]]

    offsets: document d has the spans offsets[d] to offsets[d + 1], exclusive. [n_docs + 1]
    n: columns.
    some: the rows that are wanted.
    RETURNS: the antecedents, and which of them are spans of the same document. [n_kept, n] both
    """
    sizes = numpy.diff(offsets)
    first = torch.from_numpy(numpy.repeat(offsets[:-1], sizes)[some]).to(device)  # of each span's document
    own = torch.arange(offsets[-1], device=device)[some]
    antecedent = own[:, None] - torch.arange(1, n + 1, device=device)[None, :]  # [n_kept, n]
    return antecedent, antecedent >= first[:, None]


class CoarseScorer(nn.Module):
    """s_c(i, j) = g_i W g_j of the spans' vectors g: one product for many pairs (Lee et al. 2018, section 4).

    Of all antecedents in reach those are chosen that have the highest s_m(j) + s_c(i, j): s_m(i) is the same
    for all. The score counts in the full one too, which is how it learns.

    nI: width of the spans' vectors.
    """

    def __init__(self, nI: int, dropout: float):
        super().__init__()
        self.dropout = Dropout(dropout)
        self.product = nn.Linear(nI, nI, bias=False)

    def forward(self, spans: Tensor, kept: PrunedSpans, window: int, n: int) -> Reach:
        """The best n antecedents of those up to `window` places before a span; all if there are no more.

        spans: [n_kept, nI]
        """
        projected = self.product(self.dropout(spans))
        # a block of at least `window` spans is compared with itself and the `window` spans before it
        rows = max(window, SCORES_AT_A_TIME // (2 * window))
        blocks = [
            self._block(projected, spans, kept, slice(start, min(start + rows, len(spans))), window, n)
            for start in range(0, len(spans), rows)
        ]
        antecedent, exists, scores = (torch.cat(of_blocks) for of_blocks in zip(*blocks))
        return Reach(antecedent, exists, scores)

    def _block(
        self, projected: Tensor, spans: Tensor, kept: PrunedSpans, some: slice, window: int, n: int
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """The reach of some spans. projected: g_i W. [n_kept, nI]"""
        antecedent, exists = preceding(kept.offsets, window, spans.device, some)  # [n_rows, window]
        begin = max(0, some.start - window)
        products = projected[some] @ spans[begin : some.stop].T  # [n_rows, all spans from `begin` on]
        scores = products.gather(1, (antecedent - begin).clamp(min=0))  # [n_rows, window]
        if window <= n:
            return antecedent, exists, scores
        mention = kept.scores.detach()[antecedent.clamp(min=0)]
        best = (scores.detach() + mention).masked_fill_(~exists, -torch.inf).topk(n, dim=1).indices
        column = best.sort(dim=1).values  # nearest first, [n_rows, n]
        return antecedent.gather(1, column), exists.gather(1, column), scores.gather(1, column)
