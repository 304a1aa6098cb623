"""How torch networks are optimised and averaged inside a Thinc model.

Thinc's own shim updates tensor by tensor, zeroes gradients instead of dropping them (so that
Adam's momentum moves the weights of tasks that weren't trained) and leaves the moving
averages of weights out. This one uses torch's optimisers with the learning rate, betas and
weight decay of the Thinc optimiser it is given.
"""

import contextlib
import json
from functools import partial
from itertools import chain
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import torch
from thinc.api import Optimizer, PyTorchShim, get_torch_default_device
from torch import Tensor
from torch.nn import Parameter

from .storage import DamagedPipeline, pack, unmatched_weights, unpack


class Group(NamedTuple):
    """How some weights of a network are updated.

    share: multiplies the network's learning rate.
    decays: whether the optimiser's weight decay applies.
    """

    share: float
    decays: bool


class TorchUpdates:
    """Mix in before a `PyTorchShim`.

    learn_rate_scale: multiplies the optimiser's learning rate for this network.
    warmup_steps: updates in which this factor rises from 0, beside the optimiser's own schedule.
    """

    learn_rate_scale: float = 1.0
    warmup_steps: int = 0
    _model: Any
    _grad_scaler: Any
    id: int

    def group_of(self, name: str, weights: Tensor) -> Group:
        """How the weights of that name are updated."""
        return Group(share=1.0, decays=True)

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update the weights that have gradients, and their averages; drop the gradients."""
        updates: Optional[Updates] = self.__dict__.get("_updates")
        if updates is None or updates.model is not self._model:
            updates = self.__dict__["_updates"] = Updates(self._model, self.group_of)
        if not self._grad_scaler.found_inf:
            updates.step(optimizer, self.learn_rate_scale, self.warmup_steps)
            averages: Optional[Dict[Any, Any]] = optimizer.averages
            if averages is not None:
                averages[f"pytorch_{self.id}_averages"] = updates.average()
        updates.drop_gradients()
        self._grad_scaler.update()

    @property
    def is_trained(self) -> bool:
        """Whether any update has changed the weights."""
        return bool(self.training_state().get("steps", 0))

    def training_state(self) -> Dict[str, Tensor]:
        """What updates depend on beside the weights, by name; nothing before the first."""
        updates: Optional[Updates] = self.__dict__.get("_updates")
        return {} if updates is None else updates.state()

    def load_training_state(self, state: Dict[str, Tensor], optimizer: Optimizer) -> None:
        """Go on from a state, with the weights that belong to it."""
        updates = self.__dict__["_updates"] = Updates(self._model, self.group_of)
        updates.load_state(state)
        averages: Optional[Dict[Any, Any]] = optimizer.averages
        if averages is not None:
            averages[f"pytorch_{self.id}_averages"] = updates.averages

    @contextlib.contextmanager
    def use_params(self, params: Dict[Any, Any]) -> Iterator[None]:
        """Evaluate and save with the averaged weights, where there are any."""
        averages = params.get(f"pytorch_{self.id}_averages") if params else None
        if not averages:
            yield
            return
        parameters = dict(self._model.named_parameters())
        backup = {name: parameters[name].data for name in averages}
        for name, average in averages.items():
            parameters[name].data = average
        try:
            yield
        finally:
            for name, weights in backup.items():
                parameters[name].data = weights


class TorchShim(TorchUpdates, PyTorchShim):
    """A torch network that is built once its sizes are known, from training data or from disk.

    build: makes the network from keyword settings, which are stored beside its weights, so
        loading needs nothing else. It must be picklable.
    """

    def __init__(self, build: Callable[..., torch.nn.Module]):
        super().__init__(None)
        self.build = build

    @property
    def network(self) -> Any:
        """What `build` made; None before."""
        return self._model

    def create(self, **settings: Any) -> Any:
        """Build the network.

        settings: what `build` is called with; plain data.
        """
        self.cfg = settings
        self._model = self.build(**settings).to(get_torch_default_device())
        return self._model

    def run(self, is_train: bool, *args: Any) -> Tuple[Tensor, Callable[[Tensor], None]]:
        """Run the network.

        args: what it is called with.
        RETURNS: its output, and a function that takes the gradient of that.
        """
        if not is_train:
            self._model.eval()
            with torch.no_grad():
                return self._model(*args), _no_gradient
        self._model.train()
        output = self._model(*args)
        return output, output.backward

    def to_bytes(self) -> bytes:
        return pack(self._model, {} if self._model is None else {"settings": json.dumps(self.cfg)})

    def from_bytes(self, bytes_data: bytes) -> "TorchShim":
        stored = unpack(bytes_data, ["settings"])
        if stored.texts:
            settings = stored.json("settings")
            build = partial(self.build, **settings)
            unmatched = unmatched_weights(build, stored.weights)
            if unmatched:
                raise DamagedPipeline(f"the weights {unmatched} are needed or stored, not both")
            self.create(**settings).load_state_dict(stored.weights)
        return self


def _no_gradient(gradient: Tensor) -> None:
    raise ValueError("This output was computed without is_train=True, so it has no gradient.")


class Updates:
    """Optimiser state of one network: Adam, sparse Adam for sparse gradients, averages.

    group_of: how the weights of a name are updated.
    """

    def __init__(self, model: torch.nn.Module, group_of: Callable[[str, Tensor], Group]):
        self.model, self.group_of = model, group_of
        self.parameters = dict(model.named_parameters())
        self.steps = 0
        self.dense: Optional[torch.optim.Optimizer] = None
        self.sparse: Optional[torch.optim.Optimizer] = None
        self.averages: Dict[str, Tensor] = {}

    def step(self, optimizer: Optimizer, scale: float, warmup_steps: int) -> None:
        """Update all weights that have gradients.

        scale: what the optimiser's learning rate is multiplied by, after `warmup_steps` updates.
        """
        if optimizer.use_radam or not (optimizer.b1 and optimizer.b2):
            raise ValueError(
                "hmtl_spacy updates torch networks with Adam, but the training section asks for another "
                'optimizer. Set [training.optimizer] @optimizers = "Adam.v1".'
            )
        gradients = [(p, p.grad) for p in self.parameters.values() if p.grad is not None]
        if not gradients:
            return
        self.steps += 1
        if self.steps < warmup_steps:
            scale *= self.steps / warmup_steps
        dense = [p for p, gradient in gradients if not gradient.is_sparse]
        sparse = [p for p, gradient in gradients if gradient.is_sparse]
        if optimizer.grad_clip:
            clip_gradients(dense, sparse, optimizer.grad_clip)
        if dense:
            if self.dense is None:
                self.dense = adam(self._groups(sparse=False))
            self._apply(self.dense, optimizer, scale)
        if sparse:
            if self.sparse is None:
                self.sparse = torch.optim.SparseAdam(self._groups(sparse=True))
            self._apply(self.sparse, optimizer, scale)

    @torch.no_grad()
    def average(self) -> Dict[str, Tensor]:
        """Moving averages whose horizon grows with training, as Thinc's: a tenth of the steps.

        None for a network that nothing has trained, such as a frozen transformer.
        """
        if not self.steps:
            return self.averages
        if not self.averages:
            self.averages = {name: p.clone() for name, p in self.parameters.items() if p.requires_grad}
        keep = min(0.9999, (1.0 + self.steps) / (10.0 + self.steps))
        current: List[Tensor] = [self.parameters[name] for name in self.averages]
        torch._foreach_lerp_(list(self.averages.values()), current, 1.0 - keep)
        return self.averages

    def state(self) -> Dict[str, Tensor]:
        """All that the next step depends on beside the weights: the number of steps, averages, and what the
        optimisers keep of each weight (`dense/exp_avg/NAME`).
        """
        state = {"steps": torch.tensor(self.steps)}
        for kind, optimizer in (("dense", self.dense), ("sparse", self.sparse)):
            if optimizer is not None:
                for name, parameter in self.parameters.items():
                    for key, value in optimizer.state.get(parameter, {}).items():
                        state[f"{kind}/{key}/{name}"] = torch.as_tensor(value)
        return {**state, **{f"averages/{name}": average for name, average in self.averages.items()}}

    def load_state(self, state: Dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self.steps = int(state["steps"])
        by_kind: Dict[str, Dict[str, Dict[str, Any]]] = {"dense": {}, "sparse": {}}
        for name, value in state.items():
            kind, _, rest = name.partition("/")
            if kind == "averages":
                self.averages[rest] = value.to(self.parameters[rest].device)
            elif kind in by_kind:
                key, _, parameter = rest.partition("/")
                by_kind[kind].setdefault(parameter, {})[key] = (
                    value if value.is_floating_point() else int(value)
                )
        if by_kind["dense"]:
            self.dense = adam(self._groups(sparse=False))
            self._load(self.dense, by_kind["dense"])
        if by_kind["sparse"]:
            self.sparse = torch.optim.SparseAdam(self._groups(sparse=True))
            self._load(self.sparse, by_kind["sparse"])

    def drop_gradients(self) -> None:
        """Leave no gradient, not even zeros, from which Adam's momentum would move the weights on."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def _groups(self, sparse: bool) -> List[Dict[str, Any]]:
        """The weights that are updated alike, as torch's optimisers want them."""
        sparse_weights = {
            id(module.weight) for module in self.model.modules() if getattr(module, "sparse", False)
        }
        groups: Dict[Group, List[Parameter]] = {}
        for name, parameter in self.parameters.items():
            if parameter.requires_grad and (id(parameter) in sparse_weights) == sparse:
                groups.setdefault(self.group_of(name, parameter), []).append(parameter)
        return [{"params": parameters, **group._asdict()} for group, parameters in groups.items()]

    def _load(self, optimizer: torch.optim.Optimizer, state: Dict[str, Dict[str, Any]]) -> None:
        """Give a new optimiser what another had kept of each weight, by name."""
        names = {id(parameter): name for name, parameter in self.parameters.items()}
        # torch numbers the weights of all groups in turn
        weights = chain.from_iterable(group["params"] for group in optimizer.param_groups)
        numbered = {n: state[names[id(p)]] for n, p in enumerate(weights) if names[id(p)] in state}
        optimizer.load_state_dict({**optimizer.state_dict(), "state": numbered})

    def _apply(self, torch_optimizer: torch.optim.Optimizer, optimizer: Optimizer, scale: float) -> None:
        for group in torch_optimizer.param_groups:
            group["lr"] = optimizer.learn_rate * scale * group["share"]
            group["betas"] = (optimizer.b1, optimizer.b2)
            group["eps"] = optimizer.eps
            if "weight_decay" in group:  # sparse Adam has none
                group["weight_decay"] = optimizer.L2 if group["decays"] else 0.0
        torch_optimizer.step()


def adam(groups: List[Dict[str, Any]]) -> torch.optim.Optimizer:
    """Adam that updates the weights of a group in one call, fused where torch supports it on that device."""
    try:
        return torch.optim.AdamW([dict(group) for group in groups], fused=True)  # which it changes
    except RuntimeError:
        return torch.optim.AdamW(groups, foreach=True)


@torch.no_grad()
def clip_gradients(dense: List[Parameter], sparse: List[Parameter], limit: float) -> None:
    """Scale all gradients of a network so that their common L2 norm is at most `limit`."""
    gradients = [p.grad for p in dense if p.grad is not None]
    for parameter in sparse:
        if parameter.grad is not None:
            parameter.grad = parameter.grad.coalesce()
            gradients.append(parameter.grad._values())
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (limit / (norm + 1e-6)).clamp(max=1.0))
