"""Differences between setups, compared with the spread of the seeds."""

from typing import Any, Dict, List, Sequence, Tuple

from .plan import SETUPS
from .rows import TITLES, Values, markdown, mean

SINGLE = {"ner": "B", "mentions": "C", "relations": "D", "coref": "E"}
EMBEDDING_PAIRS = [
    ("words_characters", "full"),
    ("words", "words_characters"),
    ("words_characters-GM", "full-GM"),
    ("words-GM", "words_characters-GM"),
]
LEGEND = (
    "Differences of the means, with the paper's in brackets. **Bold**: every seed of one side is better than "
    "every seed of the other; otherwise the seeds overlap and the difference says nothing."
)


def ablation_pairs(rows: Dict[str, Values]) -> List[Tuple[str, str]]:
    """Pair each setup of several tasks with the single-task ones, then the two orders of the hierarchy."""
    several = [name for name in rows if name in SETUPS and name not in SINGLE.values()]
    singles = [(name, single) for name in several for single in SINGLE.values()]
    pairs = [*singles, ("A-GM", "E-GM"), ("A-GM-any", "E-GM-any"), ("L", "A"), ("K", "F")]
    return [pair for pair in dict.fromkeys(pairs) if set(pair) <= set(rows)]


def differences(
    rows: Dict[str, Values], published: Dict[str, Dict[str, float]], pairs: Sequence[Tuple[str, str]]
) -> List[Dict[str, Any]]:
    """Compare the means of each pair in each task that both have, and say whether the seeds overlap."""
    items = []
    for name, base in pairs:
        for task in (task for task in TITLES if task in rows[name] and task in rows[base]):
            here, there = rows[name][task], rows[base][task]
            papers = [published.get(row, {}).get(task) for row in (name, base)]
            items.append(
                {
                    "setup": name,
                    "against": base,
                    "task": task,
                    "difference": mean(here) - mean(there),
                    "clear": _separate(here, there),
                    "paper": None if None in papers else papers[0] - papers[1],
                }
            )
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


def _separate(here: Sequence[float], there: Sequence[float]) -> bool:
    several = min(len(here), len(there)) > 1
    return several and (min(here) > max(there) or max(here) < min(there))


def _cell(item: Dict[str, Any]) -> str:
    text = f"{item['difference']:+.1f}"
    text = f"**{text}**" if item["clear"] else text
    return text if item["paper"] is None else f"{text} ({item['paper']:+.1f})"
