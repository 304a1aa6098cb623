"""Differences between setups, with intervals and tests over documents."""

from typing import Any, Dict, List, Sequence, Tuple

import numpy

from .document_counts import MEASURES
from .plan import SETUPS
from .rows import TITLES, OfSeeds, Values, markdown
from .statistics import LEVEL, Measure, bootstrap_difference, holm, permutation_test

SINGLE = {"ner": "B", "mentions": "C", "relations": "D", "coref": "E"}
EMBEDDING_PAIRS = [
    ("words_characters", "full"),
    ("words", "words_characters"),
    ("words_characters-GM", "full-GM"),
    ("words-GM", "words_characters-GM"),
]
LEGEND = (
    "Differences of the means over the seeds that both have. Square brackets: the interval of 95 %, by a "
    "bootstrap over test documents (the same for both sides, and in all seeds together). Round brackets: the "
    "paper's. **Bold**: the difference has the same sign in every seed, of which there are several, and the "
    "paired permutation test over documents gives p < 0.05, corrected by Holm's method for all differences "
    "of the table."
)


def ablation_pairs(rows: Dict[str, Values]) -> List[Tuple[str, str]]:
    """Pair each setup of several tasks with the single-task ones, then the two orders of the hierarchy."""
    several = [name for name in rows if name in SETUPS and name not in SINGLE.values()]
    singles = [(name, single) for name in several for single in SINGLE.values()]
    pairs = [*singles, ("A-GM", "E-GM"), ("A-GM-any", "E-GM-any"), ("L", "A"), ("K", "F")]
    return [pair for pair in dict.fromkeys(pairs) if set(pair) <= set(rows)]


def differences(
    counts: Dict[str, OfSeeds], published: Dict[str, Dict[str, float]], pairs: Sequence[Tuple[str, str]]
) -> List[Dict[str, Any]]:
    """Compare each pair in each task that both have, seed by seed and document by document.

    RETURNS: for each comparison the difference and its interval in percent, p as it is and corrected, and
        whether it is clear: significant, and of the same sign in every seed.
    """
    items = []
    for name, base in pairs:
        for task in (task for task in TITLES if task in counts[name] and task in counts[base]):
            papers = [published.get(row, {}).get(task) for row in (name, base)]
            difference = None if None in papers else papers[0] - papers[1]
            if seeds := sorted(set(counts[name][task]) & set(counts[base][task])):
                here, there = (numpy.stack([counts[row][task][s] for s in seeds]) for row in (name, base))
                found = _compare(here, there, MEASURES[task])
                items.append({"setup": name, "against": base, "task": task, **found, "paper": difference})
    for item, p in zip(items, holm([item["p"] for item in items])):
        item.update(corrected=p, clear=item["clear"] and p < LEVEL)
    return items


def table(items: Sequence[Dict[str, Any]]) -> List[str]:
    """Write a row for each setup; the single-task setups share one."""
    singles = set(SINGLE.values())
    rows: Dict[Tuple[str, str], Dict[str, str]] = {}
    for item in items:
        base = "single task" if item["against"] in singles else item["against"]
        rows.setdefault((item["setup"], base), {})[item["task"]] = _cell(item)
    body = [
        [f"{name} − {base}", *(cells.get(task, "") for task in TITLES)]
        for (name, base), cells in rows.items()
    ]
    return markdown(["", *TITLES.values()], body)


def _compare(here: numpy.ndarray, there: numpy.ndarray, measure: Measure) -> Dict[str, Any]:
    """here, there: counts, [n_seeds, n_docs, n_counts]."""
    interval = bootstrap_difference(here, there, measure)
    by_seed = measure(here.sum(axis=1)) - measure(there.sum(axis=1))
    return {
        "seeds": len(here),
        "difference": 100 * interval.value,
        "interval": [100 * interval.low, 100 * interval.high],
        "p": permutation_test(here, there, measure),
        "clear": len(here) > 1 and bool((by_seed > 0).all() or (by_seed < 0).all()),
    }


def _cell(item: Dict[str, Any]) -> str:
    text = f"{item['difference']:+.1f}"
    text = f"**{text}**" if item["clear"] else text
    text += " [{:+.1f}, {:+.1f}]".format(*item["interval"])
    return text if item["paper"] is None else f"{text} ({item['paper']:+.1f})"
