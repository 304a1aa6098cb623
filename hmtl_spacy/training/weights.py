"""What training changes in a pipeline and its optimizer, as tensors under names that other processes know."""

from functools import partial
from hashlib import blake2b
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import torch
from spacy.language import Language
from thinc.api import Model, Optimizer, PyTorchShim, get_current_ops
from torch import Tensor

from ..shims import TorchUpdates
from .errors import CantResume, CantStore

Tensors = Dict[str, Tensor]
SLOTS = ("mom1", "mom2", "averages")  # what Thinc's optimizer keeps of each weight


class Weights(NamedTuple):
    """Weights of one name, a layer's or a torch network's.

    key: under which Thinc's optimizer knows them; in it are numbers that differ from process to process.
    """

    key: Tuple[int, str]
    get: Callable[[], Tensor]
    set: Callable[[Tensor], Any]


class Trained:
    """The weights of a pipeline that training changes, and what its optimizer knows of them.

    Names consist of the component, the layer's place in its model, the place of a torch network among those
    of the layer, and the name of the weights there: `hmtl/0/0/levels.ner.head.weight`.

    frozen: the components that aren't updated.
    """

    def __init__(self, nlp: Language, optimizer: Optimizer, frozen: List[str]):
        self.optimizer = optimizer
        self.layers: Dict[str, Model[Any, Any]] = {}
        self.frozen_layers: Dict[str, Model[Any, Any]] = {}
        for name, pipe in nlp.pipeline:
            model = getattr(pipe, "model", None)
            updated = name not in frozen and getattr(pipe, "is_trainable", False)
            if isinstance(model, Model):
                layers = self.layers if updated else self.frozen_layers
                layers.update({f"{name}/{place}": layer for place, layer in enumerate(model.walk())})
                others = [
                    shim
                    for layer in layers.values()
                    for shim in layer.shims
                    if not isinstance(shim, PyTorchShim)
                ]
                if updated and others:
                    raise CantStore(
                        f"The component '{name}' has a network that is neither torch's nor Thinc's"
                    )
            elif updated and hasattr(pipe, "update"):
                raise CantStore(f"The component '{name}' is trained, but has no Thinc model")

    def tensors(self) -> Tensors:
        """All of it. Names begin with `weights`, what the optimizer keeps of weights, or `updates`."""
        tensors: Tensors = {}
        known: List[Any] = []
        for name, weights in self._weights().items():
            tensors[f"weights/{name}"] = weights.get()
            known.append(weights.key)
            for slot in SLOTS:
                if (value := (getattr(self.optimizer, slot) or {}).get(weights.key)) is not None:
                    tensors[f"{slot}/{name}"] = _to_tensor(value)
            if weights.key in self.optimizer.nr_update:
                tensors[f"nr_update/{name}"] = torch.tensor(self.optimizer.nr_update[weights.key])
        for place, shim in networks(self.layers):
            if isinstance(shim, TorchUpdates):
                known.append(f"pytorch_{shim.id}_averages")
                tensors.update({f"updates/{place}/{name}": x for name, x in shim.training_state().items()})
        if unknown := {*self.optimizer.nr_update, *(self.optimizer.averages or ())}.difference(known):
            raise CantStore(f"The optimizer updates weights that aren't in a component's model ({unknown})")
        return tensors

    @torch.no_grad()
    def load(self, tensors: Tensors) -> None:
        """Set everything to what `tensors` gave."""
        left = dict(tensors)
        for place, shim in networks(self.layers):
            prefix = f"updates/{place}/"
            if state := {name[len(prefix) :]: left.pop(name) for name in tensors if name.startswith(prefix)}:
                shim.load_training_state(state, self.optimizer)
        for name, weights in self._weights().items():
            now, stored = weights.get(), left.pop(f"weights/{name}", None)
            if stored is None or (stored.shape, stored.dtype) != (now.shape, now.dtype):
                found = "none" if stored is None else f"{stored.dtype} {list(stored.shape)}"
                raise CantResume(
                    f"the weights '{name}' are {now.dtype} {list(now.shape)}, stored are {found}"
                )
            weights.set(stored)
            for slot in SLOTS:
                if (value := left.pop(f"{slot}/{name}", None)) is not None:
                    getattr(self.optimizer, slot)[weights.key] = _to_array(value)
            if (number := left.pop(f"nr_update/{name}", None)) is not None:
                self.optimizer.nr_update[weights.key] = int(number)
        if left:
            raise CantResume(f"the pipeline has no '{min(left)}'")
        for _, shim in networks({**self.layers, **self.frozen_layers}):
            if hasattr(shim, "inference"):
                shim.inference.prepare(next(shim._model.parameters()).device)

    def caches(self) -> Dict[str, Any]:
        """What keeps features of texts that never change, by the name of its network."""
        found = networks({**self.layers, **self.frozen_layers})
        return {place: shim.cache for place, shim in found if hasattr(shim, "cache")}

    def digest_of_others(self) -> str:
        """A hash of all weights that training doesn't change, with their names."""
        digest = blake2b(digest_size=16)
        changing = self._weights()
        for name, weights in weights_of({**self.layers, **self.frozen_layers}).items():
            if name not in changing:
                digest.update(name.encode())
                data: Any = weights.get().contiguous().reshape(-1).view(torch.uint8).numpy()
                digest.update(data)
        return digest.hexdigest()

    def _weights(self) -> Dict[str, Weights]:
        """Without those of a torch network that no update has reached, such as a frozen transformer."""
        untrained = [
            f"{place}/"
            for place, shim in networks(self.layers)
            if isinstance(shim, TorchUpdates) and not shim.is_trained
        ]
        weights = weights_of(self.layers)
        return {name: of_name for name, of_name in weights.items() if not name.startswith(tuple(untrained))}


def weights_of(layers: Dict[str, Model[Any, Any]]) -> Dict[str, Weights]:
    """All weights of layers and of their torch networks, buffers included."""
    weights: Dict[str, Weights] = {}
    for place, layer in layers.items():
        for name in filter(layer.has_param, layer.param_names):
            weights[f"{place}/{name}"] = Weights(
                (layer.id, name), partial(_get_param, layer, name), partial(_set_param, layer, name)
            )
    for place, shim in networks(layers):
        for name, tensor in [*shim._model.named_parameters(), *shim._model.named_buffers()]:
            weights[f"{place}/{name}"] = Weights((shim.id, name), tensor.detach().cpu, tensor.data.copy_)
        if shim._grad_scaler._enabled:
            for name in ("_scale", "_growth_tracker"):
                tensor = getattr(shim._grad_scaler, name)
                weights[f"{place}/scaler/{name}"] = Weights((shim.id, name), tensor.cpu, tensor.copy_)
    return weights


def networks(layers: Dict[str, Model[Any, Any]]) -> Iterator[Tuple[str, Any]]:
    """YIELDS: the shims of layers that hold a torch network, by name."""
    for place, layer in layers.items():
        for number, shim in enumerate(layer.shims):
            if isinstance(shim, PyTorchShim) and shim._model is not None:
                yield f"{place}/{number}", shim


def _get_param(layer: Model[Any, Any], name: str) -> Tensor:
    return _to_tensor(layer.get_param(name))


def _set_param(layer: Model[Any, Any], name: str, value: Tensor) -> None:
    layer.set_param(name, _to_array(value))


def _to_tensor(array: Any) -> Tensor:
    return torch.from_numpy(get_current_ops().to_numpy(array))


def _to_array(tensor: Tensor) -> Any:
    array: Any = tensor.numpy()
    return get_current_ops().asarray(array)
