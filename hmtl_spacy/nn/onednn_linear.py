"""Copies of trained networks whose linear layers hold their weights as a CPU reads them best."""

from copy import deepcopy
from functools import cache
from itertools import chain
from typing import Any, Dict

import torch
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """The same numbers as the linear layer it is made of, up to rounding, in inference only."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        # the layer's own tensors stay reachable: whoever asks for a weight's width or type finds it
        self.weight, self.bias = linear.weight, linear.bias
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())

    def forward(self, vectors: Tensor) -> Tensor:
        """[..., nI] -> [..., nO]"""
        outputs: Tensor = torch.ops.mkldnn._linear_pointwise(vectors, self.packed, self.bias, "none", [], "")
        return outputs


@cache
def can_pack(dtype: torch.dtype) -> bool:
    """Whether this machine's torch can run packed layers, and gets the right numbers out of them."""
    linear, vectors = nn.Linear(32, 16).to(dtype), torch.randn(3, 32).to(dtype)
    try:
        with torch.inference_mode():
            packed, plain = PackedLinear(linear)(vectors), linear(vectors)  # [3, 16]
            return torch.allclose(packed, plain, atol=1e-5 if dtype == torch.float32 else 0.1)
    except (AttributeError, NotImplementedError, RuntimeError):
        return False


def inference_copy(network: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A copy for inference in the given precision. On a CPU its linear layers are packed, where torch
    supports it.

    It shares what it needn't change with the original, and doesn't follow later changes of its weights.
    """
    memo: Dict[int, Any] = {}  # what `deepcopy` takes instead of copying: tensors of the right type
    for tensor in chain(network.parameters(), network.buffers()):
        copied = tensor.detach().to(dtype if tensor.is_floating_point() else tensor.dtype)
        trained = isinstance(tensor, nn.Parameter)
        memo[id(tensor)] = nn.Parameter(copied, requires_grad=False) if trained else copied
    result = deepcopy(network, memo).eval()
    if all(weights.device.type == "cpu" for weights in network.parameters()) and can_pack(dtype):
        for module in list(result.modules()):
            for name, child in list(module.named_children()):
                if type(child) is nn.Linear:  # not one of its kinds, whose weights others may read
                    setattr(module, name, PackedLinear(child))
    return result
