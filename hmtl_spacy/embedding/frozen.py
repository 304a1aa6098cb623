"""What is kept of a frozen transformer, or of frozen layers: features in training, a copy for inference."""

import hashlib
from threading import Lock
from typing import Callable, Dict, List, Optional, Tuple

import torch
from spacy.attrs import ORTH
from spacy.tokens import Doc
from torch import Tensor

from ..nn.onednn_linear import can_pack, inference_copy
from .precision import usable_precision
from .word_pieces import sentence_starts

Features = Tuple[Tensor, ...]  # of a text


class FeatureCache:
    """What frozen layers give for texts, kept on the CPU while a model is trained; never stored.

    megabytes: how much is kept, in MiB. Once that is full, nothing is added and nothing is thrown out,
        since training reads all texts in turn.
    dtype: in which precision.
    """

    def __init__(self, megabytes: int, dtype: torch.dtype):
        self.megabytes, self.dtype = megabytes, dtype
        self.active = False
        self.used = 0
        self.features: Dict[bytes, Features] = {}

    def __reduce__(self) -> Tuple[type, Tuple[int, torch.dtype]]:
        return FeatureCache, (self.megabytes, self.dtype)

    def keep(self, key: bytes, features: Features) -> None:
        """Keep the features of a text, if the cache is active and has room."""
        size = sum(tensor.nelement() for tensor in features) * self.dtype.itemsize
        if self.active and self.used + size <= self.megabytes * 2**20:
            self.features[key] = tuple(tensor.to("cpu", self.dtype) for tensor in features)
            self.used += size

    def get(
        self, docs: List[Doc], compute: Callable[[List[Doc]], List[Features]], device: torch.device
    ) -> List[Features]:
        """The features of each document with tokens; those that aren't kept are computed together."""
        keys = [_key(doc) for doc in docs]
        missing = {key: doc for key, doc in zip(keys, docs) if key not in self.features and len(doc)}
        computed: Dict[bytes, Features] = {}
        if missing:
            computed = dict(zip(missing, compute(list(missing.values()))))
            for key, features in computed.items():
                self.keep(key, features)
        return [
            computed[key]
            if key in computed
            else tuple(tensor.to(device).float() for tensor in self.features[key])
            for key, doc in zip(keys, docs)
            if len(doc)
        ]


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
