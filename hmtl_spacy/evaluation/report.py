"""An evaluation as text, for people, and as plain data, for files."""

from dataclasses import asdict, replace
from typing import Any, Dict, Iterator, List, Literal, Optional, Set, Tuple

from wasabi.tables import table

from ..calibration import Calibration
from ..data.relabelling import mapping_table
from ..data.tokenization import describe_tokenization
from .evaluate import Evaluation, TaskResult

HEADER = ("", "P", "R", "F", "gold")
MAPPED = ("task", "label", "scored as", "count")
GIVEN = {
    "paper": "Gold spans were given that the model could find itself, pruned as its own (gm_paper).",
    "any": "All gold spans were given, of any width (gm_any).",
}
ALIGNS: Tuple[Literal["l", "r"], ...] = ("l", "r", "r", "r", "r")


def to_json(result: Evaluation) -> Dict[str, Any]:
    """The evaluation as a dict that `json` can write; scores are 0..1."""
    scores = {key: value for task in result.tasks.values() if task for key, value in task.scores.items()}
    mapped = [dict(zip(MAPPED, (*key[1:], count))) for key, count in result.mapped.items()]
    return {
        **asdict(replace(result, mapped={}, contradictions={})),
        "mapped": mapped,
        "contradictions": {name: count._asdict() for name, count in result.contradictions.items()},
        "words_per_second": result.words_per_second,
        "scores": scores,
    }


def report(result: Evaluation) -> str:
    """The evaluation as a table per task; scores are 0..100."""
    return "\n".join(_lines(result))


def task_table(task: TaskResult) -> str:
    """One line per measure, the scores of each type below the measure they belong to."""
    groups, _ = group_scores(task.scores)
    rows: List[Tuple[str, ...]] = []
    for prefix, scores in groups.items():
        rows.append((prefix, *_percentages(scores), str(task.gold) if scores["per_type"] else ""))
        for label, of_label in scores["per_type"].items():
            rows.append((f"  {label}", *_percentages(of_label), str(task.per_label.get(label, 0))))
    return table(rows, header=HEADER, divider=True, aligns=ALIGNS)


def group_scores(scores: Dict[str, Any]) -> Tuple[Dict[str, Dict[str, Any]], Dict[str, float]]:
    """Sort a task's scores for a table.

    RETURNS: what has precision, recall and F, by the prefix of its keys, with `per_type` where
        there is one; and all other scores.
    """
    prefixes = [key[: -len("_f")] for key in scores if key.endswith("_f")]
    prefixes = [prefix for prefix in prefixes if {f"{prefix}_p", f"{prefix}_r"} <= scores.keys()]
    groups: Dict[str, Dict[str, Any]] = {}
    used: Set[str] = set()
    for prefix in prefixes:
        keys = {key: f"{prefix}_{key}" for key in ("p", "r", "f", "per_type")}
        groups[prefix] = {key: scores.get(name, {}) for key, name in keys.items()}
        used.update(keys.values())
    return groups, {key: value for key, value in scores.items() if key not in used}


def _lines(result: Evaluation) -> Iterator[str]:
    yield (
        f"{result.docs:,} documents, {result.words:,} words, {result.words_per_second:,.0f} words a second; "
        f"sentence boundaries {result.sentences}."
    )
    if result.mapped:
        yield f"\nWhat the labels of the data are scored as:\n{mapping_table(result.mapped).rstrip()}"
    for name, task in result.tasks.items():
        yield f"\n=== {name} ==="
        if task is None:
            yield "The data has no gold annotation for this task."
            continue
        yield from _notes(task, result.given.get(name))
        yield from describe_tokenization({name: task.tokenization})
        yield task_table(task).rstrip("\n")
        for key, value in group_scores(task.scores)[1].items():
            yield f"{key}: {100 * value:.2f}" if key.endswith("_f") else f"{key}: {value:g}"
        if task.calibration:
            yield describe_calibration(task.calibration)
    if result.contradictions:
        yield "\n=== predicted layers that contradict each other ==="
    for name, (found, among) in result.contradictions.items():
        yield f"{found:,} of {among:,} {name}"


def describe_calibration(found: Calibration) -> str:
    return (
        f"Confidences: {100 * found.confidence:.1f} % on average, where {100 * found.right:.1f} % of "
        f"{found.n:,} are right; expected calibration error {100 * found.error:.1f}."
    )


def _notes(task: TaskResult, given: Optional[str]) -> Iterator[str]:
    yield f"{task.gold:,} gold annotations in {task.docs:,} documents."
    if given:
        yield GIVEN[given]
    if given != "any":
        for reason, count in task.unusable.items():
            yield f"Out of the model's reach, and scored as missed: {count:,} ({reason})."
    if task.tokenization.is_bad:
        yield "Warning: with its own tokenizer, in use, the pipeline reaches less than these scores."
    if task.missing:
        tokens = "token" if task.missing == 1 else "tokens"
        yield f"Annotation is missing on {task.missing:,} {tokens}: spans predicted there are not scored."
    if "singletons" in task.settings:
        kept = "count" if task.settings["singletons"] else "are left out"
        yield f"Clusters of one mention {kept}, in gold and prediction alike."
    if task.unknown:
        yield f"Labels that the model never learned: {', '.join(task.unknown)}."


def _percentages(scores: Dict[str, float]) -> Tuple[str, ...]:
    return tuple(f"{100 * scores[key]:.2f}" for key in ("p", "r", "f"))
