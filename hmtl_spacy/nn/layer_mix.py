"""A learned mix of the layers of a transformer."""

from typing import Iterable

import torch
from torch import Tensor, nn


class LayerMix(nn.Module):
    """Softmax-weighted sum of layers times one scale (Peters et al. 2018, section 3.2, equation 1).

    scale * sum of softmax(weights)_l * layer_l. Every layer is expected to be layer-normed, so that
    the weights compare like with like.
    """

    def __init__(self, n_layers: int):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(n_layers))  # all layers alike, to begin with
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, layers: Tensor) -> Tensor:
        """layers: [n_layers, n_tokens, width] -> [n_tokens, width]"""
        return self.scale * torch.einsum("l,lnw->nw", self.weights.softmax(dim=0), layers)

    def add_up(self, layers: Iterable[Tensor]) -> Tensor:
        """The same for layers that come one by one, so that none has to be kept. [n_tokens, width] each"""
        weights = self.scale * self.weights.softmax(dim=0)  # [n_layers]
        weighted = (weight * layer for weight, layer in zip(weights, layers))
        return sum(weighted, start=self.scale.new_zeros(()))
