"""The state of all random numbers, and a stream of batches with random numbers of its own."""

import random
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Tuple

import numpy
import torch
from thinc.compat import cupy, has_cupy_gpu
from torch import Tensor

Batch = Tuple[int, Any]  # its epoch and its examples


class RandomState(NamedTuple):
    """Where the generators of Python, numpy and torch are; of torch's, those of the GPUs too."""

    python: Tuple[Any, ...]
    numpy: Any
    torch: Tensor
    cuda: List[Tensor]

    @classmethod
    def capture(cls) -> "RandomState":
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        return cls(
            random.getstate(),
            numpy.random.get_state(),  # noqa: NPY002  # the generator of spaCy and Thinc
            torch.get_rng_state(),
            cuda,
        )

    def restore(self) -> None:
        random.setstate(self.python)
        numpy.random.set_state(self.numpy)  # noqa: NPY002
        torch.set_rng_state(self.torch)
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)

    def to_json(self) -> Dict[str, Any]:
        """The same as plain data."""
        name, words, *rest = self.numpy
        return {
            "python": [self.python[0], list(self.python[1]), self.python[2]],
            "numpy": [name, words.tolist(), *rest],
            "torch": _to_text(self.torch),
            "cuda": [_to_text(state) for state in self.cuda],
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any]) -> "RandomState":
        """What `to_json` gave."""
        version, numbers, gauss = data["python"]
        name, words, *rest = data["numpy"]
        return cls(
            (version, tuple(numbers), gauss),
            (name, numpy.array(words, dtype=numpy.uint32), *rest),
            _from_text(data["torch"]),
            [_from_text(state) for state in data["cuda"]],
        )


class BatchStream:
    """Batches that are the same again from the same state, whatever is done with them: readers, augmentation
    and the batcher have random numbers of their own.

    batches: read once. state: of their random numbers, at the start and then after each batch.
    """

    def __init__(self, batches: Iterable[Batch]):
        self.batches = iter(batches)
        self.state = RandomState.capture()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            others = RandomState.capture()
            self.state.restore()
            batch = next(self.batches, None)
            self.state = RandomState.capture()
            others.restore()
            if batch is None:
                return
            yield batch


def restart_cupy(step: int) -> None:
    """Start cupy's generator anew, since it doesn't say where it is."""
    if has_cupy_gpu:
        cupy.random.seed(step)


def _to_text(state: Tensor) -> str:
    return state.numpy().tobytes().hex()


def _from_text(text: str) -> Tensor:
    return torch.frombuffer(bytearray.fromhex(text), dtype=torch.uint8)
