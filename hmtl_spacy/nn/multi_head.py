"""The relation head: multi-head selection (Bekoulis et al. 2018, section 3.4)."""

from dataclasses import dataclass
from typing import Iterator, List, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout, TokenBatch
from .dropout import Dropout
from .head import Head

MAX_PAIRS = 4096  # more are slower on a CPU: their vectors don't fit its caches
ON_A_GPU = 4  # times as many


class MultiHeadSelection(nn.Module, Head):
    """Any number of directed, typed relations between two tokens of a sentence.

    score(i, j) = ReLU(h_i U + h_j W + b) V, a sigmoid for every type, where h_i and h_j are the
    encoder's vectors of head and tail. A token is never related to itself. Rows are head start, head end,
    tail start, tail end, label; arguments are the *last tokens* of the mentions, so the ends are
    what is learned and predicted spans are one token long.

    nI: width of the encoder's vectors; n_labels: number of types; hidden: width of the pairs' vectors.
    positive_rate: expected share of related pairs; the bias starts at its log odds, since all
        pairs of tokens are scored and very few are related.
    """

    def __init__(self, nI: int, n_labels: int, *, hidden: int, dropout: float, positive_rate: float):
        super().__init__()
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
        heads, tails = self._project(self.dropout(tokens.vectors))
        # flat last tokens of head and tail, and the label. [n_relations, 3]
        related = numpy.concatenate(
            [rows[:, [1, 3, 4]] + [start - 1, start - 1, 0] for rows, start in zip(gold, layout.doc_starts)]
        )
        loss = heads.new_zeros(())
        for pairs in token_pairs(layout, _max_pairs(heads)):
            logits = self._score(heads, tails, pairs)  # [n_pairs, n_labels]
            inside = related[(related[:, 0] >= pairs.start) & (related[:, 0] < pairs.end)]
            target = numpy.zeros(logits.shape, dtype=numpy.float32)
            target[pairs.index(inside[:, 0], inside[:, 1]), inside[:, 2]] = 1.0
            # a token's pair with itself is no candidate: its loss weighs nothing. [n_pairs, 1]
            different = torch.from_numpy((pairs.head != pairs.tail).astype(numpy.float32)[:, None])
            loss = loss + F.binary_cross_entropy_with_logits(
                logits,
                torch.from_numpy(target).to(logits.device),
                weight=different.to(logits.device),
                reduction="sum",
            )
        return loss / len(layout.sentence_lengths)

    @torch.no_grad()
    def decode(
        self, tokens: TokenBatch, threshold: float = 0.5
    ) -> Tuple[List[numpy.ndarray], List[numpy.ndarray]]:
        """RETURNS: rows [n, 5] and probabilities [n] per document.

        threshold: a relation is predicted if its probability is above that.
        """
        layout = tokens.layout
        heads, tails = self._project(tokens.vectors)
        rows, scores = [numpy.zeros((0, 5), dtype=numpy.int64)], [numpy.zeros(0, dtype=numpy.float32)]
        for pairs in token_pairs(layout, _max_pairs(heads)):
            probability = self._score(heads, tails, pairs).sigmoid()  # [n_pairs, n_labels]
            pairs_of_rows, labels_of_rows = (probability > threshold).nonzero(as_tuple=True)  # [n_rows] both
            scored = probability[pairs_of_rows, labels_of_rows].cpu().numpy()
            pair, label = pairs_of_rows.cpu().numpy(), labels_of_rows.cpu().numpy()
            head, tail = pairs.head[pair], pairs.tail[pair]
            rows.append(numpy.stack([head, head + 1, tail, tail + 1, label], axis=1)[head != tail])
            scores.append(scored[head != tail])
        related, confidences = numpy.concatenate(rows), numpy.concatenate(scores)
        # pairs are by head, so rows are in the order of documents
        bounds = numpy.searchsorted(related[:, 0], layout.doc_starts)[1:]
        return layout.split_docs(related, 4), numpy.split(confidences, bounds)

    def _project(self, vectors: Tensor) -> Tuple[Tensor, Tensor]:
        """What tokens contribute to their pairs, as heads and as tails. The first layer is linear in both
        vectors, so it runs once per token and is only summed per pair.

        vectors: [n_tokens, nI]. RETURNS: [n_tokens, hidden] both
        """
        return self.from_head(vectors), self.from_tail(vectors)

    def _score(self, heads: Tensor, tails: Tensor, pairs: "TokenPairs") -> Tensor:
        """Logits. [n_pairs, n_labels]"""
        head = torch.from_numpy(pairs.head).to(heads.device)
        tail = torch.from_numpy(pairs.tail).to(heads.device)
        hidden = F.embedding(head, heads)  # [n_pairs, hidden], summed in place
        hidden += F.embedding(tail, tails)
        logits: Tensor = self.score(hidden.relu_())
        return logits


def _max_pairs(vectors: Tensor) -> int:
    """How many pairs are scored at a time."""
    return MAX_PAIRS if vectors.device.type == "cpu" else ON_A_GPU * MAX_PAIRS


@dataclass
class TokenPairs:
    """All ordered pairs of tokens within each of some consecutive sentences.

    Sentences of 2 and 1 tokens have five: a token's pair with itself is included, so that a pair's
    place can be computed.

    >>> (pairs,) = token_pairs(Layout([3], [2, 1]), max_pairs=100)
    >>> list(zip(pairs.head.tolist(), pairs.tail.tolist()))
    [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)]

    The pairs of one head follow each other in the order of the tails, so the pair of head h and tail t
    is at first[h] + t; `first` may be negative, since no tail comes before its sentence.

    >>> pairs.first.tolist()
    [0, 2, 2]
    >>> pairs.index(numpy.array([1, 2]), numpy.array([0, 2])).tolist()
    [2, 4]

    start, end: the flat tokens that the sentences span, end exclusive.
    head, tail: flat tokens, by head, then by tail. [n_pairs]
    first: for each head the place of its pair with flat token 0, were there one. [end - start]
    """

    start: int
    end: int
    head: numpy.ndarray
    tail: numpy.ndarray
    first: numpy.ndarray

    def index(self, head: numpy.ndarray, tail: numpy.ndarray) -> numpy.ndarray:
        """The places of pairs of flat tokens, each within a sentence. [n] both -> [n]"""
        places: numpy.ndarray = self.first[head - self.start] + tail
        return places


def token_pairs(layout: Layout, max_pairs: int) -> Iterator[TokenPairs]:
    """The pairs of a batch in chunks of whole sentences.

    max_pairs: a chunk has more only if it is one sentence.
    """
    lengths, starts = layout.sentence_lengths, layout.sentence_starts
    cumulative = numpy.cumsum(lengths**2)  # pairs up to each sentence, [n_sentences]
    first = 0
    while first < len(lengths):
        before = cumulative[first - 1] if first else 0
        last = max(first + 1, int(numpy.searchsorted(cumulative, before + max_pairs, side="right")))
        n = lengths[first:last]
        start, end = int(starts[first]), int(starts[last - 1] + lengths[last - 1])
        tails_of_token = numpy.repeat(n, n)  # [end - start]
        first_pair = numpy.concatenate(([0], numpy.cumsum(tails_of_token)))[:-1]
        offset = first_pair - numpy.repeat(starts[first:last], n)
        head = numpy.repeat(numpy.arange(start, end), tails_of_token)
        tail = numpy.arange(len(head)) - numpy.repeat(offset, tails_of_token)
        yield TokenPairs(start, end, head, tail, offset)
        first = last
