"""What is kept of a frozen transformer, or of frozen layers: features in training, a copy for inference."""

import hashlib
from contextlib import nullcontext
from functools import partial
from itertools import chain
from threading import Lock
from typing import Callable, Dict, List, Optional, Tuple

import torch
from spacy.attrs import ORTH
from spacy.tokens import Doc
from torch import Tensor

from ..nn.onednn_linear import can_pack, inference_copy
from ..side_by_side import SideBySide, batches_of_words, cores, on_one_thread
from .precision import usable_precision
from .word_pieces import sentence_starts

Features = Tuple[Tensor, ...]  # of a text
Compute = Callable[[List[Doc]], List[Features]]
MIB = 2**20
PIECE_WORDS = 256  # of a batch of training, so that cores share it
FILL_WORDS = 4096  # whose features are in memory beside those that are kept


class FeatureCache:
    """What frozen layers give for texts, kept on the CPU while a model is trained; never stored.

    megabytes: how much is kept, in MiB. Once a text has no room, nothing is added and nothing is thrown
        out, since training reads all texts in turn.
    dtype: in which precision.
    """

    def __init__(self, megabytes: int, dtype: torch.dtype):
        self.megabytes, self.dtype = megabytes, dtype
        self.active = self.full = False
        self.used = 0
        self.features: Dict[bytes, Features] = {}

    def __reduce__(self) -> Tuple[type, Tuple[int, torch.dtype]]:
        return FeatureCache, (self.megabytes, self.dtype)

    def forget(self) -> None:
        """Throw away what is kept."""
        self.features.clear()
        self.used, self.full = 0, False

    def keep(self, key: bytes, features: Features) -> None:
        """Keep the features of a text, if the cache is active and has room."""
        size = sum(tensor.nelement() for tensor in features) * self.dtype.itemsize
        self.full = self.full or self.used + size > self.megabytes * MIB
        if self.active and not self.full:
            self.features[key] = tuple(tensor.to("cpu", self.dtype) for tensor in features)
            self.used += size

    def get(self, docs: List[Doc], compute: Compute, device: torch.device, keep: bool) -> List[Features]:
        """The features of each document with tokens.

        compute: gives them for texts of which they aren't kept.
        keep: these, too; without it, several threads may ask at a time.
        """
        texts = _with_keys(docs)
        missing = self._missing(texts)
        if keep:
            computed = self._add(missing, compute, device)
        else:
            computed = dict(zip(missing, compute(list(missing.values())))) if missing else {}
        return [
            computed[key]
            if key in computed
            else tuple(tensor.to(device).float() for tensor in self.features[key])
            for key, _ in texts
        ]

    def fill(self, docs: List[Doc], compute: Compute, device: torch.device) -> None:
        """Compute and keep the features of texts, while there is room."""
        for some in batches_of_words(docs, FILL_WORDS):
            if self.full or not self.active:
                return
            self._add(self._missing(_with_keys(some)), compute, device)

    def _missing(self, texts: List[Tuple[bytes, Doc]]) -> Dict[bytes, Doc]:
        return {key: doc for key, doc in texts if key not in self.features}

    def _add(
        self, missing: Dict[bytes, Doc], compute: Compute, device: torch.device
    ) -> Dict[bytes, Features]:
        """Compute features, on a CPU side by side, and keep them. What is computed together doesn't depend on
        the number of cores, nor do the numbers.
        """
        if not missing:
            return {}
        on_cpu = device.type == "cpu"
        pieces = batches_of_words(missing.values(), PIECE_WORDS if on_cpu else FILL_WORDS)
        with (
            on_one_thread() if on_cpu else nullcontext(),
            SideBySide(cores() if on_cpu else 1) as side_by_side,
        ):
            begun = [side_by_side.add(partial(compute, piece)) for piece in pieces]
            computed = dict(zip(missing, chain.from_iterable(piece.result() for piece in begun)))
        for key, features in computed.items():
            self.keep(key, features)
        return computed


class Inference:
    """The copy of a transformer that inference runs, made when it is first needed; never stored.

    precision: of its weights, one of PRECISIONS, where the processor computes in it.
    """

    def __init__(self, precision: str):
        self.precision = precision
        self.original: Optional[torch.nn.Module] = None
        self.device: Optional[torch.device] = None
        self.copy: Optional[torch.nn.Module] = None
        self.lock = Lock()  # batches are done side by side

    def __reduce__(self) -> Tuple[type, Tuple[str]]:
        return Inference, (self.precision,)

    def prepare(self, device: torch.device) -> None:
        """Do what draws random numbers when it is done for the first time on that device."""
        can_pack(usable_precision(self.precision, device))

    def copy_of(self, transformer: torch.nn.Module) -> torch.nn.Module:
        """The same copy as long as the transformer is the same and on the same device."""
        device = next(transformer.parameters()).device
        with self.lock:
            if self.original is not transformer or self.device != device:
                self.copy = inference_copy(transformer, usable_precision(self.precision, device))
                self.original, self.device = transformer, device
            assert self.copy is not None
            return self.copy

    def forget(self) -> None:
        """Drop the copy: its transformer is about to change, and both take memory."""
        self.original = self.copy = None


def _key(doc: Doc) -> bytes:
    words = doc.to_array([ORTH]).tobytes()
    return hashlib.blake2b(words + b"|" + sentence_starts(doc).tobytes(), digest_size=16).digest()


def _with_keys(docs: List[Doc]) -> List[Tuple[bytes, Doc]]:
    """Documents with tokens, each with what it is kept under."""
    return [(_key(doc), doc) for doc in docs if len(doc)]
