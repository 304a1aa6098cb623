"""The results of edge probing as tables and as a plot."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy

from ...rows import markdown
from ...statistics import (
    Counts,
    Interval,
    Measure,
    accuracy,
    bootstrap,
    bootstrap_difference,
    f1,
)
from ..comparing import RESAMPLES, difference, differences
from ..embedding import SHARED, TRANSFORMER
from ..plotting import draw, panels
from ..splitting import SHARES
from .embedding import WORD_PIECES, WORDS

# which of a document's counts a score is made of, and how
SCORES: Dict[str, Tuple[List[int], Measure]] = {"F1": ([0, 1, 0, 2], f1), "accuracy": ([3, 4], accuracy)}
LEGEND = (
    "Micro F1 in percent on the test split, without the label `none`; accuracy, with it; selectivity: "
    "accuracy less that of the control task. Brackets: intervals of 95 % by a bootstrap over documents."
)
DIFFERENCES = (
    "Differences of accuracy between layers. **Bold**: p < 0.05 by a paired permutation test over documents, "
    "corrected by Holm's method for all differences of the table."
)


def write_report(results: Dict[str, Any], path: Path) -> Path:
    """Write `path` as Markdown and, beside it, the plot as SVG."""
    tasks = results["tasks"]
    lines = [f"# Edge probing: {results['pipeline']} on {results['corpus']}", "", LEGEND, "", *table(tasks)]
    lines += ["", DIFFERENCES, "", *comparisons(tasks), "", *sizes(tasks)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    plot(tasks, path.with_suffix(".svg"))
    return path


def table(tasks: Dict[str, Any]) -> List[str]:
    """Write a row for each layer: F1, accuracy and selectivity in each task."""
    header, most_frequent = ["layer", "width"], ["most frequent label", ""]
    for task, of_task in tasks.items():
        header += [f"{task}: F1", "accuracy", "selectivity"]
        for score, (_, measure) in SCORES.items():
            counts = _runs(of_task["most frequent"][score], score)
            most_frequent.append(_cell(bootstrap(counts, measure, n=RESAMPLES)))
        most_frequent.append("")
    body = [most_frequent]
    for layer, (width, of_tasks) in by_layer(tasks).items():
        cells = [_cell(interval) for of_task in of_tasks.values() for interval in of_task.values()]
        body.append([layer, str(width), *cells])
    return markdown(header, body)


def comparisons(tasks: Dict[str, Any]) -> List[str]:
    """Compare each layer with the one that it is made of: levels with g_e, that with the transformer."""
    layers = list(by_layer(tasks))
    base = [layer for layer in (WORDS, WORD_PIECES, TRANSFORMER, SHARED) if layer in layers]
    pairs = list(zip(base[1:], base)) + [(layer, SHARED) for layer in layers if layer not in base]
    return differences(tasks, pairs, compare)


def compare(of_task: Dict[str, Any], one: str, other: str) -> Tuple[float, float]:
    """Compare two layers in a task. RETURNS: the difference in percent, and p."""
    counts = {found["layer"]: _runs(found["task"], "accuracy") for found in of_task["probes"]}
    return difference(counts[one], counts[other])


def sizes(tasks: Dict[str, Any]) -> List[str]:
    """Write how many targets each task has, and what is known of the words of those of the test split."""
    body = []
    for task, of_task in tasks.items():
        n_of = [str(of_task["counts"][split][0]) for split in SHARES]
        n_docs = len(of_task["most frequent"]["F1"])
        labels = str(of_task["counts"]["train"][1])
        body.append([task, *n_of, str(n_docs), labels, f"{100 * of_task['known']:.0f} %"])
    header = ["task", "training", "development", "test", "test documents", "labels", "words seen in training"]
    return markdown(header, body)


def by_layer(tasks: Dict[str, Any]) -> Dict[str, Tuple[int, Dict[str, Dict[str, Interval]]]]:
    """Compute scores with their intervals. RETURNS: by layer its width, and by task its scores by name."""
    scores: Dict[str, Tuple[int, Dict[str, Dict[str, Interval]]]] = {}
    for task, of_task in tasks.items():
        for found in of_task["probes"]:
            intervals = {
                score: bootstrap(_runs(found["task"], score), measure, n=RESAMPLES)
                for score, (_, measure) in SCORES.items()
            }
            here, there = (_runs(found[kind], "accuracy") for kind in ("task", "control"))
            intervals["selectivity"] = bootstrap_difference(here, there, accuracy, n=RESAMPLES)
            scores.setdefault(found["layer"], (found["width"], {}))[1][task] = intervals
    return scores


def plot(tasks: Dict[str, Any], path: Path) -> None:
    """Draw accuracy and selectivity by layer, a panel for each task."""
    scores = by_layer(tasks)
    with panels(path, "edge-probing", "percent", ncols=len(tasks), figsize=(11, 3.5)) as axes:
        for axis, task in zip(axes[0], tasks):
            lines = [
                (name, marker, [of_tasks[task][name] for _, of_tasks in scores.values()])
                for name, marker in (("accuracy", "o"), ("selectivity", "s"))
            ]
            draw(axis, task, list(scores), lines)


def _runs(counts: List[List[int]], score: str) -> Counts:
    """What a score is made of, as its measure takes it, of one run. counts: of each document."""
    return numpy.array(counts, dtype=float)[None][..., SCORES[score][0]]


def _cell(interval: Interval) -> str:
    value, low, high = (100 * number for number in interval)
    return f"{value:.1f} ({low:.1f} to {high:.1f})"
