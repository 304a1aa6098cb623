"""Scores by setup, task and seed, and how they are formatted."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy

from .plan import SCORES, Training
from .scoring import GOLD_MENTIONS

TITLES = {
    "ner": "named entities",
    "mentions": "mentions",
    "relations": "relations",
    "coref": "coreference",
}
Finished = Sequence[Tuple[Training, Dict[str, Any]]]
Values = Dict[str, List[float]]  # by task, one number per seed
OfSeeds = Dict[str, Dict[int, numpy.ndarray]]  # by task and seed, counts per document, [n_docs, n_counts]


def paper() -> Dict[str, Any]:
    """Load the paper's own numbers."""
    return json.loads(Path(__file__).with_name("paper.json").read_text(encoding="utf8"))


def rows_of(finished: Finished, name_of: Callable[[Training], str]) -> Dict[str, Values]:
    """Collect test scores, in percent.

    Scores with gold mentions have rows of their own, at the end: -GM with those of the paper, -GM-any with
    all, including those that the model couldn't find itself.
    """
    rows: Dict[str, Values] = {}
    with_gold: Dict[str, Values] = {}
    for training, result in finished:
        name, scores = name_of(training), result["scores"]
        for task, key in SCORES.items():
            if key in scores:
                rows.setdefault(name, {}).setdefault(task, []).append(100 * scores[key])
        for kind, suffix in (("paper", "GM"), ("any", "GM-any")):
            if GOLD_MENTIONS[kind] in scores:
                values = with_gold.setdefault(f"{name}-{suffix}", {}).setdefault("coref", [])
                values.append(100 * scores[GOLD_MENTIONS[kind]])
    return {**rows, **with_gold}


def counts_of(finished: Finished, name_of: Callable[[Training], str]) -> Dict[str, OfSeeds]:
    """Collect the counts per document that the scores of `rows_of` are made of, by the same rows."""
    keys = {key: (task, "") for task, key in SCORES.items()}
    keys |= {GOLD_MENTIONS["paper"]: ("coref", "-GM"), GOLD_MENTIONS["any"]: ("coref", "-GM-any")}
    rows: Dict[str, OfSeeds] = {}
    for training, result in finished:
        counted = {key: counts for test in result["tests"] for key, counts in test["counts"].items()}
        for key, counts in counted.items():
            task, suffix = keys[key]
            row = rows.setdefault(name_of(training) + suffix, {}).setdefault(task, {})
            row[training.seed] = numpy.array(counts, dtype=float)
    return rows


def spread(rows: Dict[str, Values]) -> Dict[str, float]:
    """Compute for each task how far the highest seed is from the lowest, on average over the rows."""
    ranges: Values = {}
    for values in rows.values():
        for task, scores in values.items():
            ranges.setdefault(task, []).append(max(scores) - min(scores))
    return {task: mean(widths) for task, widths in ranges.items()}


def score_table(rows: Dict[str, Values], published: Dict[str, Dict[str, float]]) -> List[str]:
    """Write the scores of each row beside the published ones; a Markdown table."""
    header = ["", *(cell for title in TITLES.values() for cell in (title, "paper"))]
    body = []
    for name, values in rows.items():
        cells = [name]
        for task in TITLES:
            papers = published.get(name, {}).get(task)
            cells.append(with_range(values[task]) if task in values else "")
            cells.append(f"{papers:.1f}" if papers is not None and task in values else "")
        body.append(cells)
    body.append(["*spread*"])
    for task in TITLES:
        body[-1] += [f"*{spread(rows)[task]:.1f}*" if task in spread(rows) else "", ""]
    return markdown(header, body)


def mean(values: Sequence[float]) -> float:
    """Compute the arithmetic mean."""
    return sum(values) / len(values)


def with_range(values: Sequence[float], decimals: int = 1) -> str:
    """Format the mean, followed by the lowest and the highest value if there are several."""
    text = f"{mean(values):.{decimals}f}"
    if len(values) == 1:
        return text
    return f"{text} ({min(values):.{decimals}f}–{max(values):.{decimals}f})"


def markdown(header: Sequence[str], body: Sequence[Sequence[str]]) -> List[str]:
    """Write the lines of a Markdown table whose columns are numbers, but for the first."""
    rule = ["---", *["--:"] * (len(header) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (header, rule, *body)]
