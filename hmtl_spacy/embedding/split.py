"""A transformer in two: frozen lower layers, and those above, which continue from their output."""

from copy import deepcopy
from itertools import chain
from typing import Any, List, NamedTuple, Optional, Tuple, cast

import torch
from torch import Tensor, nn


def layers_of(transformer: nn.Module) -> Tuple[str, nn.ModuleList]:
    """The list of a transformer's layers, lowest first, and its name among the modules."""
    config: Any = transformer.config
    for name, module in transformer.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == config.num_hidden_layers:
            return name, module
    raise ValueError(
        f"The layers of the transformer, a {type(transformer).__name__}, can't be told apart: none of its "
        f"modules is a list of {config.num_hidden_layers} layers. Set frozen_layers to 0, layer_decay to 1."
    )


class Continued(nn.Module):
    """Takes the place of the lower layers: whatever it reads, it gives their output, `states`.

    form: what the last of these layers gave once: a tensor, or a tuple that begins with one.
    """

    states: Optional[Tensor]

    def __init__(self, form: Any):
        super().__init__()
        self.rest: Optional[Tuple[Any, ...]] = tuple(form[1:]) if isinstance(form, tuple) else None
        self.states = None

    def forward(self, vectors: Tensor, *args: Any, **kwargs: Any) -> Any:
        return self.states if self.rest is None else (self.states, *self.rest)


class Parts(NamedTuple):
    """Two networks that share their weights with the transformer.

    lower: reads like it, but ends with the frozen layers; upper: begins with a `Continued`, `start`, and
        has `n_upper` of its layers after it.
    """

    lower: nn.Module
    upper: nn.Module
    start: Continued
    n_upper: int

    def run_upper(self, states: Tensor, ids: Tensor, mask: Tensor) -> Tuple[Tensor, ...]:
        """The layers above the frozen ones. [n_windows, n_pieces, width] each

        states: the output of the frozen layers, of the same shape; ids, mask: [n_windows, n_pieces]
        """
        self.start.states = states
        try:
            output = self.upper(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        finally:
            self.start.states = None
        return tuple(output.hidden_states[-self.n_upper :])  # without the embeddings and `states`


class Split:
    """The two parts of a transformer, made when they are first needed; never stored.

    n_frozen: how many of its layers are frozen; its embeddings and what all layers share are then, too.
    """

    def __init__(self, n_frozen: int):
        self.n_frozen = n_frozen
        self.original: Optional[nn.Module] = None
        self.device: Optional[torch.device] = None
        self.parts: Optional[Parts] = None

    def __reduce__(self) -> Tuple[type, Tuple[int]]:
        return Split, (self.n_frozen,)

    def of(self, transformer: nn.Module) -> Parts:
        """The same parts as long as the transformer is the same and on the same device."""
        device = next(transformer.parameters()).device
        if self.parts is None or self.original is not transformer or self.device != device:
            self.parts = split(transformer, self.n_frozen)
            self.original, self.device = transformer, device
        return self.parts


def split(transformer: nn.Module, n_frozen: int) -> Parts:
    """Freeze the lower layers of a transformer and divide it above them."""
    name, layers = layers_of(transformer)
    if not 0 < n_frozen < len(layers):
        raise ValueError(
            f"frozen_layers is {n_frozen}, but the transformer has {len(layers)} layers. Set it to at most "
            f"{len(layers) - 1}, or trainable to false."
        )
    transformer.requires_grad_(False)
    for layer in layers[n_frozen:]:
        layer.requires_grad_(True)
    ids, mask = _probe(transformer)
    outputs: List[Any] = []
    hook = layers[n_frozen - 1].register_forward_hook(lambda layer, args, output: outputs.append(output))
    with torch.no_grad():
        whole = transformer.eval()(
            input_ids=ids, attention_mask=mask, output_hidden_states=True
        ).hidden_states
    hook.remove()
    start = Continued(outputs[0])
    parts = Parts(
        _with_layers(transformer, name, list(range(n_frozen)), None),
        _with_layers(transformer, name, list(range(n_frozen, len(layers))), start),
        start,
        len(layers) - n_frozen,
    )
    _compare(parts, ids, mask, whole, n_frozen)
    return parts


def _probe(transformer: nn.Module) -> Tuple[Tensor, Tensor]:
    """Two short rows of piece ids and their mask, the second row shorter. [2, 8] each"""
    config: Any = transformer.config
    device = next(transformer.parameters()).device
    ids = torch.arange(16, device=device).view(2, 8) % config.vocab_size
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return ids, mask


def _with_layers(transformer: nn.Module, name: str, kept: List[int], start: Optional[nn.Module]) -> nn.Module:
    """A copy that has only some of the layers, after `start` if given, and the same weights: the tensors
    themselves, so that it follows their updates.
    """
    shared = {id(tensor): tensor for tensor in chain(transformer.parameters(), transformer.buffers())}
    copied: nn.Module = deepcopy(transformer, shared)
    parent, _, attribute = name.rpartition(".")
    layers = cast(nn.ModuleList, copied.get_submodule(name))
    some = ([] if start is None else [start]) + [layers[i] for i in kept]
    setattr(copied.get_submodule(parent), attribute, nn.ModuleList(some))
    return copied.eval()


@torch.no_grad()
def _compare(parts: Parts, ids: Tensor, mask: Tensor, whole: Tuple[Tensor, ...], n_frozen: int) -> None:
    """Refuse a transformer whose parts don't compute what it does as a whole."""
    lower = parts.lower(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    layers = [*lower, *parts.run_upper(whole[n_frozen], ids, mask)]
    real = mask.bool()
    if len(layers) != len(whole) or not all(
        torch.allclose(part[real], expected[real], rtol=1e-3, atol=1e-3)
        for part, expected in zip(layers, whole)
    ):
        raise ValueError(
            f"The transformer, a {type(parts.lower).__name__}, can't be divided after {n_frozen} layers: its "
            f"parts don't compute what it does as a whole. Set frozen_layers to 0."
        )
