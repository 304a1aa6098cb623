"""The relation head over pairs of spans that another level finds, with what stands between them."""

from typing import Iterator, List, Sequence, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .antecedents import N_BUCKETS, distance_bucket
from .batch import TokenBatch
from .dropout import Dropout
from .head import Head
from .pairs import OrderedPairs, at_a_time, decode_pairs, from_both_sides, ordered_pairs, pair_loss
from .sentence_spans import NO_LABEL, Gaps, SentenceSpans, gaps_between, labelled, range_max, sentence_spans

SPANS_AT_A_TIME = 1024  # of which the vectors are made: these are wide
Scored = Iterator[Tuple[OrderedPairs, Tensor]]


class SpanPairHead(nn.Module, Head):
    """Any number of directed, typed relations between two spans of a sentence that end on different tokens.

    With x_t = [what the encoder read ; what it gives] at token t, a span is
    s = [x_first ; x_last ; max of x over its tokens ; its width ; its label], and a pair of head i and tail j
    has the score

        ReLU(s_i U + s_j W + (s_i P * s_j Q) R + max of x over the tokens between C + d(i, j) + b) V

    d is an embedding of their order and distance; a vector of its own stands for a context without tokens.
    The context is that of SpERT (Eberts and Ulges 2020, section 3.3). Everything that is linear in one span
    is computed once per span, and a context once for both directions.

    Rows are head start, head end, tail start, tail end, label.

    nI: width of the encoder's vectors; nX: width of what the encoder read; n_labels: number of types.
    candidates_from: the level whose spans are the candidates.
    n_types: number of that level's labels; 0 if they aren't read.
    hidden: width of the pairs' vectors; product_width: of P and Q, 0 for no product.
    context: whether the tokens between are read. distances: whether order and distance are.
    feature_width: width of the embeddings of widths, labels and distances.
    dropout: on the vectors of spans, of contexts and of pairs.
    positive_rate: expected share of related pairs; the bias starts at its log odds.
    inverse: for each label the one that says the same from the tail's side, -1 for none; both are learned.
    """

    reads_inputs = True
    takes_candidates = True

    def __init__(
        self,
        nI: int,
        nX: int,
        n_labels: int,
        *,
        candidates_from: str,
        n_types: int,
        hidden: int,
        product_width: int,
        context: bool,
        distances: bool,
        feature_width: int,
        dropout: float,
        positive_rate: float,
        inverse: Sequence[int],
    ):
        super().__init__()
        self.inverse = inverse
        self.candidates_from = candidates_from
        self.n_types = n_types
        self.product_width = product_width
        self.width = nn.Embedding(N_BUCKETS, feature_width)
        nS = 3 * (nI + nX) + feature_width
        if n_types:
            self.label = nn.Embedding(n_types + 1, feature_width)  # the last one is of spans without a label
            nS += feature_width
        self.from_head = nn.Linear(nS, hidden)
        self.from_tail = nn.Linear(nS, hidden, bias=False)
        if product_width:
            self.head_factor = nn.Linear(nS, product_width)
            self.tail_factor = nn.Linear(nS, product_width)
            self.from_product = nn.Linear(product_width, hidden, bias=False)
        if context:
            self.from_context = nn.Linear(nI + nX, hidden, bias=False)
            self.no_context = nn.Parameter(torch.zeros(hidden))
        if distances:
            self.distance = nn.Embedding(2 * N_BUCKETS, feature_width)
            self.from_distance = nn.Linear(feature_width, hidden, bias=False)
        self.context, self.distances = context, distances
        self.dropout = Dropout(dropout)
        self.score = nn.Linear(hidden, n_labels)
        nn.init.constant_(self.score.bias, float(numpy.log(positive_rate / (1.0 - positive_rate))))

    def loss(self, tokens: TokenBatch, gold: List[numpy.ndarray]) -> Tensor:
        """Binary cross-entropy, summed over the pairs of a sentence, mean over sentences.

        gold: rows per document, [n, 5]; both arguments in one sentence, with different last tokens. Those
            that aren't among the candidates are added to them.
        """
        layout = tokens.layout
        arguments = [rows[:, :4].reshape(-1, 2) for rows in gold]
        candidates = [
            numpy.concatenate([labelled(rows), labelled(of_doc)])
            for rows, of_doc in zip(self._given(tokens), arguments)
        ]
        spans = sentence_spans(layout, candidates)
        heads, tails, labels = numpy.split(layout.join_docs(gold, columns=4), [2, 4], axis=1)
        related = numpy.stack([spans.index(*heads.T), spans.index(*tails.T), labels[:, 0]], axis=1)
        related = from_both_sides(related, self.inverse, tokens.label_sets)
        unannotated = None if tokens.unannotated is None else tokens.unannotated[spans.starts]
        scored = self._scored(tokens, spans)
        loss = pair_loss(scored, related, spans.ends, unannotated, tokens.label_sets)
        # also without any pair the loss has a gradient, of zero
        return (loss + tokens.vectors[:0].sum()) / len(layout.sentence_lengths)

    @torch.no_grad()
    def decode(
        self, tokens: TokenBatch, threshold: float = 0.5
    ) -> Tuple[List[numpy.ndarray], List[numpy.ndarray]]:
        """RETURNS: rows [n, 5] and probabilities [n] per document.

        threshold: a relation is predicted if its probability is above that.
        """
        spans = sentence_spans(tokens.layout, self._given(tokens))
        rows, scores = decode_pairs(self._scored(tokens, spans), threshold, spans.starts, spans.ends)
        return tokens.layout.split_scored(rows, scores, columns=4)

    def _given(self, tokens: TokenBatch) -> List[numpy.ndarray]:
        if tokens.candidates is None:
            raise ValueError(
                f"The head scores pairs of the spans of '{self.candidates_from}', but the tokens come "
                f"without any. Set `candidates` of the TokenBatch."
            )
        return tokens.candidates.rows

    def _scored(self, tokens: TokenBatch, spans: SentenceSpans) -> Scored:
        """Pairs of spans and their logits, [n_pairs, n_labels]."""
        if not len(spans.starts):
            return
        heads, tails, *factors = self._project(tokens, spans)
        for pairs in ordered_pairs(spans.sizes, at_a_time(heads)):
            head, tail = (_on(heads, items) for items in (pairs.head, pairs.tail))
            hidden = F.embedding(head, heads)  # [n_pairs, hidden], summed in place
            hidden += F.embedding(tail, tails)
            gaps = gaps_between(spans, pairs)
            if self.context:
                hidden += F.embedding(_on(heads, gaps.gap), self._contexts(tokens, gaps))
            if self.distances:
                bucket = 2 * distance_bucket(_on(heads, gaps.distance)) + (head < tail)
                hidden += F.embedding(bucket, self.from_distance(self.distance.weight))
            if factors:
                product = F.embedding(head, factors[0]) * F.embedding(tail, factors[1])
                hidden = hidden.addmm_(product, self.from_product.weight.T)
            yield pairs, self.score(self.dropout(hidden.relu_()))

    def _project(self, tokens: TokenBatch, spans: SentenceSpans) -> List[Tensor]:
        """What spans contribute to their pairs as heads and as tails, [n_spans, hidden], and the factors of
        the product, [n_spans, product_width], if there is one.
        """
        layers = [self.from_head, self.from_tail]
        if self.product_width:
            layers += [self.head_factor, self.tail_factor]
        projected = []
        for first in range(0, len(spans.starts), SPANS_AT_A_TIME):
            vectors = self._represent(tokens, spans, slice(first, first + SPANS_AT_A_TIME))
            projected.append([layer(vectors) for layer in layers])
        return [torch.cat(of_layer) for of_layer in zip(*projected)]

    def _represent(self, tokens: TokenBatch, spans: SentenceSpans, some: slice) -> Tensor:
        """The vectors of some spans. [n_spans, nS]"""
        x, starts, ends = self._around(tokens, spans.starts[some], spans.ends[some])
        parts = [F.embedding(starts, x), F.embedding(ends - 1, x), range_max(x, starts, ends)]
        parts.append(self.width(distance_bucket(ends - starts)))
        if self.n_types:
            labels = spans.labels[some]
            known = (labels > NO_LABEL) & (labels < self.n_types)
            parts.append(self.label(_on(x, numpy.where(known, labels, self.n_types))))
        represented: Tensor = self.dropout(torch.cat(parts, dim=1))
        return represented

    def _contexts(self, tokens: TokenBatch, gaps: Gaps) -> Tensor:
        """What each gap contributes to its pairs, that of no token first. [1 + n_gaps, hidden]"""
        if not len(gaps.starts):
            return self.no_context[None]
        largest = range_max(*self._around(tokens, gaps.starts, gaps.ends))  # [n_gaps, nX + nI]
        return torch.cat([self.no_context[None], self.from_context(self.dropout(largest))])

    def _around(
        self, tokens: TokenBatch, starts: numpy.ndarray, ends: numpy.ndarray
    ) -> Tuple[Tensor, Tensor, Tensor]:
        """What the encoder read and gives for the tokens among which some ranges lie, [n, nX + nI], and where
        the ranges lie in it. So neither is concatenated for a whole document.
        """
        first, last = int(starts.min()), int(ends.max())
        x = torch.cat([part[first:last] for part in (*tokens.read, tokens.vectors)], dim=1)
        return x, _on(x, starts - first), _on(x, ends - first)


def _on(x: Tensor, index: numpy.ndarray) -> Tensor:
    """An index where the vectors are."""
    return torch.from_numpy(index).to(x.device)
