"""Candidate spans of a batch of documents and what their tokens say about them."""

from dataclasses import dataclass
from typing import Iterator, List, Sequence, Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout


@dataclass
class Candidates:
    """Every span of up to `max_width` tokens inside a sentence, by width, then by start.

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


def enumerate_spans(layout: Layout, max_width: int, device: torch.device) -> Candidates:
    lengths = layout.sentence_lengths
    sentence_end = numpy.repeat(layout.sentence_starts + lengths, lengths)
    room = sentence_end - numpy.arange(layout.n_tokens)
    starts = [numpy.flatnonzero(room >= width) for width in range(1, max_width + 1)]
    counts = [len(found) for found in starts]
    widths = numpy.repeat(numpy.arange(1, max_width + 1), counts)
    flat = torch.from_numpy(numpy.concatenate(starts)).to(device)
    return Candidates(flat, flat + torch.from_numpy(widths).to(device), counts)


class HeadAttention(nn.Module):
    """Weights of the tokens within a span (Lee et al. 2017, section 4, equation for alpha)."""

    def __init__(self, nI: int):
        super().__init__()
        self.score = nn.Linear(nI, 1)

    def forward(self, vectors: Tensor, layout: Layout) -> Tensor:
        """Unnormalised weights of tokens: exp of their scores, kept in a range that sums safely.
        [n_tokens, nI] -> [n_tokens, 1]
        """
        scores = self.score(vectors)
        sentence_of = torch.from_numpy(layout.sentence_of).to(scores.device)
        top = scores.new_full((len(layout.sentence_lengths), 1), -torch.inf)
        top = top.scatter_reduce(0, sentence_of[:, None], scores.detach(), "amax")
        return (scores - top[sentence_of]).clamp(min=-60.0).exp()


def attended_sums(weights: Tensor, values: Tensor, candidates: Candidates) -> Iterator[Tensor]:
    """The attention-weighted sum of `values` for the candidates of each width, each from the one before.

    weights: [n_tokens, 1]; values: [n_tokens, width]. YIELDS: [n_spans of that width, width]
    """
    weighted = torch.cat([weights * values, weights], dim=1)
    running, known = weighted, torch.arange(len(weighted), device=weighted.device)
    for width in range(1, len(candidates.counts) + 1):
        starts = candidates.of_width(width)
        if width > 1:
            running = F.embedding(torch.searchsorted(known, starts), running)
            running += F.embedding(starts + width - 1, weighted)
        yield running[:, :-1] / running[:, -1:]
        known = starts


def attend(weights: Tensor, values: Sequence[Tensor], starts: Tensor, ends: Tensor) -> Tuple[Tensor, Tensor]:
    """The same for any few spans.

    values: parts of what is summed, [n_tokens, width] each.
    RETURNS: the sums, side by side, [n_spans, width], and the flat token with the highest weight. [n_spans]
    """
    widest = int((ends - starts).max())
    tokens = starts[:, None] + torch.arange(widest, device=starts.device)[None, :]
    inside = tokens < ends[:, None]
    tokens = torch.where(inside, tokens, starts[:, None])
    weight = weights[tokens, 0] * inside  # [n_spans, widest]
    weight = weight / weight.sum(dim=1, keepdim=True)
    head = tokens.gather(1, weight.argmax(dim=1, keepdim=True))[:, 0]
    sums = [torch.einsum("sw,swv->sv", weight, F.embedding(tokens, part)) for part in values]
    return torch.cat(sums, dim=1), head
