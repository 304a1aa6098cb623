"""Candidate spans of a batch of documents, those that survive pruning, and sums over their tokens."""

from dataclasses import dataclass
from typing import Iterator, List, NamedTuple, Sequence, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout


@dataclass
class Candidates:
    """Every span of up to `max_width` tokens inside a sentence, by width, then by start.

    Two sentences of 2 and 1 tokens have four candidates, one of them of two tokens:

    >>> candidates = enumerate_spans(Layout([3], [2, 1]), max_width=2, device=torch.device("cpu"))
    >>> list(zip(candidates.starts.tolist(), candidates.ends.tolist()))
    [(0, 1), (1, 2), (2, 3), (0, 2)]
    >>> candidates.counts
    [3, 1]

    starts, ends: flat tokens, ends exclusive. [n_spans]
    counts: how many spans there are of width 1, 2, ... [max_width]
    """

    starts: Tensor
    ends: Tensor
    counts: List[int]

    @property
    def widths(self) -> Tensor:
        return self.ends - self.starts

    def of_width(self, width: int) -> Tensor:
        """The starts of all candidates of a width."""
        offset = sum(self.counts[: width - 1])
        return self.starts[offset : offset + self.counts[width - 1]]


class PrunedSpans(NamedTuple):
    """The spans that survive pruning, in document order (by start, then end).

    candidate: their indices among the candidates. [n_kept]
    starts, ends: flat tokens, ends exclusive. [n_kept]
    scores: their mention scores, logits. [n_kept]
    offsets: document d has the spans offsets[d] to offsets[d + 1], exclusive. [n_docs + 1]
    """

    candidate: Tensor
    starts: Tensor
    ends: Tensor
    scores: Tensor
    offsets: List[int]


def enumerate_spans(layout: Layout, max_width: int, device: torch.device) -> Candidates:
    """All candidate spans of a batch; see `Candidates`.

    max_width: widest span, in tokens.
    """
    lengths = layout.sentence_lengths
    sentence_end = numpy.repeat(layout.sentence_starts + lengths, lengths)  # [n_tokens]
    room = sentence_end - numpy.arange(layout.n_tokens)  # widest span that starts at each token
    starts = [numpy.flatnonzero(room >= width) for width in range(1, max_width + 1)]
    counts = [len(of_width) for of_width in starts]
    widths = numpy.repeat(numpy.arange(1, max_width + 1), counts)  # [n_spans]
    flat = torch.from_numpy(numpy.concatenate(starts)).to(device)
    return Candidates(flat, flat + torch.from_numpy(widths).to(device), counts)


class HeadAttention(nn.Module):
    """Weights of the tokens within a span (Lee et al. 2017, section 4).

    A token t has the score alpha_t, here linear in its vector. Within a span its weight is
    exp(alpha_t) / sum of exp(alpha_k) over the tokens k of the span.

    nI: width of the encoder's vectors.
    """

    def __init__(self, nI: int):
        super().__init__()
        self.score = nn.Linear(nI, 1)

    def forward(self, vectors: Tensor, layout: Layout) -> Tensor:
        """Unnormalised weights of tokens: exp(alpha), kept in a range that sums safely.
        [n_tokens, nI] -> [n_tokens, 1]
        """
        scores: Tensor = self.score(vectors)  # [n_tokens, 1]
        sentence_of = torch.from_numpy(layout.sentence_of).to(scores.device)
        top = scores.new_full((len(layout.sentence_lengths), 1), -torch.inf)
        top = top.scatter_reduce(0, sentence_of[:, None], scores.detach(), "amax")  # [n_sentences, 1]
        # a common factor of a sentence's weights cancels in every span; the floor of exp(-60) keeps spans
        # that are far below the sentence's best token from summing to zero
        return (scores - top[sentence_of]).clamp(min=-60.0).exp()


def attended_sums(weights: Tensor, values: Tensor, candidates: Candidates) -> Iterator[Tensor]:
    """Attention-weighted sums of `values` over each candidate, width by width (Lee et al. 2017, section 4).

    A span's sum is that of the span one token shorter with the same start, plus its last token's.

    weights: unnormalised, [n_tokens, 1]; values: [n_tokens, width].
    YIELDS: for width 1, 2, ... the normalised sums. [n_spans of that width, width]
    """
    # the last column sums the weights themselves: what to divide by
    weighted = torch.cat([weights * values, weights], dim=1)  # [n_tokens, width + 1]
    running, known = weighted, torch.arange(len(weighted), device=weighted.device)
    for width in range(1, len(candidates.counts) + 1):
        starts = candidates.of_width(width)
        if width > 1:
            # `known` are the sorted starts of the spans one token shorter, a superset of `starts`
            running = F.embedding(torch.searchsorted(known, starts), running)
            running += F.embedding(starts + width - 1, weighted)
        yield running[:, :-1] / running[:, -1:]
        known = starts


def attend(weights: Tensor, values: Sequence[Tensor], starts: Tensor, ends: Tensor) -> Tuple[Tensor, Tensor]:
    """The same sums for a few spans of any width, and each span's head token.

    weights: unnormalised, [n_tokens, 1].
    values: blocks of what is summed, [n_tokens, width] each.
    starts, ends: flat tokens, ends exclusive. [n_spans]
    RETURNS: the sums, side by side, [n_spans, width of all blocks], and the flat token with the
        highest weight. [n_spans]
    """
    widest = int((ends - starts).max())
    tokens = starts[:, None] + torch.arange(widest, device=starts.device)[None, :]  # [n_spans, widest]
    inside = tokens < ends[:, None]
    tokens = torch.where(inside, tokens, starts[:, None])  # any valid token: its weight becomes zero
    weight = weights[tokens, 0] * inside  # [n_spans, widest]
    weight = weight / weight.sum(dim=1, keepdim=True)
    head = tokens.gather(1, weight.argmax(dim=1, keepdim=True))[:, 0]
    sums = [torch.einsum("sw,swv->sv", weight, F.embedding(tokens, block)) for block in values]
    return torch.cat(sums, dim=1), head
