"""Copies of trained networks whose linear layers hold their weights as a CPU reads them best."""

from copy import deepcopy
from functools import cache
from itertools import chain

import torch
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """The same numbers as the linear layer it is made of, to rounding, in inference only."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())

    def forward(self, vectors: Tensor) -> Tensor:
        """[..., nI] -> [..., nO]"""
        return torch.ops.mkldnn._linear_pointwise(vectors, self.packed, self.bias, "none", [], "")


@cache
def can_pack(dtype: torch.dtype) -> bool:
    """Whether this machine's torch can run packed layers, and gets the right numbers out of them."""
    linear, vectors = nn.Linear(32, 16).to(dtype), torch.randn(3, 32).to(dtype)
    try:
        with torch.inference_mode():
            found = PackedLinear(linear)(vectors)
            return torch.allclose(found, linear(vectors), atol=1e-5 if dtype == torch.float32 else 0.1)
    except (AttributeError, NotImplementedError, RuntimeError):
        return False


def inference_copy(network: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A copy for inference in the precision that is asked for. On a CPU its linear layers are packed,
    where torch can do that.

    It shares what it needn't change with the original, and doesn't follow later changes of its weights.
    """
    memo = {}
    for tensor in chain(network.parameters(), network.buffers()):
        copied = tensor.detach().to(dtype if tensor.is_floating_point() else tensor.dtype)
        kept = isinstance(tensor, nn.Parameter)
        memo[id(tensor)] = nn.Parameter(copied, requires_grad=False) if kept else copied
    result = deepcopy(network, memo).eval()
    if all(weights.device.type == "cpu" for weights in network.parameters()) and can_pack(dtype):
        for module in list(result.modules()):
            for name, child in list(module.named_children()):
                if type(child) is nn.Linear:  # not one of its kinds, whose weights others may read
                    setattr(module, name, PackedLinear(child))
    return result
