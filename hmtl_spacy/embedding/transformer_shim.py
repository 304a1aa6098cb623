"""How a transformer is held and stored: weights, configuration and tokenizer, none of which can run code."""

import json
import warnings
from functools import partial
from typing import Any, Dict, Iterable, List, Optional, Tuple, Type

import torch
from thinc.api import PyTorchShim, get_torch_default_device
from torch import Tensor
from transformers import CONFIG_MAPPING, MODEL_MAPPING, AutoConfig, AutoModel, AutoTokenizer
from transformers.configuration_utils import PretrainedConfig
from transformers.modeling_utils import PreTrainedModel, no_init_weights

from ..shims import Group, TorchUpdates
from ..storage import DamagedPipeline, pack, unmatched_weights, unpack
from .frozen import FeatureCache, Inference
from .split import Split, layers_of
from .word_pieces import WordPieces

# settings that name code or the weights of others
REFUSED = {"auto_map", "trust_remote_code", "attn_implementation", "quantization_config", "use_kernels"}
REFUSED |= {"backbone", "use_timm_backbone", "use_pretrained_backbone"}
# what the configurations of different classes call the dropout of vectors and of attention
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")


class TransformerShim(TorchUpdates, PyTorchShim):
    """Holds a transformer and its word pieces; both None until it is read or loaded.

    layer_decay: multiplies the learning rate of each layer below the last, once more for each further one.
    decay_all: whether biases and layer norms have weight decay, too.
    dropout: in its layers, in training; None for that of its configuration.
    """

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
            with no_init_weights():
                network = build_model(config)
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


def set_dropout(config: PretrainedConfig, dropout: Optional[float]) -> None:
    """Set the dropout of a transformer's layers; None leaves it as it is."""
    if dropout is None:
        return
    names = [name for name in DROPOUTS if isinstance(getattr(config, name, None), (int, float))]
    if not names:
        raise ValueError(
            f"The transformer's dropout is {dropout}, but its configuration, a {type(config).__name__}, has "
            f"none of {list(DROPOUTS)}. Set dropout to null."
        )
    for name in names:
        setattr(config, name, dropout)


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


def position_limit(config: PretrainedConfig) -> Optional[int]:
    """The most pieces that a transformer reads, those of its own included; None without a limit."""
    limit = getattr(config, "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else None


def settings_of(config: PretrainedConfig) -> Dict[str, Any]:
    """What is stored of a configuration: its plain settings."""
    settings: Dict[str, Any] = json.loads(config.to_json_string(use_diff=False))
    defaults = _defaults(type(config))
    return {name: value for name, value in settings.items() if _is_harmless(name, value, defaults)}


def config_from(settings: Dict[str, Any], weights: Iterable[Tensor]) -> PretrainedConfig:
    """A configuration of a class that transformers has, from plain settings.

    weights: what is stored beside it; no number of a configuration is larger than their number.
    """
    kind = settings.get("model_type")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        raise DamagedPipeline(f"its transformer is of a type that transformers doesn't have, '{kind}'")
    config_class: Type[PretrainedConfig] = CONFIG_MAPPING[kind]
    defaults = _defaults(config_class)
    refused = [name for name, value in settings.items() if not _is_harmless(name, value, defaults)]
    if refused:
        raise DamagedPipeline(f"its transformer's configuration has the settings {refused}")
    limit = 2**20 + sum(tensor.numel() for tensor in weights)
    too_large = [name for name, value in settings.items() if any(abs(n) > limit for n in _integers(value))]
    if too_large:
        raise DamagedPipeline(f"its transformer's settings {too_large} are larger than all that is stored")
    dtype = settings.get("torch_dtype")
    if dtype is not None and not isinstance(getattr(torch, str(dtype), None), torch.dtype):
        raise DamagedPipeline(f"its transformer's torch_dtype is '{dtype}'")
    try:
        config: PretrainedConfig = config_class.from_dict(dict(settings))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise DamagedPipeline(f"its transformer's configuration isn't valid ({error})") from error
    return config


def _defaults(config_class: Type[PretrainedConfig]) -> PretrainedConfig:
    """The default configuration of a transformer that is a single model."""
    if getattr(config_class, "sub_configs", None):
        raise DamagedPipeline(f"its transformer, with a {config_class.__name__}, consists of several models")
    return config_class()


def _is_harmless(name: str, value: Any, defaults: PretrainedConfig) -> bool:
    """Whether a setting is one that every configuration of its class has, or else a number or a word: models
    read some settings (DeBERTa's `position_buckets`) that a configuration of their class needn't have.
    """
    if name.startswith("_") or name in REFUSED:
        return False
    if name in defaults.to_dict():
        return True
    values = value if isinstance(value, list) else [value]
    plain = all(x is None or isinstance(x, (int, float)) or str(x).isidentifier() for x in values)
    return plain and not hasattr(type(defaults), name)


def _integers(value: Any) -> List[int]:
    if isinstance(value, dict):
        return [n for item in value.values() for n in _integers(item)]
    if isinstance(value, list):
        return [n for item in value for n in _integers(item)]
    return [value] if isinstance(value, int) else []
