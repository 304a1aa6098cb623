"""What is left to train and how long that takes, estimated from the trainings that are finished."""

import json
import math
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .plan import Settings, Training
from .rows import markdown, mean
from .training import Job, begun_with, result_of

Rates = Dict[Tuple[str, ...], List[float]]  # seconds per update, by what the trainings have in common


def forecast(jobs: Sequence[Job], settings: Settings, hours: float) -> List[str]:
    """Write a row for each training: what there is of it, and how long the rest takes.

    hours: of one piece of work.
    """
    rates = measured(settings.work)
    body, left = [], []
    for job in jobs:
        done = share_done(job)
        seconds = None if done == 1 else rate_of(job.training, rates)
        if seconds is not None:
            left.append(seconds * steps_of(job) * (1 - done))
        state = "finished" if done == 1 else f"{100 * done:.0f} % trained" if begun_with(job) else "not begun"
        body.append([job.training.name, state, "" if done == 1 else duration(left[-1]) if seconds else "?"])
    unknown = sum(row[2] == "?" for row in body)
    total = sum(left) / settings.jobs
    lines = [*markdown(["training", "state", "time left"], body), ""]
    lines.append(
        f"{sum(row[1] == 'finished' for row in body)} of {len(jobs)} trainings are finished. The others take "
        f"about {duration(total)}, {settings.jobs} at a time: {math.ceil(total / 3600 / hours)} pieces of "
        f"{hours:g} hours."
    )
    if unknown:
        lines.append(
            f"Without {unknown} of them: no training on the same corpora, of the same size, is finished yet."
        )
    return lines


def measured(work: Path) -> Rates:
    """Read how long the updates of finished trainings took, with their scoring."""
    rates: Rates = {}
    for path in sorted(work.rglob("result.json")):
        result = json.loads(path.read_text(encoding="utf8"))
        training = Training(**result["training"])
        for kind in _kinds(training):
            rates.setdefault(kind, []).append(sum(result["seconds"].values()) / result["steps"])
    return rates


def rate_of(training: Training, rates: Rates) -> Optional[float]:
    """Estimate the seconds per update from trainings that are as like as possible; None if there are none."""
    return next((mean(rates[kind]) for kind in _kinds(training) if kind in rates), None)


def share_done(job: Job) -> float:
    """Find out how much of a training there is; 1 once it has its scores."""
    if result_of(job):
        return 1.0
    try:
        stored: Dict[str, Any] = json.loads((job.folder / "resume/state.json").read_text(encoding="utf8"))
    except OSError:
        return 0.0
    # steps are counted from 0, and what isn't scored isn't finished
    return min(0.99, (stored["state"]["step"] + 1) / steps_of(job)) if begun_with(job) else 0.0


def steps_of(job: Job) -> int:
    """Look up the number of updates."""
    return int(job.config["training"]["max_steps"])


def duration(seconds: float) -> str:
    """Write hours and minutes, seconds only if there is nothing else."""
    minutes = round(seconds / 60)
    if not minutes:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _kinds(training: Training) -> List[Tuple[str, ...]]:
    """What trainings may have in common, the most alike first."""
    alike = (training.size, training.group)
    return [(*alike, training.setup, training.embeddings), (*alike, training.embeddings), alike]
