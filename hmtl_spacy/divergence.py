"""Training stops before a loss or a gradient that isn't finite gets into the weights."""

from math import isfinite
from typing import Any, Dict, Iterable, List

import torch
from spacy.training import Example
from thinc.api import Model, Optimizer, PyTorchShim

from .data.teaching import corpus_name

ADVICE = (
    "The weights are as they were before this step. Try a lower [training.optimizer.learn_rate], more "
    'warmup_steps, a smaller [training.optimizer] grad_clip, or precision = "float32" for a transformer, and '
    "look at the data of this corpus: very long documents or sentences, odd vectors."
)


class Divergence(ValueError):
    """A loss, a gradient or a learning rate is NaN or infinite."""


class UpdateWatch:
    """Watches the updates of a component: how many there were, what the next one is made of."""

    def __init__(self) -> None:
        self.step = 0
        self.corpora: List[str] = []
        self.tasks: List[str] = []

    def watch_losses(self, losses: Dict[str, float], examples: Iterable[Example]) -> None:
        """Raises if a loss isn't finite. To be called before gradients are computed.

        losses: by task, of a batch; several batches may make an update.
        """
        names = (corpus_name(eg.reference) for eg in examples)
        self.corpora = list(dict.fromkeys([*self.corpora, *names]))
        self.tasks = list(dict.fromkeys([*self.tasks, *losses]))
        for task, loss in losses.items():
            if not isfinite(loss):
                raise Divergence(
                    f"The loss of '{task}' is {loss} at step {self.step}{self._where()}. {ADVICE}"
                )

    def watch_update(self, model: Model[Any, Any], optimizer: Optimizer) -> None:
        """Raises if a gradient or the learning rate isn't finite. To be called before weights are updated."""
        if not isfinite(optimizer.learn_rate):
            raise Divergence(
                f"The learning rate is {optimizer.learn_rate} at step {self.step}: see [training.optimizer]."
            )
        if not gradients_are_finite(model):
            raise Divergence(
                f"The gradient of {self.tasks} isn't finite at step {self.step}{self._where()}. {ADVICE}"
            )
        self.step += 1
        self.corpora, self.tasks = [], []

    def _where(self) -> str:
        return f", corpus {', '.join(repr(name) for name in self.corpora)}" if any(self.corpora) else ""


def gradients_are_finite(model: Model[Any, Any]) -> bool:
    """Whether all gradients of the torch networks in a model are; those of a scaled loss may not be, which
    the scaler of gradients sees to itself.
    """
    return all(
        _are_finite(shim._model)
        for layer in model.walk()
        for shim in layer.shims
        if isinstance(shim, PyTorchShim) and shim._model is not None and not shim._grad_scaler._enabled
    )


def _are_finite(network: torch.nn.Module) -> bool:
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    values = [gradient._values() if gradient.is_sparse else gradient for gradient in gradients]
    values = [of_weight for of_weight in values if of_weight.numel()]
    # finding the largest value takes 30 times as long as the L2 norm, which large ones may overflow
    return not values or any(
        bool(torch.stack(torch._foreach_norm(values, order)).max().isfinite()) for order in (2, float("inf"))
    )
