"""A learned mix of the layers of a transformer."""

from typing import Iterable

import torch
from torch import Tensor, nn


class LayerMix(nn.Module):
    """Softmax-weighted sum of layers times one scale (Peters et al. 2018, equation 1).

    Every layer is expected to be layer-normed, so that the weights compare like with like.
    """

    def __init__(self, n_layers: int):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(n_layers))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, layers: Tensor) -> Tensor:
        """layers: [n_layers, n_tokens, width] -> [n_tokens, width]"""
        return self.scale * torch.einsum("l,lnw->nw", self.weights.softmax(dim=0), layers)

    def add_up(self, layers: Iterable[Tensor]) -> Tensor:
        """The same of layers that come one by one. [n_tokens, width] each"""
        weights = self.scale * self.weights.softmax(dim=0)
        return sum(weight * layer for weight, layer in zip(weights, layers))
