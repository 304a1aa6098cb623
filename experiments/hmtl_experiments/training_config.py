"""The config of each training."""

from pathlib import Path
from typing import Any, Dict, List

from thinc.api import Config

from hmtl_spacy.overlay import merge_configs

from .corpora import smaller
from .plan import CONFIGS, GROUPS, SHARED_CONFIGS, Settings, Size, Training, size_of

LEARN_RATE = 0.003
THRESHOLD = 0.15  # for relations during training, where probabilities start low; tuned at the end


def make_config(training: Training, settings: Settings) -> Config:
    """Lay the configs of the group, the setup and the embeddings over the default one; set size and seed."""
    overlays = [CONFIGS / "last_tokens.cfg", *GROUPS[training.group].overlays]
    overlays.append(CONFIGS / f"setups/{training.setup}.cfg")
    if training.embeddings != "full":
        overlays.append(CONFIGS / f"embeddings/{training.embeddings}.cfg")
    config = merge_configs(SHARED_CONFIGS / "hmtl.cfg", overlays)
    config["paths"]["corpus"] = str(settings.corpus)
    config["paths"]["transformer"] = settings.transformer or config["paths"]["transformer"]
    config["paths"]["vectors"] = settings.vectors
    config["system"]["seed"] = training.seed
    config["components"]["hmtl"]["thresholds"]["relations"] = THRESHOLD
    config["training"]["logger"]["tune_thresholds"] = False
    set_length(config, size_of(training.size))
    tasks_of = corpus_tasks(config)
    for split in ("train", "dev"):
        corpora = config["corpora"][split]["corpora"]
        for name, tasks in tasks_of.items():
            if not tasks:
                corpora[name] = None
            elif corpora.get(name):
                corpora[name]["path"] = str(split_path(training, settings, name, split))
    return config


def set_length(config: Config, size: Size) -> None:
    """Give each corpus the same number of updates, however many corpora there are.

    The learning rate doesn't fall towards the last update, so the point where a score stops rising doesn't
    depend on where training stops.
    """
    training, tasks = config["training"], corpus_tasks(config)
    for corpus in filter(None, config["corpora"]["train"]["corpora"].values()):
        if corpus.get("batch_words"):
            corpus["batch_words"] = round(size.batch * corpus["batch_words"])
    active = sum(1 for names in tasks.values() if names)
    updates = active * (size.updates or config.interpolate()["training"]["max_steps"] // len(tasks))
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
    """List the tasks of the hierarchy that each training corpus teaches."""
    hierarchy = config["components"]["hmtl"]["hierarchy"]
    corpora: Dict[str, Any] = config["corpora"]["train"]["corpora"]
    return {
        name: [task for task in hierarchy if task in (corpus.get("tasks") or hierarchy)]
        for name, corpus in corpora.items()
        if corpus is not None
    }


def split_path(training: Training, settings: Settings, corpus: str, split: str) -> Path:
    """Find a split of a corpus, at the training's size."""
    path = settings.corpus / corpus / f"{split}.spacy"
    words = size_of(training.size).words.get(split)
    return smaller(path, words, settings.work / "corpus") if words else path
