"""What is kept of a frozen transformer: its features in training, its copy for inference."""

import hashlib
from typing import Callable, Dict, List, Optional, Tuple

import torch
from spacy.attrs import ORTH
from spacy.tokens import Doc
from torch import Tensor

from ..nn.onednn_linear import inference_copy
from .word_pieces import sentence_starts

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class FeatureCache:
    """Frozen features of texts, kept in half precision on the CPU while a model is trained; never stored.

    megabytes: how much is kept, in MiB. Once that is full, nothing is added and nothing is thrown out,
        since training reads all texts in turn.
    """

    def __init__(self, megabytes: int):
        self.megabytes = megabytes
        self.active = False
        self.used = 0
        self.features: Dict[bytes, Tensor] = {}

    def __reduce__(self) -> Tuple[type, Tuple[int]]:
        return FeatureCache, (self.megabytes,)

    def keep(self, key: bytes, features: Tensor) -> None:
        """Keep the features of a text, if the cache is active and has room. [n_layers, n_tokens, width]"""
        size = features.nelement() * 2
        if self.active and self.used + size <= self.megabytes * 2**20:
            self.features[key] = features.to("cpu", torch.float16)
            self.used += size

    def get(self, docs: List[Doc], compute: Callable[[List[Doc]], Tensor], device: torch.device) -> Tensor:
        """All layers of the docs; those that aren't kept are computed. [n_layers, n_tokens, width]"""
        keys = [_key(doc) for doc in docs]
        missing = {key: doc for key, doc in zip(keys, docs) if key not in self.features and len(doc)}
        computed: Dict[bytes, Tensor] = {}
        if missing:
            together = compute(list(missing.values()))
            computed = dict(zip(missing, together.split([len(doc) for doc in missing.values()], dim=1)))
            for key, features in computed.items():
                self.keep(key, features)
        layers = [
            computed[key] if key in computed else self.features[key].to(device).float()
            for key, doc in zip(keys, docs)
            if len(doc)
        ]
        if not layers:
            return compute([])
        return layers[0] if len(layers) == 1 else torch.cat(layers, dim=1)


class Inference:
    """The copy of a transformer that inference runs, made when it is first needed; never stored.

    precision: of its weights, one of PRECISIONS.
    """

    def __init__(self, precision: str):
        self.precision = precision
        self.original: Optional[torch.nn.Module] = None
        self.device: Optional[torch.device] = None
        self.copy: Optional[torch.nn.Module] = None

    def __reduce__(self) -> Tuple[type, Tuple[str]]:
        return Inference, (self.precision,)

    def copy_of(self, transformer: torch.nn.Module) -> torch.nn.Module:
        """The same copy as long as the transformer is the same and on the same device."""
        device = next(transformer.parameters()).device
        if self.original is not transformer or self.device != device:
            self.copy = inference_copy(transformer, PRECISIONS[self.precision])
            self.original, self.device = transformer, device
        assert self.copy is not None
        return self.copy


def _key(doc: Doc) -> bytes:
    words = doc.to_array([ORTH]).tobytes()
    return hashlib.blake2b(words + b"|" + sentence_starts(doc).tobytes(), digest_size=16).digest()
