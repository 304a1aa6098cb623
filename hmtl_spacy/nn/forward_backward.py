"""Forward-backward (Rabiner 1989, section III) over sentences in packed order, in probability space.

With likelihoods l_t = exp(emissions of token t) and M = exp(transitions), the passes are

    forward_0 = start * l_0                 forward_t = (forward_{t-1} M) * l_t
    backward of the last token = end        backward_t = M (l_{t+1} * backward_{t+1})

and forward_t * backward_t is proportional to the probabilities of token t's tags. The backward pass is
a forward pass over the mirrored sentence with the transposed M, except that backward_t leaves out the
token's own l_t. So both run in one loop, and `backward` is one more product with M at the end.

Two tokens, two tags, l = (1, 0.5) and (0.5, 1), M = (1, 0.5; 0.5, 1), start = end = (1, 1):

                    step 0 reads            step 1 reads
    forwards        token 0: (1, 0.5)       token 1: (1.25, 1) * (0.5, 1) = (0.625, 1)
    backwards       token 1: (0.5, 1)       token 0: not needed

    backward of token 1 is end = (1, 1), of token 0 M (0.5, 1) = (1, 1.25)
    forward * backward: (1, 0.625) for token 0, (0.625, 1) for token 1; both sum to 1.625

>>> from .batch import Layout
>>> emissions = torch.tensor([[1.0, 0.5], [0.5, 1.0]]).log()
>>> transitions = torch.tensor([[1.0, 0.5], [0.5, 1.0]]).log()
>>> start = end = torch.zeros(2)  # logarithms, too
>>> messages = forward_backward(emissions, transitions, start, end, Layout([2], [2]).packing)
>>> [[round(value, 3) for value in row] for row in messages.forward.tolist()]
[[1.0, 0.5], [0.625, 1.0]]
>>> [[round(value, 3) for value in row] for row in messages.backward.tolist()]
[[1.0, 1.25], [1.0, 1.0]]
>>> [round(value, 3) for value in messages.evidence.tolist()]
[1.625, 1.625]
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .batch import Packing

TINY = 1e-140  # floor, as a share of the likeliest tag's value: a product of two is still above zero


class Messages(NamedTuple):
    """What the words up to each token, and those after it, say about its tag. In packed order and
    double precision, every row on a scale of its own, so that long sentences don't underflow.

    forward: of the words up to and with the token. [n_tokens, n_tags]
    backward: of the words after it. [n_tokens, n_tags]
    likelihood: of the token alone, exp(emissions - top). [n_tokens, n_tags]
    evidence: the sum of forward * backward. [n_tokens]
    scale: what the forward row was divided by, besides exp(top). [n_tokens]
    top: the token's largest emission. [n_tokens]
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
    """Sentences are read from both ends at once: every step is one product of matrices for both passes.

    emissions: in packed order, [n_tokens, n_tags]; transitions: from row to column, [n_tags, n_tags];
        start, end: [n_tags]. All are logarithms.
    """
    top = emissions.double().amax(dim=1, keepdim=True)  # [n_tokens, 1]
    likelihood = (emissions - top).exp_().clamp_(min=TINY)
    mirror = packing.mirror.to(emissions.device)
    both = torch.stack([likelihood, likelihood[mirror]])  # [2, n_tokens, n_tags]
    move = transitions.double().exp()
    moves = torch.stack([move, move.T])  # [2, n_tags, n_tags]
    state = torch.stack([start, end]).double().exp()[:, None]  # [2, 1, n_tags]
    reached, scale = torch.empty_like(both), both.new_empty((*both.shape[:2], 1))
    # views of a step's rows, so that results are written where they belong: [2, n_sentences at the step, ...]
    steps = (tensor.split(packing.sizes, dim=1) for tensor in (both, reached, scale))
    for step, (factor, rows, divisor) in enumerate(zip(*steps)):
        # sentences drop out at the end of the block as they end, the same ones in both passes
        state = torch.bmm(state[:, : factor.shape[1]], moves).mul_(factor) if step else state * factor
        torch.amax(state, dim=2, keepdim=True, out=divisor)
        state = torch.div(state, divisor, out=rows).clamp_(min=TINY)
    # a token's backward row: what the mirrored pass reached at the next token, moved one step
    backward = torch.empty_like(likelihood)
    backward[packing.last.to(mirror.device)] = end.double().exp()
    backward[packing.previous.to(mirror.device)] = reached[1][mirror[packing.sizes[0] :]] @ move.T
    forward = reached[0]  # [n_tokens, n_tags]
    return Messages(forward, backward, likelihood, (forward * backward).sum(1), scale[0, :, 0], top[:, 0])
