"""The config of each training."""

from pathlib import Path
from typing import Any, Dict, List

from thinc.api import Config

from hmtl_spacy.overlay import merge_configs

from .corpora import smaller
from .plan import CONFIGS, GROUPS, Settings, Size, Training, size_of

LEARN_RATE = 0.003
THRESHOLD = 0.15  # of relations while training: early probabilities are low; chosen anew at the end


def make_config(training: Training, settings: Settings) -> Config:
    """The default config under the group's, the setup's and the embeddings', made for the size and seed."""
    overlays = [*GROUPS[training.group].overlays, f"paper/setups/{training.setup}.cfg"]
    if training.embeddings != "full":
        overlays.append(f"paper/embeddings/{training.embeddings}.cfg")
    config = merge_configs(CONFIGS / "hmtl.cfg", [CONFIGS / name for name in overlays])
    config["paths"]["corpus"] = str(settings.corpus)
    config["paths"]["transformer"] = settings.transformer or config["paths"]["transformer"]
    config["paths"]["vectors"] = settings.vectors
    config["system"]["seed"] = training.seed
    config["components"]["hmtl"]["thresholds"]["relations"] = THRESHOLD
    set_length(config, size_of(training.size))
    tasks_of = corpus_tasks(config)
    for part in ("train", "dev"):
        corpora = config["corpora"][part]["corpora"]
        for name, tasks in tasks_of.items():
            if not tasks:
                corpora[name] = None
            elif corpora.get(name):
                corpora[name]["path"] = str(part_path(training, settings, name, part))
    return config


def set_length(config: Config, size: Size) -> None:
    """As many updates for every corpus, however many there are, and a learning rate that doesn't
    end with them, so that when a score stops rising doesn't hang on when training stops.
    """
    training, tasks = config["training"], corpus_tasks(config)
    for corpus in filter(None, config["corpora"]["train"]["corpora"].values()):
        if corpus.get("batch_words"):
            corpus["batch_words"] = round(size.batch * corpus["batch_words"])
    active = sum(1 for of_corpus in tasks.values() if of_corpus)
    updates = active * (size.updates or training["max_steps"] // len(tasks))
    training["eval_frequency"] = max(1, updates // size.evaluations)
    training["max_steps"] = training["eval_frequency"] * size.evaluations
    training["batcher"].update(sampling="uniform", minimum_share=0.0)
    warmup = max(1, training["max_steps"] // 20)
    training["optimizer"]["learn_rate"] = {
        "@schedules": "compounding.v1",
        "start": LEARN_RATE / 20,
        "stop": LEARN_RATE,
        "compound": round(20 ** (1 / warmup), 6),
    }


def corpus_tasks(config: Config) -> Dict[str, List[str]]:
    """The tasks of the hierarchy that each training corpus teaches."""
    hierarchy = config["components"]["hmtl"]["hierarchy"]
    corpora: Dict[str, Any] = config["corpora"]["train"]["corpora"]
    return {
        name: [task for task in hierarchy if task in (corpus.get("tasks") or hierarchy)]
        for name, corpus in corpora.items()
        if corpus is not None
    }


def part_path(training: Training, settings: Settings, corpus: str, part: str) -> Path:
    """Where a part of a corpus is, at the training's size."""
    path = settings.corpus / corpus / f"{part}.spacy"
    words = size_of(training.size).words.get(part)
    return smaller(path, words, settings.work / "corpus") if words else path
