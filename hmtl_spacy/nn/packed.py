"""Copies of trained networks whose linear layers hold their weights as a CPU reads them best."""

from copy import deepcopy
from functools import cache
from itertools import chain
from typing import List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MIN_ROWS = 64  # fewer aren't worth what oneDNN does for every number of rows that it hasn't seen of late


class PackedLinear(nn.Module):
    """The same numbers as the linear layer it is made of, to rounding, in inference only.

    relu: what a ReLU makes of them, in the same pass over memory.
    """

    def __init__(self, linear: nn.Linear, relu: bool = False):
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self.after = "relu" if relu else "none"

    def forward(self, vectors: Tensor) -> Tensor:
        """[..., nI] -> [..., nO]"""
        if vectors.numel() < MIN_ROWS * vectors.shape[-1]:
            found = F.linear(vectors, self.weight, self.bias)
            return found.relu_() if self.after == "relu" else found
        return torch.ops.mkldnn._linear_pointwise(vectors, self.packed, self.bias, self.after, [], "")

    def add(self, vectors: Tensor, others: Tensor) -> Tensor:
        """The layer's output and others, summed. [..., nI], [..., nO] -> [..., nO]"""
        return torch.ops.mkldnn._linear_pointwise.binary(vectors, others, self.packed, self.bias, "add")


def linear_sum(linear: nn.Module, vectors: Tensor, others: Tensor) -> Tensor:
    """What a linear layer, packed or not, makes of vectors, and others that may be overwritten.
    [n, nI], [n, nO] -> [n, nO]
    """
    if isinstance(linear, PackedLinear):
        return linear.add(vectors, others)
    if linear.bias is not None:
        others += linear.bias
    return others.addmm_(vectors, linear.weight.T)


@cache
def can_pack(dtype: torch.dtype) -> bool:
    """Whether this machine's torch can run packed layers, and gets the right numbers out of them."""
    linear = nn.Linear(32, 16).to(dtype)
    vectors, others = torch.randn(MIN_ROWS, 32).to(dtype), torch.ones(MIN_ROWS, 16).to(dtype)
    try:
        with torch.inference_mode():
            packed, expected = PackedLinear(linear), linear(vectors)
            pairs = (
                (packed(vectors), expected),
                (PackedLinear(linear, relu=True)(vectors), expected.relu()),
                (packed.add(vectors, others), expected + others),
            )
            tolerance = 1e-5 if dtype == torch.float32 else 0.1
            return all(torch.allclose(found, wanted, atol=tolerance) for found, wanted in pairs)
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
            _pack_children(module)
    return result


class Inference:
    """The copy of a network that inference runs, made when it is first needed and anew when the weights
    have changed; never stored.
    """

    def __init__(self, dtype: torch.dtype = torch.float32):
        self.dtype = dtype
        self.original: Optional[nn.Module] = None
        self.weights: List[Tuple[int, int]] = []
        self.copy: Optional[nn.Module] = None

    def __reduce__(self):
        return Inference, (self.dtype,)

    def of(self, network: nn.Module) -> nn.Module:
        weights = [(p.data_ptr(), p._version) for p in network.parameters()]
        if self.copy is None or self.original is not network or self.weights != weights:
            self.copy = inference_copy(network, self.dtype)
            self.original, self.weights = network, weights
        return self.copy

    def forget(self) -> None:
        self.copy = None


def _pack_children(module: nn.Module) -> None:
    """Pack a module's own linear layers, in a sequence together with the ReLU that follows."""
    children = list(module.named_children())
    for (name, child), (next_name, following) in zip(children, [*children[1:], ("", None)]):
        if type(child) is nn.Linear:  # not one of its kinds, whose weights others may read
            relu = isinstance(module, nn.Sequential) and type(following) is nn.ReLU
            setattr(module, name, PackedLinear(child, relu))
            if relu:
                setattr(module, next_name, nn.Identity())
