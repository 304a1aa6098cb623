"""The relation head: multi-head selection (Bekoulis et al. 2018, section 3.4)."""

from typing import Iterator, List, Sequence, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout, TokenBatch
from .dropout import Dropout
from .head import Head
from .pairs import OrderedPairs, at_a_time, decode_pairs, from_both_sides, ordered_pairs, pair_loss


class MultiHeadSelection(nn.Module, Head):
    """Any number of directed, typed relations between two tokens of a sentence.

    score(i, j) = ReLU(h_i U + h_j W + b) V, a sigmoid for every type, where h_i and h_j are the
    encoder's vectors of head and tail. A token is never related to itself. Rows are head start, head end,
    tail start, tail end, label; arguments are the *last tokens* of the mentions, so the ends are
    what is learned and predicted spans are one token long.

    nI: width of the encoder's vectors; n_labels: number of types; hidden: width of the pairs' vectors.
    positive_rate: expected share of related pairs; the bias starts at its log odds, since all
        pairs of tokens are scored and very few are related.
    inverse: for each label the one that says the same from the tail's side, -1 for none; both are learned.
    """

    def __init__(
        self,
        nI: int,
        n_labels: int,
        *,
        hidden: int,
        dropout: float,
        positive_rate: float,
        inverse: Sequence[int],
    ):
        super().__init__()
        self.inverse = inverse
        self.dropout = Dropout(dropout)
        self.from_head = nn.Linear(nI, hidden)
        self.from_tail = nn.Linear(nI, hidden, bias=False)
        self.score = nn.Linear(hidden, n_labels)
        nn.init.constant_(self.score.bias, float(numpy.log(positive_rate / (1.0 - positive_rate))))

    def loss(self, tokens: TokenBatch, gold: List[numpy.ndarray]) -> Tensor:
        """Binary cross-entropy, summed over the pairs of a sentence, mean over sentences.

        gold: rows per document, [n, 5]; both arguments in one sentence, with different last tokens.
        """
        layout = tokens.layout
        scored = self._scored(layout, self.dropout(tokens.vectors))
        # flat last tokens of head and tail, and the label. [n_relations, 3]
        related = layout.join_docs(gold, columns=4)[:, [1, 3, 4]] - [1, 1, 0]
        related = from_both_sides(related, self.inverse, tokens.label_sets)
        loss = pair_loss(
            scored, related, numpy.arange(layout.n_tokens), tokens.unannotated, tokens.label_sets
        )
        return loss / len(layout.sentence_lengths)

    @torch.no_grad()
    def decode(
        self, tokens: TokenBatch, threshold: float = 0.5
    ) -> Tuple[List[numpy.ndarray], List[numpy.ndarray]]:
        """RETURNS: rows [n, 5] and probabilities [n] per document.

        threshold: a relation is predicted if its probability is above that.
        """
        starts = numpy.arange(tokens.layout.n_tokens)
        scored = self._scored(tokens.layout, tokens.vectors)
        return tokens.layout.split_scored(*decode_pairs(scored, threshold, starts, starts + 1), columns=4)

    def _scored(self, layout: Layout, vectors: Tensor) -> Iterator[Tuple[OrderedPairs, Tensor]]:
        """Pairs of tokens and their logits, [n_pairs, n_labels]. vectors: [n_tokens, nI]"""
        heads, tails = self._project(vectors)
        for pairs in ordered_pairs(layout.sentence_lengths, at_a_time(vectors)):
            yield pairs, self._score(heads, tails, pairs)

    def _project(self, vectors: Tensor) -> Tuple[Tensor, Tensor]:
        """What tokens contribute to their pairs, as heads and as tails. The first layer is linear in both
        vectors, so it runs once per token and is only summed per pair.

        vectors: [n_tokens, nI]. RETURNS: [n_tokens, hidden] both
        """
        return self.from_head(vectors), self.from_tail(vectors)

    def _score(self, heads: Tensor, tails: Tensor, pairs: OrderedPairs) -> Tensor:
        """Logits. [n_pairs, n_labels]"""
        head = torch.from_numpy(pairs.head).to(heads.device)
        tail = torch.from_numpy(pairs.tail).to(heads.device)
        hidden = F.embedding(head, heads)  # [n_pairs, hidden], summed in place
        hidden += F.embedding(tail, tails)
        logits: Tensor = self.score(hidden.relu_())
        return logits
