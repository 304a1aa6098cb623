"""Whole configs to train with, made of those that come with the package: which tasks, how large."""

from importlib.resources import files
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from spacy.util import load_model_from_config
from thinc.api import Config

from .defaults import HIERARCHY, SCORE_WEIGHTS
from .overlay import merge_configs

BASE = "hmtl.cfg"
OVERLAYS: Dict[str, List[str]] = {"sm": ["hmtl_static.cfg"], "md": [], "lg": []}  # by size
LARGE = "sentence-transformers/all-mpnet-base-v2"
PREFIXES = {"ner": "ents", "mentions": "spans_mentions", "coref": "coref", "relations": "rel"}  # of scores


def preset(
    tasks: Sequence[str] = (), size: str = "md", lang: str = "en", transformer: Optional[str] = None
) -> Config:
    """A whole config for `spacy train`, filled in. What is written down in it is a preset of the package.

    tasks: the levels, all four if none is named. Each reads those of its usual inputs that are among them.
    size: "sm" has words and characters alone, "md" a small frozen transformer, "lg" one of base size.
    lang: code of the language, as in `spacy.blank`.
    transformer: for "md" and "lg", another one: a name on the hub, a folder, or package:NAME/FOLDER.
    RETURNS: the config, with its variables.
    """
    _check(tasks, size, transformer)
    config = merge_configs(_folder() / BASE, [_folder() / name for name in OVERLAYS[size]])
    config["nlp"]["lang"] = lang
    if size == "sm":
        del config["paths"]["transformer"]
    elif transformer or size == "lg":
        config["paths"]["transformer"] = transformer or LARGE
    _choose_tasks(config, [name for name in HIERARCHY if name in (tasks or HIERARCHY)])
    return load_model_from_config(config, auto_fill=True).config


def _choose_tasks(config: Config, hierarchy: List[str]) -> None:
    """Leave the levels of a hierarchy, what they read of one another, and their scores. A level that isn't
    there is null: a missing section would be filled in.
    """
    component = config["components"]["hmtl"]
    component["hierarchy"] = hierarchy
    for name, settings in component["tasks"].items():
        settings["inputs"] = [below for below in settings["inputs"] if below in hierarchy]
        if name not in hierarchy:
            component["tasks"][name] = None
    if "relations" in hierarchy and "mentions" not in hierarchy:
        component["tasks"]["relations"]["@hmtl_tasks"] = "hmtl_spacy.Relations.v1"
    for section in ("thresholds", "spans"):
        component[section] = {name: value for name, value in component[section].items() if name in hierarchy}
    weights = config["training"]["score_weights"]
    for name, prefix in PREFIXES.items():
        for key in (key for key in SCORE_WEIGHTS if key.startswith(f"{prefix}_")):
            weights[key] = SCORE_WEIGHTS[key] if name in hierarchy else None


def _check(tasks: Sequence[str], size: str, transformer: Optional[str]) -> None:
    if size not in OVERLAYS:
        raise ValueError(f"There is no preset of the size '{size}'. Choose one of {list(OVERLAYS)}.")
    if unknown := [name for name in tasks if name not in HIERARCHY]:
        raise ValueError(f"Can't make a config for the tasks {unknown}. Name some of {HIERARCHY}.")
    if transformer and size == "sm":
        raise ValueError(
            f"The size 'sm' has no transformer, but '{transformer}' was asked for. Choose 'md' or 'lg'."
        )


def _folder() -> Path:
    """Where the presets are: setup.py puts those of a checkout's configs/ into the package."""
    installed = Path(str(files(__package__))) / "configs"
    return installed if installed.exists() else installed.parents[1] / "configs"
