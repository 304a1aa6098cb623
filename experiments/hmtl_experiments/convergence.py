"""How many updates a task took to converge, from a training's log of evaluations."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from .plan import SCORES

WITHIN = 0.01


@dataclass(frozen=True)
class Reached:
    """A development score and when it was reached.

    score: 0 to 1.
    updates: of this task until then.
    total: updates of all tasks until then.
    last: whether it was the last evaluation, after which the score might have kept rising.
    """

    score: float
    updates: int
    total: int
    last: bool


def read_log(path: Path, component: str = "hmtl") -> List[Dict[str, Any]]:
    """Read what TaskLogger wrote, one record per evaluation: what tells convergence."""
    records = []
    for line in path.read_text(encoding="utf8").splitlines():
        record = json.loads(line)
        updates = {f"{component}_{task}_updates" for task in SCORES}
        losses = {name: loss for name, loss in record["losses"].items() if name in updates}
        scores = {name: score for name, score in record["scores"].items() if name in SCORES.values()}
        records.append({"step": record["step"], "losses": losses, "scores": scores})
    return records


def best_score(records: Sequence[Dict[str, Any]], task: str) -> float:
    """Find the highest development score of a run, 0 to 1."""
    return max((record["scores"].get(SCORES[task]) or 0.0 for record in records), default=0.0)


def first_near(
    records: Sequence[Dict[str, Any]], task: str, score: Optional[float] = None, component: str = "hmtl"
) -> Optional[Reached]:
    """Find the first evaluation that reaches a score, give or take one percent of it; None if there is none.

    score: the default is the run's best, which is what convergence means here.
    The log counts steps from 0, and updates since the previous evaluation.
    """
    target = best_score(records, task) if score is None else score
    scores = [record["scores"].get(SCORES[task]) or 0.0 for record in records]
    first = next((i for i, reached in enumerate(scores) if reached >= (1.0 - WITHIN) * target > 0.0), None)
    if first is None:
        return None
    updates = sum(record["losses"].get(f"{component}_{task}_updates", 0) for record in records[: first + 1])
    return Reached(scores[first], updates, records[first]["step"] + 1, first == len(records) - 1)
