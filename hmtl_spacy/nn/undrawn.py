"""Networks that are built only to be given their weights: no random numbers are drawn for them."""

from threading import get_ident
from typing import Any, Callable, Dict, Optional, TypeVar

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

Network = TypeVar("Network", bound=nn.Module)


def build_undrawn(build: Callable[[], Network]) -> Network:
    """What `build` makes, its parameters with any values. Buffers have theirs: some of them are never stored.

    Parameters are on torch's meta device while it is built, where drawing does nothing.
    """
    thread = get_ident()

    def moved(module: nn.Module, name: str, parameter: Optional[nn.Parameter]) -> Optional[nn.Parameter]:
        if parameter is None or parameter.is_meta or get_ident() != thread:
            return None  # as it is
        return nn.Parameter(parameter.detach().to("meta"), requires_grad=parameter.requires_grad)

    hook: Any = moved  # torch's annotation has hooks that replace nothing
    handle = register_module_parameter_registration_hook(hook)
    try:
        network = build()
    finally:
        handle.remove()
    made: Dict[nn.Parameter, nn.Parameter] = {}  # parameters that modules share stay shared
    for module in network.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None and parameter.is_meta:
                if parameter not in made:
                    memory = torch.empty_like(parameter, device="cpu")
                    made[parameter] = nn.Parameter(memory, requires_grad=parameter.requires_grad)
                module._parameters[name] = made[parameter]
    return network
