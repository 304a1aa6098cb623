"""How long to train: the number of updates by the size of the corpora."""

from typing import Any, List, NamedTuple, Optional, Tuple

import spacy
from spacy.training import Example
from spacy.util import logger, registry, resolve_dot_names
from thinc.api import Config

from .batching import count_batches
from .teaching import teaches

# As the shipped configs were tuned: 12 to 15 epochs where there are many batches, 1,050 updates at least.
EPOCHS = 14
FEWEST = 1000
USUAL = (2, 40)  # epochs: with fewer or more, something is probably not meant
EVALUATIONS = 12
WARMUP = 200  # updates; a fifth of a short training


class Length(NamedTuple):
    """Updates, updates between evaluations, and those until the learning rate is at its highest."""

    total_steps: int
    eval_frequency: int
    warmup_steps: int


def fitting_length(per_epoch: int) -> Length:
    """The length of a training whose epoch has so many batches."""
    updates = min(max(FEWEST, EPOCHS * per_epoch), USUAL[1] * per_epoch)
    between = updates // EVALUATIONS
    total = EVALUATIONS * between
    return Length(total, between, min(WARMUP, total // 5))


def fit_length(config: Config) -> Tuple[int, Length]:
    """Set the length of a training by the size of its corpora.

    config: read without interpolation; changed in place.
    RETURNS: the batches of an epoch, and the length.
    """
    training = config.interpolate()["training"]
    if not _is_ours(training):
        raise ValueError(
            f"Can't fit the length to the corpora: [training.batcher] is {training['batcher']}, whose "
            f"batches can't be counted. Use hmtl_spacy.batch_by_task.v1, or set max_steps yourself."
        )
    rate = (training.get("optimizer") or {}).get("learn_rate")
    if not isinstance(rate, dict) or not {"total_steps", "warmup_steps"} <= set(rate):
        raise ValueError(
            f"Can't fit the length to the corpora: [training.optimizer] learn_rate is {rate}, which has no "
            f"total_steps and warmup_steps. Use warmup_linear.v1, as configs/hmtl.cfg does."
        )
    components = config.get("components", {}).values()
    tasks = [task for block in components for task in block.get("hierarchy") or []]
    (corpus,) = resolve_dot_names(config.interpolate(), [training["train_corpus"]])
    nlp = spacy.blank(config["nlp"]["lang"])
    examples = [eg for eg in corpus(nlp) if not tasks or any(teaches(eg.reference, task) for task in tasks)]
    if not examples:
        raise ValueError(
            f"Can't fit the length to the corpora: [{training['train_corpus']}] has no documents. Name a "
            f"file with --train, or set the paths in [corpora.train.corpora]."
        )
    per_epoch = _batches(training, examples)
    length = fitting_length(per_epoch)
    config["training"]["optimizer"]["learn_rate"].update(
        total_steps=length.total_steps, warmup_steps=length.warmup_steps
    )
    config["training"]["max_steps"] = "${training.optimizer.learn_rate.total_steps}"
    config["training"]["eval_frequency"] = length.eval_frequency
    return per_epoch, length


def check_length(training: Any, examples: List[Example]) -> None:
    """Warns, before the first step, of a training that is too long or too short for its corpora."""
    updates: Optional[int] = training["max_steps"]
    if not updates or not examples or not _is_ours(training):
        return
    per_epoch = _batches(training, examples)
    epochs = updates / per_epoch
    if epochs < USUAL[0] or (epochs > USUAL[1] and updates > FEWEST):
        total, between, warmup = fitting_length(per_epoch)
        logger.warning(
            "%d updates are %.1f epochs of these corpora, whose epoch has %d batches. %d are usual: "
            "--training.optimizer.learn_rate.total_steps %d --training.optimizer.learn_rate.warmup_steps %d "
            "--training.eval_frequency %d, or make the config with spacy hmtl config --fit.",
            *(updates, epochs, per_epoch, total, total, warmup, between),
        )


def _batches(training: Any, examples: List[Example]) -> int:
    batcher = registry.fill({"batcher": training["batcher"]})["batcher"]
    return sum(count_batches(examples, batcher["words"]).values())


def _is_ours(training: Any) -> bool:
    return bool(training["batcher"].get("@batchers") == "hmtl_spacy.batch_by_task.v1")
