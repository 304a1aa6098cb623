"""The head of nested, typed spans: every span of a sentence has one label, or none."""

from typing import Iterator, Optional, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout, TokenBatch
from .crossing import best_without_crossing
from .dropout import Dropout
from .head import Decoded, LabellingHead, NestingHead, Rows
from .pairs import at_a_time

NONE = 0  # the class of spans that are nothing; label k is class k + 1


class SpanLabelHead(nn.Module, LabellingHead, NestingHead):
    """Spans of up to `max_width` tokens within sentences, each with at most one label; they may nest.

    The span from token i to token j, with the encoder's vectors x, has the scores

        ReLU(x_i U + x_j W + (x_i P * x_j Q) R + w(j - i) + b) V

    of none and of each label, a softmax over which gives its probabilities. w is an embedding of the width.
    Everything that is linear in one token is computed once per token.

    Rows are start, end, label, in tokens of the document; ends exclusive.

    nI: width of the encoder's vectors; n_labels: number of span types.
    hidden: width of the spans' vectors; product_width: of P and Q, 0 for no product.
    positive_rate: expected share of spans that have a label; the biases start at its log odds.
    """

    nests = True

    def __init__(
        self,
        nI: int,
        n_labels: int,
        *,
        max_width: int,
        hidden: int,
        product_width: int,
        dropout: float,
        positive_rate: float = 0.02,
    ):
        super().__init__()
        self.n_labels = n_labels
        self.n_tags = 2 * n_labels
        self.max_width = max_width
        self.dropout = Dropout(dropout)
        self.from_first = nn.Linear(nI, hidden)
        self.from_last = nn.Linear(nI, hidden, bias=False)
        self.width = nn.Embedding(max_width, hidden)
        nn.init.normal_(self.width.weight, std=0.1)
        self.product_width = product_width
        if product_width:
            self.first_factor = nn.Linear(nI, product_width)
            self.last_factor = nn.Linear(nI, product_width)
            self.from_product = nn.Linear(product_width, hidden, bias=False)
        self.score = nn.Linear(hidden, 1 + n_labels)
        nn.init.zeros_(self.score.bias)
        odds_of_none = (1.0 - positive_rate) / positive_rate * max(n_labels, 1)
        nn.init.constant_(self.score.bias[NONE : NONE + 1], float(numpy.log(odds_of_none)))

    def loss(self, tokens: TokenBatch, gold: Rows) -> Tensor:
        """Negative log-likelihood, summed over the spans of a sentence, mean over sentences: of a span's gold
        label, or of all that it may have where its annotation is open.

        gold: rows per document, [n, 3], within sentences and not wider than `max_width`.
        """
        layout = tokens.layout
        spans = SpansByStart(layout, self.max_width)
        rows = layout.join_docs(gold, columns=2)
        loss = tokens.vectors[:0].sum()  # also without any span it has a gradient, of zero
        if tokens.unannotated is None:
            target = numpy.full(len(spans.starts), NONE, dtype=numpy.int64)
            target[spans.index(rows)] = rows[:, 2] + 1
            for some, logits in self._scored(tokens, spans, self.dropout(tokens.vectors)):
                of_some = torch.from_numpy(target[some]).to(logits.device)
                loss = loss + F.cross_entropy(logits, of_some, reduction="sum")
        else:
            allowed = allowed_labels(spans, rows, tokens.unannotated, tokens.label_sets)
            for some, logits in self._scored(tokens, spans, self.dropout(tokens.vectors)):
                forbidden = torch.from_numpy(~allowed[some]).to(logits.device)
                log_p = logits.log_softmax(dim=1).masked_fill(forbidden, -torch.inf).logsumexp(dim=1)
                loss = loss - log_p.sum()
        return loss / len(layout.sentence_lengths)

    @torch.no_grad()
    def decode(self, tokens: TokenBatch, threshold: float = 0.0) -> Decoded:
        """The best first, spans that cross a chosen one are left out.

        threshold: a span is predicted if a label is likelier than none, and its probability that high.
        RETURNS: rows [n, 3], a span before those within it, and probabilities [n] per document.
        """
        spans = SpansByStart(tokens.layout, self.max_width)
        found, scores = [numpy.zeros((0, 3), dtype=numpy.int64)], [numpy.zeros(0, dtype=numpy.float32)]
        for some, logits in self._scored(tokens, spans, tokens.vectors):
            label = logits.argmax(dim=1)  # [n_spans]
            place = (label != NONE).nonzero()[:, 0]
            label = label[place]
            probability = logits[place].softmax(dim=1).gather(1, label[:, None])[:, 0].cpu().numpy()
            span = place.cpu().numpy() + some.start
            rows = numpy.stack([spans.starts[span], spans.ends[span], label.cpu().numpy() - 1], axis=1)
            found.append(rows[probability >= threshold])
            scores.append(probability[probability >= threshold])
        rows, confidence = numpy.concatenate(found), numpy.concatenate(scores)
        kept = best_without_crossing(rows[:, 0], rows[:, 1], confidence)
        rows, confidence = rows[kept], confidence[kept]
        order = numpy.lexsort((-rows[:, 1], rows[:, 0]))
        return tokens.layout.split_scored(rows[order], confidence[order], columns=2)

    def label_distribution(self, tokens: TokenBatch) -> Tensor:
        """For each token the highest probability of each label among the spans that begin there, then among
        those that end there. [n_tokens, n_tags]
        """
        spans = SpansByStart(tokens.layout, self.max_width)
        highest = tokens.vectors.new_zeros(2, len(tokens.vectors), self.n_labels)
        for some, logits in self._scored(tokens, spans, tokens.vectors):
            probability = logits.softmax(dim=1)[:, 1:]  # [n_spans, n_labels]
            for side, index in enumerate((spans.starts[some], spans.ends[some] - 1)):
                at = torch.from_numpy(index).to(logits.device)[:, None].expand_as(probability)
                highest[side] = highest[side].scatter_reduce(0, at, probability, "amax")
        return torch.cat([highest[0], highest[1]], dim=1)

    def _scored(self, tokens: TokenBatch, spans: "SpansByStart", x: Tensor) -> Iterator[Tuple[slice, Tensor]]:
        """Some spans at a time and their logits, [n_spans, 1 + n_labels]. x: [n_tokens, nI]"""
        firsts, lasts = self.from_first(x), self.from_last(x)  # [n_tokens, hidden]
        if self.product_width:
            first_factors, last_factors = self.first_factor(x), self.last_factor(x)
        n = at_a_time(x)
        for start in range(0, len(spans.starts), n):
            some = slice(start, min(start + n, len(spans.starts)))
            starts, ends = spans.starts[some], spans.ends[some]
            first, last, width = (
                torch.from_numpy(index).to(x.device) for index in (starts, ends - 1, ends - starts - 1)
            )
            hidden = F.embedding(first, firsts)  # [n_spans, hidden], summed in place
            hidden += F.embedding(last, lasts)
            hidden += self.width(width)
            if self.product_width:
                product = F.embedding(first, first_factors) * F.embedding(last, last_factors)
                hidden = hidden.addmm_(product, self.from_product.weight.T)
            yield some, self.score(hidden.relu_())


class SpansByStart:
    """Every span of up to `max_width` tokens inside a sentence, by start, then by end.

    >>> spans = SpansByStart(Layout([3], [2, 1]), max_width=2)
    >>> list(zip(spans.starts.tolist(), spans.ends.tolist()))
    [(0, 1), (0, 2), (1, 2), (2, 3)]
    >>> spans.index(numpy.array([[2, 3, 7], [0, 2, 5]])).tolist()
    [3, 1]

    starts, ends: flat tokens, ends exclusive. [n_spans] both
    """

    def __init__(self, layout: Layout, max_width: int):
        lengths = layout.sentence_lengths
        token = numpy.arange(layout.n_tokens)
        sentence_end = numpy.repeat(layout.sentence_starts + lengths, lengths)
        counts = numpy.minimum(sentence_end - token, max_width)  # of the spans that start at each token
        self._first = numpy.cumsum(counts) - counts
        self.starts = numpy.repeat(token, counts)
        self.ends = self.starts + numpy.arange(len(self.starts)) - numpy.repeat(self._first, counts) + 1

    def index(self, rows: numpy.ndarray) -> numpy.ndarray:
        """The places of some of these spans. rows: start, end and more. [n, 2 or more] -> [n]"""
        places: numpy.ndarray = self._first[rows[:, 0]] + rows[:, 1] - rows[:, 0] - 1
        return places


def allowed_labels(
    spans: SpansByStart,
    rows: numpy.ndarray,
    unannotated: numpy.ndarray,
    label_sets: Optional[numpy.ndarray] = None,
) -> numpy.ndarray:
    """What partial annotation allows each span to be: none, or each label. bool [n_spans, 1 + n_labels]

    A gold span has its label, or one of its set. Others are none, or have any label that isn't annotated at
    all of their tokens, and so have those that may be none by their set.

    rows, unannotated, label_sets: as in `partial_tags`; the offsets are flat, and spans may nest.
    """
    n_labels = unannotated.shape[1]
    # tokens up to each one at which a label is annotated: a span with none of them may have it
    annotated = numpy.zeros((len(unannotated) + 1, n_labels), dtype=numpy.int32)
    numpy.cumsum(~unannotated, axis=0, out=annotated[1:])
    allowed = numpy.ones((len(spans.starts), 1 + n_labels), dtype=bool)
    allowed[:, 1:] = annotated[spans.ends] == annotated[spans.starts]
    choices = numpy.eye(n_labels, 1 + n_labels, k=1, dtype=bool)  # of each label only itself
    if label_sets is not None:
        choices = numpy.concatenate([choices, label_sets])
    places, of_rows = spans.index(rows), choices[rows[:, 2]]
    allowed[places[~of_rows[:, NONE]]] = False
    numpy.logical_or.at(allowed, places, of_rows)
    return allowed
