"""Configurations of transformers as they are stored: plain settings, which name no code."""

import json
from typing import Any, Dict, Iterable, List, Optional, Type

import torch
import transformers
from torch import Tensor
from transformers import CONFIG_MAPPING
from transformers.configuration_utils import PretrainedConfig

from ..storage import DamagedPipeline

# settings that name code or the weights of others
REFUSED = {"auto_map", "trust_remote_code", "attn_implementation", "quantization_config", "use_kernels"}
REFUSED |= {"backbone", "use_timm_backbone", "use_pretrained_backbone"}
REFUSED |= {"experts_implementation", "per_layer_config", "kernel_config"}
# what the configurations of different classes call the dropout of vectors and of attention
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
DTYPES = ("torch_dtype", "dtype")  # what transformers 4 and 5 call the type of weights
# whose last hidden state transformers 5 replaces by the normed output, as version 4 doesn't
NORMED_AFTERWARDS = {"modernbert"}


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


def position_limit(config: PretrainedConfig) -> Optional[int]:
    """The most pieces that a transformer reads, those of its own included; None without a limit."""
    limit = getattr(config, "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else None


def settings_of(config: PretrainedConfig) -> Dict[str, Any]:
    """What is stored of a configuration: its plain settings. The type of weights is that of the weights."""
    settings: Dict[str, Any] = json.loads(config.to_json_string(use_diff=False))
    defaults = _defaults(type(config))
    kept = {name: value for name, value in settings.items() if name not in DTYPES}
    return {name: value for name, value in kept.items() if _is_harmless(name, value, defaults)}


def config_from(settings: Dict[str, Any], weights: Iterable[Tensor]) -> PretrainedConfig:
    """A configuration of a class that transformers has, from plain settings; see `settle`.

    weights: what is stored beside it; no number of a configuration is larger than their number.
    """
    kind = settings.get("model_type")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        raise DamagedPipeline(
            f"its transformer is of a type that transformers {transformers.__version__} doesn't have, "
            f"'{kind}'"
        )
    config_class: Type[PretrainedConfig] = CONFIG_MAPPING[kind]
    for name in DTYPES:
        dtype = settings.get(name)
        if dtype is not None and not isinstance(getattr(torch, str(dtype), None), torch.dtype):
            raise DamagedPipeline(f"its transformer's {name} is '{dtype}'")
    settings = {name: value for name, value in settings.items() if name not in DTYPES}
    _check(settings, _defaults(config_class), weights)
    try:
        config: PretrainedConfig = config_class.from_dict(settings)
    except Exception as error:  # each version of transformers raises others
        raise DamagedPipeline(f"its transformer's configuration isn't valid ({error})") from error
    settle(config)
    return config


def settle(config: PretrainedConfig) -> None:
    """Make the same of it in all versions of transformers: weights are in float32, whichever type they are
    stored in, and hidden states are those of layers, without a norm after the last one.
    """
    for name in DTYPES:
        if name in vars(config):
            setattr(config, name, torch.float32)
    if config.model_type in NORMED_AFTERWARDS:
        config.tie_last_hidden_states = False


def _check(settings: Dict[str, Any], defaults: PretrainedConfig, weights: Iterable[Tensor]) -> None:
    """Refuse settings that aren't plain, or larger than what is stored."""
    refused = [name for name, value in settings.items() if not _is_harmless(name, value, defaults)]
    if refused:
        written = str(settings.get("transformers_version"))[:20]
        raise DamagedPipeline(
            f"its transformer's configuration has the settings {refused}, which transformers "
            f"{transformers.__version__} doesn't take (it says that it was written with version {written})"
        )
    limit = 2**20 + sum(tensor.numel() for tensor in weights)
    too_large = [name for name, value in settings.items() if any(abs(n) > limit for n in _integers(value))]
    if too_large:
        raise DamagedPipeline(f"its transformer's settings {too_large} are larger than all that is stored")


def _defaults(config_class: Type[PretrainedConfig]) -> PretrainedConfig:
    """The default configuration of a transformer that is a single model."""
    if getattr(config_class, "sub_configs", None):
        raise DamagedPipeline(f"its transformer, with a {config_class.__name__}, consists of several models")
    return config_class()


def _is_harmless(name: str, value: Any, defaults: PretrainedConfig) -> bool:
    """Whether a setting is one that every configuration of its class has, or else a number or a word: models
    read some settings (DeBERTa's `position_buckets`) that a configuration of their class needn't have, and
    each version of transformers has other ones. What is empty says nothing.
    """
    if name.startswith("_") or name in REFUSED:
        return False
    if name in defaults.to_dict():
        return True
    values = value if isinstance(value, list) else [] if value == {} else [value]
    plain = all(x is None or isinstance(x, (int, float)) or str(x).isidentifier() for x in values)
    return plain and not hasattr(type(defaults), name)


def _integers(value: Any) -> List[int]:
    if isinstance(value, dict):
        return [n for item in value.values() for n in _integers(item)]
    if isinstance(value, list):
        return [n for item in value for n in _integers(item)]
    return [value] if isinstance(value, int) else []
