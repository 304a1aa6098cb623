"""The pipelines that are measured: the project's configs, trained for some steps on assets/sample.

Speed hardly depends on the weights, but on how much the heads find, and untrained ones find absurdly much.
"""

from itertools import islice
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional

import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import Config

from hmtl_spacy.data.converters import convert
from hmtl_spacy.overlay import merge_configs

from .measure import Case, Work, in_turn
from .texts import ROOT, SAMPLE, Texts

LEVELS = ("ner", "mentions", "coref", "relations")
OVERLAYS = {"hmtl": [], "static": ["hmtl_static.cfg"], "finetune": ["hmtl_finetune.cfg"]}


def config_of(name: str, train: Optional[Path] = None) -> Config:
    """The config of a pipeline.

    name: hmtl, static or finetune; with one level alone hmtl-ner, static-coref and so on.
    """
    variant, _, level = name.partition("-")
    folder = ROOT / "configs"
    config = merge_configs(folder / "hmtl.cfg", [folder / overlay for overlay in OVERLAYS[variant]])
    config["paths"]["train"] = config["paths"]["dev"] = str(train) if train else None
    if level:
        # relations are between the spans of a level, which comes with them
        hierarchy = ["mentions", level] if level == "relations" else [level]
        config["components"]["hmtl"]["hierarchy"] = hierarchy
        for name in hierarchy:
            config["components"]["hmtl"]["tasks"][name]["inputs"] = []
    return config


def initialized(name: str, train: Path) -> Language:
    """A pipeline with the config's network, untrained."""
    from spacy.training.initialize import init_nlp

    return init_nlp(config_of(name, train))


def convert_sample(folder: Path) -> Path:
    """The training part of assets/sample as a .spacy file."""
    path = folder / "train.spacy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        convert("inline", SAMPLE, path, split="train")
    return path


def epoch(nlp: Language, documents: int = 0) -> Callable[[], Iterator[List[Example]]]:
    """A function that gives the batches of one more epoch of the pipeline's training corpus.

    documents: how many documents to use; 0 = all.
    """
    settings = nlp.config.interpolate()
    corpora = spacy.registry.resolve({"corpora": settings["corpora"]})["corpora"]
    batcher = spacy.registry.resolve({"batcher": settings["training"]["batcher"]})["batcher"]
    examples = list(islice(corpora["train"](nlp), documents or None))
    return lambda: batcher(examples)


def optimizer_of(nlp: Language):
    settings = nlp.config.interpolate()["training"]["optimizer"]
    return spacy.registry.resolve({"optimizer": settings})["optimizer"]


def update(nlp: Language, batch: List[Example], optimizer) -> None:
    """One update as `spacy train` makes it."""
    nlp.update(batch, sgd=optimizer, losses={}, annotates=nlp.config["training"]["annotating_components"])
    optimizer.step_schedules()


def make(name: str, train: Path, steps: int, path: Path) -> Work:
    """Train a pipeline and store it: a case whose process goes with all that it held."""

    def run():
        nlp = initialized(name, train)
        batches, optimizer = epoch(nlp), optimizer_of(nlp)
        done = 0
        while done < steps:
            for batch in islice(batches(), steps - done):
                update(nlp, batch, optimizer)
                done += 1
        nlp.to_disk(path)
        return {}

    return Work(run, 0)


class Pipelines:
    """Trained pipelines in a folder, `hmtl`, `static-ner` and so on; one that isn't there yet is made.

    steps: updates to train for.
    """

    def __init__(self, folder: Path, steps: int, threads: int):
        self.folder = folder
        self.steps = steps
        self.threads = threads

    def path(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            settings = {"name": name, "train": self.train, "steps": self.steps, "path": path}
            in_turn([Case(f"train {name}", make, settings)], 0, self.threads)
        return path

    @property
    def train(self) -> Path:
        return convert_sample(self.folder / "corpus")


class Setup(NamedTuple):
    """What every benchmark is given. tiny: measure as little as shows that everything runs."""

    texts: Texts
    pipelines: Pipelines
    tiny: bool = False
