"""Updates until convergence: the full model against one model for each task."""

from typing import Any, Callable, Dict, List, Tuple

from .comparing import SINGLE
from .convergence import Reached, best_score, first_near
from .rows import TITLES, Finished, Values, markdown, mean, paper, rows_of, with_range

LEGEND = (
    "Updates of a task's own corpus, the mean over seeds, the lowest and the highest in brackets. Converged: "
    "until the first evaluation within 1 % (relative) of the run's best development score; ≥: for at least "
    "one seed that was the last evaluation, and the score might have kept rising. Same score: until both "
    "come within 1 % of the lower of their two best scores. Change: of A against the single task, in "
    "brackets the paper's (Table 7, coreference with gold mentions). F1: on the test split."
)
HEADER = ["task", "single, converged", "A", "change", "single, same score", "A", "change", "F1 of A − single"]
Logs = Dict[str, Dict[int, List[Dict[str, Any]]]]  # evaluations by setup and seed


def tables(finished: Finished) -> Tuple[List[str], Dict[str, Any]]:
    """Compare the tasks one by one, then all updates together."""
    logs: Logs = {}
    for training, result in finished:
        logs.setdefault(training.setup, {})[training.seed] = result["evaluations"]
    scores = rows_of(finished, lambda training: training.setup)
    rows = [row for task in SINGLE if (row := compare(logs, scores, task))]
    text, totals = markdown(HEADER, list(map(_cells, rows))), total_updates(logs)
    if totals["multi"]:
        text += ["", _total_line(totals)]
    return text, {"rows": rows, "totals": totals}


def compare(logs: Logs, scores: Dict[str, Values], task: str) -> Dict[str, Any]:
    """Compare a task alone with the task in A, over the seeds that learned it in both; {} if none did."""
    multi, single = logs.get("A", {}), logs.get(SINGLE[task], {})
    pairs = [(single[seed], multi[seed]) for seed in sorted(set(multi) & set(single))]
    pairs = [pair for pair in pairs if all(best_score(run, task) for run in pair)]
    if not pairs:
        return {}
    lower = [min(best_score(run, task) for run in pair) for pair in pairs]
    converged = [[first_near(run, task) for run in pair] for pair in pairs]
    same = [[first_near(run, task, score) for run in pair] for pair, score in zip(pairs, lower)]
    return {
        "task": task,
        "converged": _sides(converged, lambda reached: reached.updates),
        "unfinished": [any(late) for late in _sides(converged, lambda reached: reached.last).values()],
        "same": _sides(same, lambda reached: reached.updates),
        "f1": mean(scores["A"][task]) - mean(scores[SINGLE[task]][task]),
    }


def total_updates(logs: Logs) -> Dict[str, List[int]]:
    """Count A's updates until its last task has converged, and those of the four single runs together.

    The counts are by seed; only seeds for which all five runs exist are counted.
    """
    seeds = sorted(set.intersection(*(set(logs.get(setup, ())) for setup in ("A", *SINGLE.values()))))
    totals: Dict[str, List[int]] = {"multi": [], "single": []}
    for seed in seeds:
        multi = [first_near(logs["A"][seed], task) for task in SINGLE]
        single = [first_near(logs[setup][seed], task) for task, setup in SINGLE.items()]
        if None not in (*multi, *single):
            totals["multi"].append(max(reached.total for reached in multi))
            totals["single"].append(sum(reached.total for reached in single))
    return totals


def change(here: float, there: float) -> float:
    """Compute a relative change, in percent."""
    return 100 * (here / there - 1)


def _sides(pairs: List[List[Reached]], value: Callable[[Reached], Any]) -> Dict[str, List[Any]]:
    sides = zip(("single", "multi"), zip(*pairs))
    return {name: [value(reached) for reached in side] for name, side in sides}


def _cells(row: Dict[str, Any]) -> List[str]:
    papers = paper()["table7"][row["task"]]
    cells = [f"{TITLES[row['task']]} ({SINGLE[row['task']]})"]
    for name in ("converged", "same"):
        single, multi = row[name].values()
        open_ended = row["unfinished"] if name == "converged" else [False, False]
        cells += ["≥ " * late + with_range(updates, 0) for updates, late in zip((single, multi), open_ended)]
        cells.append(f"{change(mean(multi), mean(single)):+.0f} %")
    cells[3] += f" ({papers['updates_percent']:+d} %)"
    return [*cells, f"{row['f1']:+.1f} ({papers['score']:+.1f})"]


def _total_line(totals: Dict[str, List[int]]) -> str:
    percent = change(mean(totals["multi"]), mean(totals["single"]))
    return (
        f"Until its last task has converged, A takes {with_range(totals['multi'], 0)} updates in all, and "
        f"the four single models together {with_range(totals['single'], 0)}: {percent:+.0f} %."
    )
