"""How networks are stored: tensors and texts in the safetensors format, which can't hold code.

What is read may come from a stranger. Its claims are compared with what is there before memory is taken.
"""

import json
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import Module
from torch.nn.modules import module as torch_modules

WEIGHTS, TEXTS = "weights.", "texts."
SHARED = "shared"  # the text that says which weights are another's, as where embeddings are used twice
SLACK = 2**22  # elements that a network may have beside four times those that are stored for it
UNREADABLE = (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, RecursionError)


class DamagedPipeline(ValueError):
    """What is stored can't be what this package wrote.

    reason: what was found, as a clause.
    """

    def __init__(self, reason: str):
        self.reason = reason
        super().__init__(
            f"The stored pipeline is damaged or hostile, or its config was changed after training: {reason}. "
            f"Nothing of it was run. Get it again, from a source that you trust."
        )


class Stored(NamedTuple):
    """What a stored network consists of.

    texts: settings by name; weights: by their name in the network.
    """

    texts: Dict[str, str]
    weights: Dict[str, Tensor]

    def json(self, name: str) -> Dict[str, Any]:
        """A text that is a JSON object."""
        try:
            value = json.loads(self.texts[name])
        except (KeyError, ValueError, RecursionError) as error:
            raise DamagedPipeline(f"its '{name}' isn't there or isn't JSON") from error
        if not isinstance(value, dict):
            raise DamagedPipeline(f"its '{name}' is a {type(value).__name__}, not an object")
        return value


def pack(network: Optional[Module], texts: Mapping[str, str]) -> bytes:
    """A network's weights and the texts that go with them. None for a network that isn't built yet."""
    tensors: Dict[str, Tensor] = {}
    shared: Dict[str, str] = {}
    first: Dict[Tuple[Any, ...], str] = {}
    for name, weights in ({} if network is None else network.state_dict()).items():
        place = (weights.data_ptr(), weights.shape, weights.stride(), weights.dtype)
        if weights.numel() and first.setdefault(place, name) != name:
            shared[name] = first[place]
        else:
            tensors[WEIGHTS + name] = _own_memory(weights)
    for name, text in {**texts, SHARED: json.dumps(shared)}.items():
        encoded = bytearray(text.encode("utf8"))
        tensors[TEXTS + name] = torch.frombuffer(encoded, dtype=torch.uint8) if encoded else torch.empty(0)
    return bytes(safetensors.torch.save(tensors))


def unpack(data: bytes, names: Iterable[str]) -> Stored:
    """Read what `pack` wrote; anything else is refused.

    names: of the texts that a network has; one that isn't built yet has none.
    """
    try:
        tensors = safetensors.torch.load(data)
        strings = {
            name[len(TEXTS) :]: bytes(tensor.numpy()).decode("utf8")
            for name, tensor in tensors.items()
            if name.startswith(TEXTS)
        }
    except UNREADABLE as error:
        raise DamagedPipeline(f"it isn't in the safetensors format ({error})") from error
    weights = {name[len(WEIGHTS) :]: t for name, t in tensors.items() if name.startswith(WEIGHTS)}
    if len(strings) + len(weights) < len(tensors):
        raise DamagedPipeline("it holds something that is neither weights nor a text")
    for name, other in Stored(strings, weights).json(SHARED).items():
        if not isinstance(other, str) or other not in weights or name in weights:
            raise DamagedPipeline(f"'{name}' shares the weights of '{other}', which aren't there")
        weights[name] = weights[other]
    del strings[SHARED]
    if strings and set(strings) != set(names):
        raise DamagedPipeline(f"it holds the texts {sorted(strings)} instead of {sorted(names)}")
    return Stored(strings, weights)


def unmatched_weights(build: Callable[[], Module], weights: Mapping[str, Tensor]) -> List[str]:
    """The weights that a network has and that aren't stored, and the reverse. Raises if those that both have
    differ in shape, or if the network is larger than what is stored.

    build: makes the network; it is called on torch's meta device, where tensors take no memory.
    """
    try:
        with torch.device("meta"), _at_most(1000 + 20 * len(weights)):
            network = build()
    except (TypeError, AttributeError, KeyError, IndexError, RuntimeError, OverflowError) as error:
        raise DamagedPipeline(f"no network can be built from its settings ({error})") from error
    expected = network.state_dict()
    for name, stored in weights.items():
        if name in expected and expected[name].shape != stored.shape:
            raise DamagedPipeline(
                f"'{name}' is stored with the shape {list(stored.shape)}, but its settings ask for "
                f"{list(expected[name].shape)}"
            )
    n_stored = sum(stored.numel() for stored in weights.values())
    n_built = sum(x.numel() for x in [*network.parameters(), *network.buffers()])
    if n_built > 4 * n_stored + SLACK:
        raise DamagedPipeline(f"its settings ask for {n_built:,} weights, but {n_stored:,} are stored")
    return sorted(set(expected) ^ set(weights))


@contextmanager
def _at_most(limit: int) -> Iterator[None]:
    """Inside, a network of more weights and modules than this can't be built."""
    count = 0

    def registered(module: Module, name: str, value: Any) -> None:
        nonlocal count
        count += 1
        if count > limit:
            raise DamagedPipeline(f"its settings ask for more than {limit:,} weights and modules")

    handles = [
        torch_modules.register_module_parameter_registration_hook(registered),
        torch_modules.register_module_module_registration_hook(registered),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _own_memory(weights: Tensor) -> Tensor:
    """The weights on the CPU, in memory that nothing else shares."""
    moved = weights.detach().cpu().contiguous()
    return moved.clone() if moved.untyped_storage().nbytes() > moved.nbytes else moved
