"""The threshold of a task, chosen on development documents."""

from pathlib import Path
from typing import Dict, Iterable, Optional, Tuple

from spacy.language import Language
from tqdm import tqdm

from ..model import keep_features
from .evaluate import check_tasks, evaluate, get_component

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 19))


def tune_threshold(
    nlp: Language,
    path: Path,
    task: str,
    score: str,
    *,
    component: Optional[str] = None,
    thresholds: Iterable[float] = THRESHOLDS,
    progress: bool = False,
) -> Tuple[float, Dict[float, float]]:
    """Set a task's threshold to the one with the best score; of equals, the nearest to the one it had.

    task: whose threshold. score: name of one of the task's scores, such as `rel_strict_f`.
    thresholds: those to try; the one in use is tried too.
    progress: show a progress bar, on a terminal only.
    RETURNS: the threshold that is now set, and the score at each that was tried.
    """
    hmtl = get_component(nlp, component)
    check_tasks(hmtl, [task])
    keep_features(hmtl.model)
    before = hmtl.cfg["thresholds"][task]
    tried: Dict[float, float] = {}
    candidates = sorted({before, *thresholds})
    for threshold in tqdm(candidates, unit=" thresholds", disable=None if progress else True, leave=False):
        result = evaluate(nlp, path, component=component, tasks=[task], thresholds={task: threshold})
        of_task = result.tasks[task]
        scores = of_task.scores if of_task else {}
        if not isinstance(scores.get(score), float):
            numbers = [key for key, value in scores.items() if isinstance(value, float)]
            raise ValueError(f"The task '{task}' has no score '{score}'. It has {numbers}.")
        tried[threshold] = scores[score]
    best = max(tried, key=lambda threshold: (tried[threshold], -abs(threshold - before)))
    hmtl.cfg["thresholds"][task] = best
    return best, tried
