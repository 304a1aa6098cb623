"""A linear-chain conditional random field over BILOU tags, without padding.

Tags: O is 0; label k has B, I, L, U at 1 + 4k .. 4 + 4k. Forbidden transitions have
probability zero in training and in decoding. Positions are in packed order (see
`batch.Packing`), so step t is a block of rows and sentences drop out as they end.
"""

from typing import List, Tuple

import numpy
import torch
from torch import Tensor, nn

from .batch import Packing

FORBIDDEN = -1e4


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
        best = emissions[: packing.sizes[0]] + start
        pointers: List[Tensor] = []
        offset = packing.sizes[0]
        for size in packing.sizes[1:]:
            score, pointer = (best[:size, :, None] + transitions).max(dim=1)
            best = torch.cat([score + emissions[offset : offset + size], best[size:]])
            pointers.append(pointer)
            offset += size
        tag = (best + end).argmax(dim=1)
        tags = torch.empty(len(emissions), dtype=torch.int64, device=emissions.device)
        for size, pointer in zip(reversed(packing.sizes[1:]), reversed(pointers)):
            offset -= size
            tags[offset : offset + size] = tag[:size]
            tag = torch.cat([pointer.gather(1, tag[:size, None])[:, 0], tag[size:]])
        tags[: packing.sizes[0]] = tag
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
        alpha, beta, log_z = forward_backward(emissions, transitions, start, end, packing)
        steps = torch.zeros(len(tags), dtype=torch.float64, device=tags.device)
        n_first = packing.sizes[0]
        previous = packing.previous.to(tags.device)
        steps[n_first:] = transitions[tags[previous], tags[n_first:]].double()
        steps[n_first:] += emissions[n_first:].gather(1, tags[n_first:, None])[:, 0].double()
        path = steps.cpu().numpy()
        offset = n_first
        for size in packing.sizes[1:]:
            before = packing.previous[offset - n_first : offset - n_first + size].numpy()
            path[offset : offset + size] += path[before]
            offset += size
        path = torch.from_numpy(path).to(tags.device)
        inside = path[ends] - path[starts]
        log_p = alpha[starts, tags[starts]] + inside + beta[ends, tags[ends]] - log_z[starts]
        return log_p.exp().clamp(max=1.0).float()


def forward_backward(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, packing: Packing
) -> Tuple[Tensor, Tensor, Tensor]:
    """Forward and backward scores, in double precision so that probability space is safe.

    RETURNS: alpha and beta [n_tokens, n_tags], in packed order, and each token's
        sentence's log partition function [n_tokens].
    """
    emissions = emissions.double()
    move = transitions.double().exp()
    alpha = torch.empty_like(emissions)
    beta = torch.empty_like(emissions)
    first = packing.sizes[0]
    offsets = numpy.concatenate(([0], numpy.cumsum(packing.sizes))).tolist()
    current = emissions[:first] + start.double()
    alpha[:first] = current
    for size, offset in zip(packing.sizes[1:], offsets[1:]):
        top = current[:size].amax(dim=1, keepdim=True)
        mass = (current[:size] - top).exp_() @ move
        current = mass.add_(1e-300).log_().add_(top).add_(emissions[offset : offset + size])
        alpha[offset : offset + size] = current
    current = emissions.new_zeros((0, emissions.shape[1]))
    for t in range(len(packing.sizes) - 1, -1, -1):
        size, offset = packing.sizes[t], offsets[t]
        step = end.double().expand(size, -1).clone()
        if len(current):
            following = current + emissions[offsets[t + 1] : offsets[t + 1] + len(current)]
            top = following.amax(dim=1, keepdim=True)
            mass = (following - top).exp_() @ move.T
            step[: len(current)] = mass.add_(1e-300).log_().add_(top)
        beta[offset : offset + size] = step
        current = step
    log_z = torch.logsumexp(alpha[:first] + beta[:first], dim=1)
    rank = torch.cat([torch.arange(size, device=emissions.device) for size in packing.sizes])
    return alpha, beta, log_z[rank]


class LogPartition(torch.autograd.Function):
    """Log partition function, summed over sentences; its gradient is the marginals."""

    @staticmethod
    def forward(ctx, emissions, transitions, start, end, packing):
        alpha, beta, log_z = forward_backward(emissions, transitions, start, end, packing)
        marginals = (alpha + beta - log_z[:, None]).exp()
        first = packing.sizes[0]
        previous = packing.previous.to(emissions.device)
        before = alpha[previous]
        after = beta[first:] + emissions[first:].double()
        top_before = before.amax(dim=1, keepdim=True)
        top_after = after.amax(dim=1, keepdim=True)
        scale = (top_before + top_after - log_z[first:, None]).exp()
        pairs = ((before - top_before).exp() * scale).T @ (after - top_after).exp()
        ctx.save_for_backward(
            marginals.to(emissions.dtype),
            (pairs * transitions.double().exp()).to(transitions.dtype),
            marginals[:first].sum(0).to(start.dtype),
            marginals[packing.last.to(emissions.device)].sum(0).to(end.dtype),
        )
        return log_z[:first].sum().to(emissions.dtype)

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
