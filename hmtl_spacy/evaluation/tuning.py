"""The threshold of a task, chosen on development documents."""

from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

from spacy.language import Language
from spacy.util import minibatch
from tqdm import tqdm

from ..data.corpus import read_task_corpus
from ..data.gold import visible_rows
from ..data.label_rules import NO_RULES, LabelRules
from ..model import keep_features
from ..thresholds import THRESHOLDS, Decoded, best_threshold, scores_at
from .evaluate import (
    TaskResult,
    check_gold,
    check_tasks,
    evaluate,
    find_component,
    get_component,
    overridden,
)


def tune_threshold(
    nlp: Language,
    path: Path,
    task: str,
    score: str,
    *,
    component: Optional[str] = None,
    thresholds: Iterable[float] = THRESHOLDS,
    progress: bool = False,
    rules: LabelRules = NO_RULES,
) -> Tuple[float, Dict[float, float]]:
    """Set a task's threshold to the one with the best score; of equals, the nearest to the one it had. The
    pipeline's meta gets the new scores, of the task and of those above it, in place of those that it has.

    task: whose threshold. score: name of one of the task's scores, such as `rel_strict_f`.
    thresholds: those to try; the one in use is tried too.
    progress: show progress bars, on a terminal only.
    rules: how the labels of the documents relate to the pipeline's.
    RETURNS: the threshold that is now set, and the score at each that was tried.
    """
    name = find_component(nlp, component)
    hmtl = get_component(nlp, name)
    check_tasks(hmtl, [task])
    keep_features(hmtl.model)
    before = round(hmtl.cfg["thresholds"][task], 6)  # spaCy reads a stored 0.3 as 0.30000000000000004
    candidates = sorted({before, *thresholds})
    once = hmtl.tasks[task].threshold_filters and nlp.pipe_names[-1] == name
    results = (_filter if once else _repeat)(nlp, name, path, task, candidates, progress, rules)
    tried = {threshold: _score(task, score, scores) for threshold, scores in results.items()}
    best = best_threshold(tried, before)
    hmtl.cfg["thresholds"][task] = best
    new = {score: tried[best], **results[best]}
    if above := list(hmtl.tasks)[list(hmtl.tasks).index(task) + 1 :]:
        others = evaluate(nlp, path, component=name, rules=rules).tasks
        new.update({key: value for level in above for key, value in _scores(others[level]).items()})
    performance: Dict[str, Any] = nlp.meta.setdefault("performance", {})
    performance.update({key: value for key, value in new.items() if key in performance or key == score})
    return best, tried


def _repeat(
    nlp: Language,
    name: str,
    path: Path,
    task: str,
    thresholds: List[float],
    progress: bool,
    rules: LabelRules,
) -> Dict[float, Dict[str, Any]]:
    """Evaluate the pipeline at each threshold: what a task decodes may depend on it."""
    results = {}
    for threshold in _bar(thresholds, " thresholds", progress):
        settings: Any = {"component": name, "tasks": [task], "thresholds": {task: threshold}}
        result = evaluate(nlp, path, rules=rules, **settings)
        results[threshold] = _scores(result.tasks[task])
    return results


def _filter(
    nlp: Language,
    name: str,
    path: Path,
    task: str,
    thresholds: List[float],
    progress: bool,
    rules: LabelRules,
) -> Dict[float, Dict[str, Any]]:
    """Decode once, at the lowest threshold, and score what is above each."""
    hmtl = get_component(nlp, name)
    level = hmtl.tasks[task]
    examples = list(read_task_corpus(path, None, 0, True, 0, rules)(nlp))
    check_gold(path, hmtl, [task], examples)
    decoded: List[Decoded] = []
    with overridden(hmtl, None, {task: thresholds[0]}), nlp.select_pipes(disable=[name]):
        docs = list(nlp.pipe(eg.predicted for eg in examples))
        for batch in minibatch(_bar(docs, " docs", progress), size=nlp.batch_size):
            predictions = hmtl.predict(batch)
            hmtl.set_annotations(batch, predictions)
            for doc, rows, scores in zip(batch, *predictions[task], strict=True):
                decoded.append(visible_rows(doc, rows, scores, level.offset_columns))
    for example, doc in zip(examples, docs, strict=True):
        example.predicted = doc
    bar = _bar(thresholds, " thresholds", progress)
    return {threshold: scores_at(level, examples, decoded, threshold) for threshold in bar}


def _score(task: str, score: str, scores: Dict[str, Any]) -> float:
    if not isinstance(value := scores.get(score), float):
        numbers = [key for key, number in scores.items() if isinstance(number, float)]
        raise ValueError(f"The task '{task}' has no score '{score}'. It has {numbers}.")
    return value


def _scores(result: Optional[TaskResult]) -> Dict[str, Any]:
    return result.scores if result else {}


def _bar(items: List[Any], unit: str, progress: bool) -> Iterable[Any]:
    bar: Iterable[Any] = tqdm(items, unit=unit, disable=None if progress else True, leave=False)
    return bar
