"""A linear-chain conditional random field over BILOU tags, without padding.

Tags: O is 0; label k has B, I, L, U at 1 + 4k .. 4 + 4k. Forbidden transitions have
probability zero in training and in decoding. Positions are in packed order (see
`batch.Packing`), so step t is a block of rows and sentences drop out as they end.
"""

from typing import Tuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Packing
from .forward_backward import forward_backward

FORBIDDEN = -1e4
COLUMNS = 32


def bilou_constraints(n_labels: int) -> Tuple[Tensor, Tensor, Tensor]:
    """Which tags may follow which. transitions: [n_tags, n_tags]; start, end: [n_tags], all bool."""
    n_tags = 1 + 4 * n_labels
    tags = torch.arange(n_tags)
    kind = torch.where(tags == 0, 4, (tags - 1) % 4)  # 0..4: B, I, L, U, O
    label = torch.where(tags == 0, -1, (tags - 1) // 4)
    opens = (kind == 0) | (kind == 3) | (kind == 4)
    closes = (kind == 2) | (kind == 3) | (kind == 4)
    inside = (kind == 0) | (kind == 1)
    continues = (kind == 1) | (kind == 2)
    same = label[:, None] == label[None, :]
    allowed = (closes[:, None] & opens[None, :]) | (inside[:, None] & continues[None, :] & same)
    return allowed, opens, closes


class CRF(nn.Module):
    def __init__(self, n_labels: int):
        super().__init__()
        allowed, start, end = bilou_constraints(n_labels)
        n_tags = len(start)
        self.transitions = nn.Parameter(torch.zeros(n_tags, n_tags))
        self.start = nn.Parameter(torch.zeros(n_tags))
        self.end = nn.Parameter(torch.zeros(n_tags))
        self.register_buffer("allowed", allowed, persistent=False)
        self.register_buffer("may_start", start, persistent=False)
        self.register_buffer("may_end", end, persistent=False)

    def weights(self) -> Tuple[Tensor, Tensor, Tensor]:
        """Transitions [n_tags, n_tags], start and end scores [n_tags], constraints applied."""
        return (
            self.transitions.masked_fill(~self.allowed, FORBIDDEN),
            self.start.masked_fill(~self.may_start, FORBIDDEN),
            self.end.masked_fill(~self.may_end, FORBIDDEN),
        )

    def log_likelihood(self, emissions: Tensor, tags: Tensor, packing: Packing) -> Tensor:
        """Log probability of the tags, summed over sentences.

        emissions: [n_tokens, n_tags] in packed order; tags: [n_tokens] in packed order.
        """
        transitions, start, end = self.weights()
        n_first = packing.sizes[0]
        score = emissions.gather(1, tags[:, None]).sum()
        score = score + start[tags[:n_first]].sum() + end[tags[packing.last.to(tags.device)]].sum()
        before = tags[packing.previous.to(tags.device)]
        score = score + transitions[before, tags[n_first:]].sum()
        return score - LogPartition.apply(emissions, transitions, start, end, packing)

    @torch.no_grad()
    def viterbi(self, emissions: Tensor, packing: Packing) -> Tensor:
        """The best tags of every sentence. [n_tokens] in packed order"""
        transitions, start, end = self.weights()
        n_tags = len(start)
        # whole vectors of a processor's widest kind are added and compared faster
        spare = -n_tags % COLUMNS
        emissions, start = F.pad(emissions, (0, spare)), F.pad(start, (0, spare), value=FORBIDDEN)
        onward = F.pad(transitions, (0, spare), value=FORBIDDEN)
        best = torch.empty_like(emissions)
        state = start
        for step, (rows, scores) in enumerate(zip(best.split(packing.sizes), emissions.split(packing.sizes))):
            if step:
                state = (state[: len(rows), :n_tags, None] + onward).amax(dim=1)
            state = torch.add(state, scores, out=rows)
        best = best[:, :n_tags]
        tags = torch.empty(len(emissions), dtype=torch.int64, device=emissions.device)
        last = packing.last.to(tags.device)
        tags[last] = (best[last] + end).argmax(dim=1)
        backward = transitions.T.contiguous()
        offset = len(tags)
        for size, before in zip(reversed(packing.sizes[1:]), reversed(packing.sizes[:-1])):
            offset -= size
            reached = best[offset - before : offset - before + size] + backward[tags[offset : offset + size]]
            tags[offset - before : offset - before + size] = reached.argmax(dim=1)
        return tags

    @torch.no_grad()
    def span_probabilities(
        self, emissions: Tensor, tags: Tensor, packing: Packing, starts: Tensor, ends: Tensor
    ) -> Tensor:
        """Probability of the tags of whole spans: p(y_s .. y_e), exactly, by forward-backward.

        emissions, tags: in packed order. starts, ends: the *packed* positions of the first
            and last tokens of the spans. [n_spans]
        """
        transitions, start, end = self.weights()
        found = forward_backward(emissions, transitions, start, end, packing)
        order, inverse = (index.to(tags.device) for index in (packing.order, packing.inverse))
        first = packing.sizes[0]
        steps = emissions.gather(1, tags[:, None])[:, 0].double() - found.scale.log() - found.top
        steps[first:] += transitions[tags[packing.previous.to(tags.device)], tags[first:]]
        path = steps[inverse].cumsum(0)[order]
        log_p = found.forward[starts, tags[starts]].log() + path[ends] - path[starts]
        log_p += (found.backward[ends, tags[ends]] / found.evidence[ends]).log()
        return log_p.exp().clamp(max=1.0).float()


class LogPartition(torch.autograd.Function):
    """Log partition function, summed over sentences; its gradient is the marginals."""

    @staticmethod
    def forward(ctx, emissions, transitions, start, end, packing):
        found = forward_backward(emissions, transitions, start, end, packing)
        first = packing.sizes[0]
        last = packing.last.to(emissions.device)
        marginals = (found.forward * found.backward).div_(found.evidence[:, None])
        before = found.forward[packing.previous.to(emissions.device)]
        before = before.div_((found.scale * found.evidence)[first:, None])
        pairs = before.T @ (found.likelihood * found.backward)[first:]
        ctx.save_for_backward(
            marginals.to(emissions.dtype),
            (pairs * transitions.double().exp()).to(transitions.dtype),
            marginals[:first].sum(0).to(start.dtype),
            marginals[last].sum(0).to(end.dtype),
        )
        log_z = found.scale.log().sum() + found.top.sum() + found.evidence[last].log().sum()
        return log_z.to(emissions.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return (*(gradient * saved for saved in ctx.saved_tensors), None)


def spans_to_tags(rows: numpy.ndarray, n_tokens: int) -> numpy.ndarray:
    """BILOU tags of spans that don't overlap. rows: [n, 3] of start, end, label -> [n_tokens]"""
    tags = numpy.zeros(n_tokens, dtype=numpy.int64)
    for start, end, label in rows.tolist():
        base = 1 + 4 * label
        if end - start == 1:
            tags[start] = base + 3
        else:
            tags[start + 1 : end - 1] = base + 1
            tags[start], tags[end - 1] = base, base + 2
    return tags


def tags_to_spans(tags: numpy.ndarray) -> numpy.ndarray:
    """The spans of valid BILOU tags. [n_tokens] -> [n, 3] of start, end, label, by start"""
    kind = (tags - 1) % 4
    starts = numpy.flatnonzero((tags > 0) & ((kind == 0) | (kind == 3)))
    ends = numpy.flatnonzero((tags > 0) & ((kind == 2) | (kind == 3))) + 1
    return numpy.stack([starts, ends, (tags[starts] - 1) // 4], axis=1)
