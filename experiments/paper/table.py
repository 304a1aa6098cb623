"""Which setup, corpora and measures make a row of the paper's Tables 3 to 5, and its config."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Optional, Sequence

from spacy.util import load_model_from_config, registry
from thinc.api import Config

from hmtl_spacy.overlay import merge_configs

from ..plan import CONFIGS, EMBEDDINGS, SETUPS

PAPER = CONFIGS / "paper"
PARTS = ("train", "dev", "test")
EPOCHS_OF_PATIENCE = 10


@dataclass(frozen=True)
class Row:
    """setup: of configs/paper/setups; corpora: overlays of configs/paper, each over the one before;
    embeddings: of configs/paper/embeddings; gold_mentions: whether coreference is tested with them too.
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


def row_config(name: str, base: Path = CONFIGS / "hmtl.cfg", overlays: Iterable[Path] = ()) -> Config:
    """The base under the original's settings, the row's corpora, its setup and further overlays.

    Corpora that teach nothing of the setup are left out.
    """
    row = ROWS[name]
    ours = ["original", *row.corpora, f"setups/{row.setup}"]
    if row.embeddings:
        ours.append(f"embeddings/{row.embeddings}")
    config = merge_configs(base, [*(PAPER / f"{path}.cfg" for path in ours), *overlays])
    for part in ("train", "dev"):
        corpora = config["corpora"][part]["corpora"]
        for task in corpora:
            if task not in config["components"]["hmtl"]["hierarchy"]:
                corpora[task] = None
    return config


def corpus_folders(config: Config) -> Dict[str, Path]:
    """Where the corpus of each task of the hierarchy is: a folder with train, dev and test.spacy."""
    return {task: Path(config["paths"][task]) for task in config["components"]["hmtl"]["hierarchy"]}


def set_epochs(config: Config) -> int:
    """Make the config evaluate after each epoch, and stop after ten without a better score.

    RETURNS: the updates in an epoch, as many as all corpora have batches.
    """
    found = config.interpolate()
    blocks = {"corpus": found["corpora"]["train"], "batcher": found["training"]["batcher"]}
    resolved = registry.resolve(blocks)
    examples = resolved["corpus"](load_model_from_config(found, auto_fill=True))
    updates = sum(1 for _ in resolved["batcher"](examples))
    config["training"]["eval_frequency"] = updates
    config["training"]["patience"] = EPOCHS_OF_PATIENCE * updates
    return updates
