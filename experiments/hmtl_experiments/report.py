"""The tables of an experiment beside the paper's, as Markdown and as data."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

from . import comparing, speed
from .plan import EMBEDDINGS
from .rows import Finished, OfSeeds, Values, counts_of, paper, rows_of, score_table, spread
from .training import Job, result_of, write_json

Tables = Tuple[List[str], Dict[str, Any]]


def write_report(experiment: str, size: str, jobs: Sequence[Job], folder: Path) -> Path:
    """Write the finished trainings to `{experiment}.md` and `.json`.

    RETURNS: the path of the Markdown file.
    """
    title, legend, tables = EXPERIMENTS[experiment]
    lines = [f"# {title} (size: {size})", "", legend]
    data: Dict[str, Any] = {"experiment": experiment, "size": size, "groups": {}}
    for group in dict.fromkeys(job.training.group for job in jobs):
        of_group = [job for job in jobs if job.training.group == group]
        finished = [(job, result) for job in of_group if (result := result_of(job))]
        text, numbers = tables(finished)
        lines += ["", f"## {group}", "", f"{len(finished)} of {len(of_group)} trainings.", "", *text]
        data["groups"][group] = {"trainings": [result for _, result in finished], **numbers}
    path = folder / f"{experiment}.md"
    write_json(path.with_suffix(".json"), data)
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


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
