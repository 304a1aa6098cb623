"""What the parts share that run a torch network of their own, once for each different word."""

from typing import Any, Callable, List, Optional, Tuple, Union, cast

import numpy
import torch
from spacy.attrs import ORTH
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d

from ..shims import TorchShim

# vectors of all tokens, and a function that takes their gradient
Output = Tuple[Floats2d, Callable[[Floats2d], List[Doc]]]


def distinct(docs: List[Doc], attribute: int = ORTH) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """The different values of an attribute, and which one each token has.

    RETURNS: uint64 [n_distinct], int64 [n_tokens]
    """
    of_docs = [doc.to_array([attribute]).reshape(-1) for doc in docs]
    values, inverse = numpy.unique(numpy.concatenate(of_docs).astype(numpy.uint64), return_inverse=True)
    return values, inverse.reshape(-1)


def shim_of(model: Model[Any, Any]) -> TorchShim:
    """What holds the torch network of a layer."""
    return cast(TorchShim, model.shims[0])


def create(model: Model[Any, Any], X: Optional[List[Doc]] = None, Y: Optional[Floats2d] = None) -> None:
    """Initialize a layer whose network needs to know nothing of the documents."""
    shim_of(model).create()


def no_vectors(model: Model[Any, Any]) -> Output:
    """The output for documents without tokens."""
    return model.ops.alloc2f(0, model.get_dim("nO")), lambda d_vectors: []


def run(model: Model[Any, Any], is_train: bool, *inputs: Union[numpy.ndarray, torch.Tensor, None]) -> Output:
    """Run the torch network of a layer on arrays of indices and tensors."""
    shim = shim_of(model)
    tensors = [torch.from_numpy(x).to(shim.device) if isinstance(x, numpy.ndarray) else x for x in inputs]
    output, torch_backprop = shim.run(is_train, *tensors)

    def backprop(d_vectors: Floats2d) -> List[Doc]:
        torch_backprop(xp2torch(d_vectors))
        return []

    return cast(Floats2d, torch2xp(output)), backprop
