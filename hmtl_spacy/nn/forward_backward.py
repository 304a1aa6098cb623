"""Forward-backward (Rabiner 1989, section III) over sentences in packed order, in probability space."""

from typing import NamedTuple

import torch
from torch import Tensor

from .batch import Packing

TINY = 1e-140  # of the likeliest tag: the others have as much, so that products of two stay above zero


class Messages(NamedTuple):
    """What the words up to each token, and those after it, say about its tag. In double precision, every
    row on a scale of its own.

    forward, backward: [n_tokens, n_tags]; likelihood: of a token's emissions alone. [n_tokens, n_tags]
    evidence: the sum of forward * backward. [n_tokens]
    scale: what a forward row was divided by, beside exp(top), the largest emission. [n_tokens] both
    """

    forward: Tensor
    backward: Tensor
    likelihood: Tensor
    evidence: Tensor
    scale: Tensor
    top: Tensor


def forward_backward(
    emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, packing: Packing
) -> Messages:
    """Sentences are read from both ends at once: every step is one product of matrices for both."""
    top = emissions.double().amax(dim=1, keepdim=True)
    likelihood = (emissions - top).exp_().clamp_(min=TINY)
    mirror = packing.mirror.to(emissions.device)
    both = torch.stack([likelihood, likelihood[mirror]])  # [2, n_tokens, n_tags]
    move = transitions.double().exp()
    moves = torch.stack([move, move.T])
    state = torch.stack([start, end]).double().exp()[:, None]
    reached, scale = torch.empty_like(both), both.new_empty((*both.shape[:2], 1))
    steps = (tensor.split(packing.sizes, dim=1) for tensor in (both, reached, scale))
    for step, (factor, rows, divisor) in enumerate(zip(*steps)):
        state = torch.bmm(state[:, : factor.shape[1]], moves).mul_(factor) if step else state * factor
        torch.amax(state, dim=2, keepdim=True, out=divisor)
        state = torch.div(state, divisor, out=rows).clamp_(min=TINY)
    backward = torch.empty_like(likelihood)
    backward[packing.last.to(mirror.device)] = end.double().exp()
    backward[packing.previous.to(mirror.device)] = reached[1][mirror[packing.sizes[0] :]] @ move.T
    forward = reached[0]
    return Messages(forward, backward, likelihood, (forward * backward).sum(1), scale[0, :, 0], top[:, 0])
