"""The rows of the paper's Tables 3 to 5: setup, corpora and measures of each, and its config."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Optional, Sequence

from spacy.util import load_model_from_config, registry
from thinc.api import Config

from hmtl_spacy.overlay import merge_configs

from ..plan import CONFIGS, EMBEDDINGS, SETUPS, SHARED_CONFIGS

SPLITS = ("train", "dev", "test")
EPOCHS_OF_PATIENCE = 10


@dataclass(frozen=True)
class Row:
    """A row of the paper's tables.

    setup: a file of configs/setups.
    corpora: files of configs, each laid over the one before.
    gold_mentions: whether coreference is also tested with gold mentions.
    embeddings: a file of configs/embeddings; None for the full embeddings.
    """

    setup: str
    corpora: Sequence[str] = ("ace",)
    gold_mentions: bool = False
    embeddings: Optional[str] = None


RAHMAN = ("ace", "ace_rahman")
ROWS = {
    **{setup: Row(setup) for setup in SETUPS},
    "A-GM": Row("A", RAHMAN, gold_mentions=True),
    "E-GM": Row("E", RAHMAN, gold_mentions=True),
    "A-CoNLL-2003": Row("A", (*RAHMAN, "conll2003"), gold_mentions=True),
    "A-CoNLL-2012": Row("A", ("ace", "conll2012")),
    **{f"A-GM-{name}": Row("A", RAHMAN, True, name) for name in EMBEDDINGS if name != "full"},
}


def row_config(name: str, base: Path = SHARED_CONFIGS / "hmtl.cfg", overlays: Iterable[Path] = ()) -> Config:
    """Lay the original's settings, the row's corpora, its setup and further overlays over a base.

    Corpora that teach none of the setup's tasks are removed.
    """
    row = ROWS[name]
    ours = ["last_tokens", "original", *row.corpora, f"setups/{row.setup}"]
    if row.embeddings:
        ours.append(f"embeddings/{row.embeddings}")
    config = merge_configs(base, [*(CONFIGS / f"{path}.cfg" for path in ours), *overlays])
    for split in ("train", "dev"):
        corpora = config["corpora"][split]["corpora"]
        for task in corpora:
            if task not in config["components"]["hmtl"]["hierarchy"]:
                corpora[task] = None
    return config


def corpus_folders(config: Config) -> Dict[str, Path]:
    """Find the corpus of each task of the hierarchy: a folder with train, dev and test.spacy."""
    return {task: Path(config["paths"][task]) for task in config["components"]["hmtl"]["hierarchy"]}


def set_epochs(config: Config) -> int:
    """Make the config evaluate after each epoch, and stop after ten epochs without a better score.

    RETURNS: the number of updates in an epoch, which is the number of batches of all corpora.
    """
    resolvable = config.interpolate()
    blocks = {"corpus": resolvable["corpora"]["train"], "batcher": resolvable["training"]["batcher"]}
    resolved = registry.resolve(blocks)
    examples = resolved["corpus"](load_model_from_config(resolvable, auto_fill=True))
    updates = sum(1 for _ in resolved["batcher"](examples))
    config["training"]["eval_frequency"] = updates
    learn_rate = config["training"]["optimizer"]["learn_rate"]
    if "steps_per_epoch" in learn_rate:
        learn_rate["steps_per_epoch"] = updates
    config["training"]["patience"] = EPOCHS_OF_PATIENCE * updates
    return updates
