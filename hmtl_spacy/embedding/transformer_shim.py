"""How a transformer is held and stored: weights, configuration and tokenizer, none of which can run code."""

import json
import warnings
from functools import partial
from typing import Any, Dict, NamedTuple, Optional, Tuple

import torch
from thinc.api import PyTorchShim, get_torch_default_device
from torch import Tensor
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, AutoTokenizer
from transformers.configuration_utils import PretrainedConfig
from transformers.modeling_utils import PreTrainedModel

from ..nn.undrawn import build_undrawn
from ..shims import Group, TorchUpdates
from ..storage import DamagedPipeline, pack, unmatched_weights, unpack
from .configuration import config_from, position_limit, set_dropout, settings_of, settle
from .frozen import FeatureCache, Inference
from .split import Split, layers_of
from .word_pieces import WordPieces

BATCH_PIECES = {"cpu": 1024}


class Settings(NamedTuple):
    """A transformer's settings that come from the config alone: a stored model doesn't bring its own."""

    name: str
    trainable: bool
    window: int
    batch_pieces: Optional[int]
    kept_pieces: Optional[int]

    def pieces_at_a_time(self, device: torch.device) -> int:
        """How many word pieces are run together."""
        return self.batch_pieces or BATCH_PIECES.get(device.type, 8192)


class TransformerShim(TorchUpdates, PyTorchShim):
    """Holds a transformer and its word pieces; both None until it is read or loaded.

    settings: those of the layer that it is in.
    layer_decay: multiplies the learning rate of each layer below the last, once more for each further one.
    decay_all: whether biases and layer norms have weight decay, too.
    dropout: in its layers, in training; None for that of its configuration.
    """

    settings: Settings
    layer_decay: float
    decay_all: bool
    dropout: Optional[float]
    cache: FeatureCache
    inference: Inference
    split: Split
    pieces: WordPieces

    def group_of(self, name: str, weights: Tensor) -> Group:
        """What isn't in a layer, such as the embeddings, learns as slowly as a layer below the first."""
        below = 0
        if self.layer_decay != 1.0:
            prefix, layers = layers_of(self._model)
            number = name.removeprefix(f"{prefix}.").partition(".")[0] if name.startswith(prefix) else ""
            below = len(layers) - 1 - int(number) if number.isdigit() else len(layers)
        return Group(share=self.layer_decay**below, decays=self.decay_all or weights.dim() > 1)

    def read(self, name: str) -> None:
        """Take a transformer from a folder or from the hub, never with code of its own."""
        transformer, self.pieces = read_pretrained(name, self.dropout)
        network: Any = transformer
        self._model = network.to(get_torch_default_device())

    def to_bytes(self) -> bytes:
        if self._model is None:
            return pack(None, {})
        config = json.dumps(settings_of(self._model.config))
        return pack(self._model, {"config": config, **self.pieces.to_texts()})

    def from_bytes(self, bytes_data: bytes) -> "TransformerShim":
        """Load, without first drawing random weights, which would be replaced; they are drawn, with a
        warning, if some aren't stored.
        """
        stored = unpack(bytes_data, ["config", *WordPieces.TEXTS])
        if not stored.texts:
            return self
        config = config_from(stored.json("config"), stored.weights.values())
        set_dropout(config, self.dropout)
        pieces = WordPieces.from_texts(stored, limit=position_limit(config))
        unmatched = unmatched_weights(partial(build_model, config), stored.weights)
        network: Any
        if unmatched:
            warnings.warn(
                f"The weights {unmatched} are in the stored transformer or in its class, not in both, "
                f"probably because another version of transformers stored it. Those that have no values are "
                f"random now: load it with that version, or train it again.",
                UserWarning,
                stacklevel=2,
            )
            network = build_model(config)
        else:
            network = build_undrawn(partial(build_model, config))
        network.load_state_dict(stored.weights, strict=False)
        self._model, self.pieces = network.to(get_torch_default_device()), pieces
        return self


def read_pretrained(name: str, dropout: Optional[float]) -> Tuple[PreTrainedModel, WordPieces]:
    """A transformer and its word pieces, from a folder or the hub. One that couldn't be loaded again from a
    stored pipeline is refused, and so is one with code of its own.

    dropout: see `set_dropout`.
    """
    own: Dict[str, Any] = {"trust_remote_code": False}
    tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True, add_prefix_space=True, **own)
    if not tokenizer.is_fast:
        raise ValueError(
            f"The transformer '{name}' has no fast tokenizer, the only kind that is stored as data alone. "
            f"Choose a transformer that has one."
        )
    config = AutoConfig.from_pretrained(name, return_dict=True, **own)
    set_dropout(config, dropout)
    settle(config)
    network: PreTrainedModel = AutoModel.from_pretrained(name, config=config, **own)
    weights = network.state_dict()
    try:
        stored_config = config_from(settings_of(network.config), weights.values())
        unmatched_weights(partial(build_model, stored_config), weights)
    except DamagedPipeline as error:
        raise ValueError(
            f"The transformer '{name}' couldn't be loaded again from a stored pipeline: {error.reason}. "
            f"Choose another one."
        ) from error
    return network, WordPieces.of(tokenizer, position_limit(network.config))


def build_model(config: PretrainedConfig) -> PreTrainedModel:
    """A model to load weights into: its configuration's own class, since `AutoModel` first imports the
    configurations of all models that there are; by `AutoModel` if that class isn't certain.
    """
    own: Any = MODEL_MAPPING.get(type(config), None)
    plain = getattr(own, "config_class", None) is type(config)
    model: PreTrainedModel = (
        own._from_config(config) if plain else AutoModel.from_config(config, trust_remote_code=False)
    )
    if model.main_input_name != "input_ids":
        raise DamagedPipeline(f"its transformer, a {type(model).__name__}, doesn't read text")
    return model
