"""Networks that are built only to be given their weights."""

from typing import Any, Callable, Dict, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# torch's functions that fill a tensor, and those that they and others call
FILLS = {function for name, function in vars(nn.init).items() if name.endswith("_") and name[0] != "_"}
FILLS |= {Tensor.normal_, Tensor.uniform_, Tensor.random_, Tensor.bernoulli_, Tensor.exponential_}
FILLS |= {Tensor.log_normal_, Tensor.cauchy_, Tensor.geometric_}


class Undrawn(TorchFunctionMode):
    """Inside, no random numbers are drawn into tensors: they stay as they are. For this thread alone."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: Tuple[Any, ...] = (),
        kwargs: Optional[Dict[str, Any]] = None,
    ) -> Any:
        given = kwargs or {}
        if function in FILLS:
            filled: torch.Tensor = args[0] if args else given["tensor"]
            return filled
        return function(*args, **given)
