"""A pipeline's confidences, fitted to development documents."""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import numpy
from spacy.language import Language
from spacy.training import Example

from ..calibration import Calibration, Judgement, calibrated, fit_curve, measure
from ..data.label_rules import NO_RULES, LabelRules
from ..tasks.base import Task, annotated_pairs
from .evaluate import evaluate, find_component, get_component

FOLDS = 5
FEWEST = 50  # predictions of a task from which two numbers can be fitted


class Fitted(NamedTuple):
    """What calibration does for a task.

    before: without it; after: on each fifth of the documents with a curve fitted on the other four.
    curve: scale and shift, fitted on all documents; None for too few predictions or documents, or where it
        doesn't lower the error: nothing is changed then.
    """

    before: Calibration
    after: Calibration
    curve: Optional[List[float]]


def calibrate(
    nlp: Language,
    path: Path,
    *,
    component: Optional[str] = None,
    progress: bool = False,
    rules: LabelRules = NO_RULES,
) -> Dict[str, Fitted]:
    """Set the curves by which the confidences of a pipeline are moved; those of tasks without gold stay. What
    is predicted doesn't change: thresholds are compared with the scores before.

    path: documents that weren't trained on.
    RETURNS: by task, for all that have gold and confidences.
    """
    hmtl = get_component(nlp, find_component(nlp, component))
    of_task: Dict[str, List[List[Judgement]]] = {}

    def inspect(name: str, task: Task, examples: List[Example]) -> None:
        of_task[name] = [task.judgements(*pair) for pair in annotated_pairs(task, examples)]

    settings: Any = {"component": component, "progress": progress, "rules": rules}
    stored = hmtl.cfg["calibration"]
    hmtl.cfg["calibration"] = {}
    try:
        evaluate(nlp, path, inspect=inspect, **settings)
    finally:
        hmtl.cfg["calibration"] = stored
    fitted = {name: _fit(of_docs) for name, of_docs in of_task.items() if any(of_docs)}
    kept = {name: curve for name, curve in stored.items() if name not in fitted}
    hmtl.cfg["calibration"] = {**kept, **{name: task.curve for name, task in fitted.items() if task.curve}}
    return fitted


def _fit(of_docs: List[List[Judgement]]) -> Fitted:
    judgements = _joined(of_docs)
    before = measure(judgements)
    if len(judgements) < FEWEST or len(of_docs) < FOLDS:
        return Fitted(before, before, None)
    after = measure(_held_out(of_docs))
    curve = fit_curve(judgements) if after.error < before.error else None
    return Fitted(before, after, curve)


def _held_out(of_docs: List[List[Judgement]]) -> List[Judgement]:
    """All judgements with confidences of curves that were fitted without their documents."""
    moved: List[Judgement] = []
    for fold in range(FOLDS):
        others = _joined([doc for i, doc in enumerate(of_docs) if i % FOLDS != fold])
        held_out = _joined(of_docs[fold::FOLDS])
        moved += _moved(held_out, fit_curve(others)) if others else held_out
    return moved


def _moved(judgements: List[Judgement], curve: List[float]) -> List[Judgement]:
    new = calibrated(numpy.array([score for score, _ in judgements]), curve).tolist()
    return [(score, right) for score, (_, right) in zip(new, judgements)]


def _joined(of_docs: List[List[Judgement]]) -> List[Judgement]:
    return [judgement for of_doc in of_docs for judgement in of_doc]
