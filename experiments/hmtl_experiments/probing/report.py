"""The results of probing as a table beside the paper's, and as a plot."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy

from ..rows import markdown, paper
from ..statistics import Interval, accuracy, bootstrap
from . import comparing
from .comparing import count_right
from .plotting import draw, panels
from .splitting import SHARES

LEGEND = (
    "Accuracy in percent on the test split. Brackets: the interval of 95 % of the average over tasks, by a "
    "bootstrap over lemmas, documents or sentences, as the task has it. Chance: one of the labels, "
    "all of which are as frequent. Paper: Table 6, on SentEval's own data."
)


def write_report(results: Dict[str, Any], path: Path) -> Path:
    """Write `path` as Markdown and, beside it, the plot as SVG."""
    title = f"# Probing: {results['pipeline']} on {results['treebank']}"
    lines = [title, "", LEGEND, "", *table(results["tasks"])]
    lines += [
        "",
        comparing.LEGEND,
        "",
        *comparing.comparisons(results["tasks"]),
        "",
        *sizes(results["tasks"]),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    plot(results, path.with_suffix(".svg"))
    return path


def table(tasks: Dict[str, Any]) -> List[str]:
    """Write a row for each layer and pooling, and below it the paper's."""
    published = paper()["table6"]
    scores = by_layer(tasks)
    body = [["chance", "", *(f"{100 / of_task['counts']['train'][1]:.1f}" for of_task in tasks.values()), ""]]
    for (layer, pooling), of_layer in scores.items():
        cells = [f"{100 * interval.value:.1f}" for interval in of_layer.values()]
        body.append([layer, pooling, *cells, _average(tasks, layer, pooling)])
        papers = published.get(f"{layer} {pooling}")
        if papers:
            cells = [f"*{papers[task]:.1f}*" for task in tasks]
            mean = sum(papers[task] for task in tasks) / len(tasks)
            body.append([f"*{layer}, paper*", f"*{pooling}*", *cells, f"*{mean:.1f}*"])
    return markdown(["layer", "pooling", *tasks, "average"], body)


def sizes(tasks: Dict[str, Any]) -> List[str]:
    """Write how many sentences each task has."""
    body = []
    for task, of_task in tasks.items():
        n_of = [str(of_task["counts"][split][0]) for split in SHARES]
        body.append([task, *n_of, str(of_task["counts"]["train"][1])])
    return markdown(["task", "training", "development", "test", "labels"], body)


def by_layer(tasks: Dict[str, Any]) -> Dict[Tuple[str, str], Dict[str, Interval]]:
    """Compute the accuracy of each probe with its interval, by layer and pooling, then by task."""
    scores: Dict[Tuple[str, str], Dict[str, Interval]] = {}
    for task, of_task in tasks.items():
        for found in of_task["probes"]:
            counts = count_right(of_task["groups"], found["right"])
            interval = bootstrap(counts[None], accuracy, n=1000)
            scores.setdefault((found["layer"], found["pooling"]), {})[task] = interval
    return scores


def plot(results: Dict[str, Any], path: Path) -> None:
    """Draw accuracy by layer, a panel for each task."""
    tasks, scores = results["tasks"], by_layer(results["tasks"])
    layers = list(dict.fromkeys(layer for layer, _ in scores))
    shape = {"nrows": 2, "ncols": -(-len(tasks) // 2), "figsize": (11, 5), "sharex": True}
    with panels(path, "probing", "accuracy, percent", **shape) as axes:
        for axis, (task, of_task) in zip(axes.flat, tasks.items()):
            lines = [
                (pooling, marker, [scores[layer, pooling][task] for layer in layers])
                for pooling, marker in (("max", "o"), ("mean", "s"))
            ]
            draw(axis, task, layers, lines)
            axis.axhline(100 / of_task["counts"]["train"][1], color="grey", linestyle=":", label="chance")
        for axis in list(axes.flat)[len(tasks) :]:
            axis.set_visible(False)


def _average(tasks: Dict[str, Any], layer: str, pooling: str) -> str:
    """The average over tasks, each resampled by its own groups."""
    values, samples = [], []
    for i, of_task in enumerate(tasks.values()):
        [found] = [one for one in of_task["probes"] if (one["layer"], one["pooling"]) == (layer, pooling)]
        counts = count_right(of_task["groups"], found["right"])
        values.append(accuracy(counts.sum(axis=0)))
        random = numpy.random.default_rng(i)
        drawn = random.multinomial(len(counts), numpy.full(len(counts), 1 / len(counts)), size=1000)
        samples.append(accuracy(drawn @ counts))
    low, high = numpy.quantile(numpy.mean(samples, axis=0), [0.025, 0.975])
    return f"{100 * numpy.mean(values):.1f} ({100 * low:.1f}–{100 * high:.1f})"
