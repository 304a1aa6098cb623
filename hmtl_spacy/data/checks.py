"""What is wrong with the corpora and the schedule of a training, found before its first step."""

from typing import Any, Dict, List, Set, Tuple

from spacy.language import Language
from spacy.training import Example
from spacy.util import dot_to_object, logger, resolve_dot_names

from .length import check_length
from .teaching import corpus_name, teaches

OURS = "hmtl_spacy."


def check_training(nlp: Language) -> None:
    """Raises if the corpora can't be read, if there is nothing to evaluate on, or if training documents have
    labels that an initialized component doesn't know. Warns of what is only doubtful.

    nlp: as it goes into training, with its whole config and without its frozen components.
    """
    config = nlp.config.interpolate()
    training = config["training"]
    _check_schedule(training)
    tasks = [item for _, proc in nlp.pipeline for item in dict(getattr(proc, "tasks", None) or {}).items()]
    if tasks and _is_ours(config, training["train_corpus"]) and training["max_epochs"] >= 0:
        (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
        examples = list(corpus(nlp))
        _check_labels(examples, tasks)
        check_length(training, examples)
    if tasks and _is_ours(config, training["dev_corpus"]):
        (corpus,) = resolve_dot_names(config, [training["dev_corpus"]])
        _check_development(training["dev_corpus"], list(corpus(nlp)), tasks)


def _is_ours(config: Any, name: str) -> bool:
    """Whether a corpus is read by this package; others have their own ways, such as endless streams."""
    return str(dot_to_object(config, name).get("@readers", "")).startswith(OURS)


def _check_labels(examples: List[Example], tasks: List[Tuple[str, Any]]) -> None:
    for (corpus, name), (labels, known) in _unknown_labels(examples, tasks).items():
        raise ValueError(
            f"The corpus '{corpus}' has the labels {labels} of the task '{name}', which was built for "
            f"{known}. A network can't learn further labels: train a new pipeline on all corpora together, "
            f"or convert the corpus without these labels."
        )


def _check_development(name: str, examples: List[Example], tasks: List[Tuple[str, Any]]) -> None:
    if not examples:
        raise ValueError(
            f"The development corpus [{name}] has no documents that any of the tasks "
            f"{[task for task, _ in tasks]} could be scored on, so nothing would say which model is best. "
            f"Check its paths: --paths.dev dev.spacy, for example."
        )
    for task_name, task in tasks:
        if not any(_has_gold(eg, task_name, task) for eg in examples):
            logger.warning(
                "The development corpus [%s] has no gold annotation of '%s': its scores stay 0.",
                *(name, task_name),
            )
    for (corpus, task_name), (labels, _) in _unknown_labels(examples, tasks).items():
        logger.warning(
            "The development corpus '%s' has the labels %s of the task '%s', which no training document has: "
            "they can't be predicted.",
            *(corpus, labels, task_name),
        )


def _unknown_labels(
    examples: List[Example], tasks: List[Tuple[str, Any]]
) -> Dict[Tuple[str, str], Tuple[List[str], List[str]]]:
    """Labels that a task doesn't know, and those that it knows, by corpus and task."""
    unknown: Dict[Tuple[str, str], Set[str]] = {}
    known = {name: list(task.labels) for name, task in tasks}
    for example in examples:
        for name, task in tasks:
            if _has_gold(example, name, task):
                labels = set(task.find_labels([example.reference])) - set(known[name])
                unknown.setdefault((corpus_name(example.reference), name), set()).update(labels)
    return {key: (sorted(labels), known[key[1]]) for key, labels in unknown.items() if labels}


def _has_gold(example: Example, name: str, task: Any) -> bool:
    return teaches(example.reference, name) and bool(task.has_gold(example.reference))


def _check_schedule(training: Dict[str, Any]) -> None:
    """Warns if the learning rate is scheduled for another number of steps than there are."""
    rate = (training.get("optimizer") or {}).get("learn_rate")
    total = rate.get("total_steps") if isinstance(rate, dict) else None
    if total and training["max_steps"] and total != training["max_steps"]:
        logger.warning(
            "[training] max_steps is %d, but the learning rate reaches its end at step %d. Set "
            "[training.optimizer.learn_rate] total_steps instead of max_steps.",
            *(training["max_steps"], total),
        )
