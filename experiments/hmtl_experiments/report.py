"""The tables of an experiment beside the paper's, as Markdown and as data."""

from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

from . import comparing, speed
from .plan import EMBEDDINGS, Training
from .rows import Finished, OfSeeds, Values, counts_of, paper, rows_of, score_table, spread
from .training import Job, result_of, write_json

Tables = Tuple[List[str], Dict[str, Any]]


def collect(experiment: str, size: str, jobs: Sequence[Job]) -> Dict[str, Any]:
    """Collect what was finished as plain data, from which everything else can be made again."""
    results = [_small(result) for job in jobs if (result := result_of(job))]
    planned = Counter(job.training.group for job in jobs)
    return {"experiment": experiment, "size": size, "planned": dict(planned), "trainings": results}


def write_report(results: Dict[str, Any], folder: Path) -> Path:
    """Write the tables of an experiment to `{experiment}.md`, and as data beside it.

    results: of `collect`.
    RETURNS: the path of the Markdown file.
    """
    title, legend, tables = EXPERIMENTS[results["experiment"]]
    lines = [f"# {title} (size: {results['size']})", "", legend]
    data: Dict[str, Any] = {"experiment": results["experiment"], "size": results["size"], "groups": {}}
    trained = [(Training(**result["training"]), result) for result in results["trainings"]]
    for group, n_planned in results["planned"].items():
        finished = [pair for pair in trained if pair[0].group == group]
        text, numbers = tables(finished)
        lines += ["", f"## {group}", "", f"{len(finished)} of {n_planned} trainings.", "", *text]
        data["groups"][group] = numbers
    path = folder / f"{results['experiment']}.md"
    write_json(path.with_suffix(".json"), data)
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


def _small(result: Dict[str, Any]) -> Dict[str, Any]:
    """A result without what no table has, such as scores by label."""
    kept = ("training", "steps", "seconds", "scores", "threshold", "evaluations")
    tests = [
        {key: test[key] for key in ("corpus", "tasks", "gold_mentions", "counts") if key in test}
        for test in result["tests"]
    ]
    return {**{key: result[key] for key in kept if key in result}, "tests": tests}


def ablation(finished: Finished) -> Tables:
    """Compare the setups of Table 3."""
    rows = rows_of(finished, lambda training: training.setup)
    pairs = comparing.ablation_pairs(rows)
    counts = counts_of(finished, lambda training: training.setup)
    return _with_differences(rows, counts, paper()["table3"], pairs)


def embeddings(finished: Finished) -> Tables:
    """Compare the embeddings of Table 5."""
    rows = rows_of(finished, lambda training: training.embeddings)
    rows = {
        name: rows[name] for name in (*EMBEDDINGS, *(f"{name}-GM" for name in EMBEDDINGS)) if name in rows
    }
    published = paper()["table5"]
    published.update({f"{name}-GM": {"coref": published[name]["coref"]} for name in EMBEDDINGS})
    pairs = [pair for pair in comparing.EMBEDDING_PAIRS if set(pair) <= set(rows)]
    counts = counts_of(finished, lambda training: training.embeddings)
    return _with_differences(rows, counts, published, pairs)


def _with_differences(
    rows: Dict[str, Values],
    counts: Dict[str, OfSeeds],
    published: Dict[str, Dict[str, float]],
    pairs: Sequence[Tuple[str, str]],
) -> Tables:
    differences = comparing.differences(counts, published, pairs)
    text = [*score_table(rows, published), "", comparing.LEGEND, "", *comparing.table(differences)]
    return text, {"rows": rows, "spread": spread(rows), "differences": differences}


EXPERIMENTS: Dict[str, Tuple[str, str, Callable[[Finished], Tables]]] = {
    "ablation": (
        "Ablation",
        "Test F1 in percent: the mean over seeds, the lowest and the highest in brackets, and the paper's "
        "Table 3. Relations count by last tokens, coreference by the mean of MUC, B3 and CEAF-e. -GM: with "
        "gold mentions as in the paper, -GM-any: with all. Spread: highest minus lowest seed, on average.",
        ablation,
    ),
    "embeddings": (
        "Embeddings",
        "Test F1 in percent of setup A: the mean over seeds, the lowest and the highest in brackets, and the "
        "paper's Table 5, whose coreference is with gold mentions (-GM). Spread: highest minus lowest seed, "
        "on average.",
        embeddings,
    ),
    "speed": ("Speed", speed.LEGEND, speed.tables),
}
