"""A task's threshold, chosen on development documents among what was decoded at the lowest."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from weakref import WeakKeyDictionary

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from .data.teaching import teaches
from .tasks.base import Task

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 19))
Decoded = Tuple[numpy.ndarray, numpy.ndarray]  # the rows of a document and their scores


def above(decoded: Decoded, threshold: float) -> Decoded:
    """What a task whose threshold only filters decodes at a threshold, of what it decoded at a lower one."""
    rows, scores = decoded
    kept = scores > numpy.float32(threshold)
    return rows[kept], scores[kept]


def scores_at(
    task: Task, examples: List[Example], decoded: Sequence[Decoded], threshold: float
) -> Dict[str, Any]:
    """Annotate the predicted documents with what is above a threshold, and score them."""
    for example, of_doc in zip(examples, decoded, strict=True):
        task.annotate(example.predicted, *above(of_doc, threshold))
    return task.score(examples)


def best_threshold(values: Mapping[float, float], before: float) -> float:
    """The threshold with the highest value; of equals, the nearest to the one before."""
    return max(values, key=lambda threshold: (values[threshold], -abs(threshold - before)))


class ThresholdChoice:
    """In training, the thresholds are those that are best on the development documents at each evaluation.

    thresholds: the component's, by task; the best are written to it, so that a model is stored with them.
    weights: the scores that decide, by task: how much each counts.
    settings: the thresholds of the component's config, which are kept the same.
    """

    def __init__(
        self,
        thresholds: Dict[str, float],
        weights: Mapping[str, Mapping[str, float]],
        settings: Dict[str, float],
    ):
        self.thresholds = thresholds
        self.weights = weights
        self.settings = settings
        self.candidates = {task: sorted({thresholds[task], *THRESHOLDS}) for task in weights}
        self._decoded: WeakKeyDictionary[Doc, Dict[str, Tuple[int, Decoded]]] = WeakKeyDictionary()

    def lowest(self) -> Dict[str, float]:
        """What to decode at."""
        return {**self.thresholds, **{task: values[0] for task, values in self.candidates.items()}}

    def keep(self, doc: Doc, name: str, decoded: Decoded) -> Decoded:
        """Remember what was decoded. RETURNS: what is above the threshold of now."""
        if name not in self.weights:
            return decoded
        self._decoded.setdefault(doc, {})[name] = (len(doc), decoded)
        return above(decoded, self.thresholds[name])

    def choose(self, component: str, tasks: Mapping[str, Task], examples: List[Example]) -> Dict[str, Any]:
        """Set the thresholds that are best on the examples, and annotate these at them. It stays where a task
        has no examples, or a later component has changed their tokens.

        RETURNS: the thresholds as scores.
        """
        for name in self.weights:
            taught = [eg for eg in examples if teaches(eg.reference, name)]
            kept = [self._decoded.get(eg.predicted, {}).get(name, (-1, None)) for eg in taught]
            decoded = [of_doc for (n, of_doc), eg in zip(kept, taught) if of_doc and n == len(eg.predicted)]
            if taught and len(decoded) == len(taught):
                self._choose(name, tasks[name], taught, decoded)
        return {f"{component}_{name}_threshold": self.thresholds[name] for name in self.weights}

    def _choose(self, name: str, task: Task, examples: List[Example], decoded: Sequence[Decoded]) -> None:
        values = {}
        for threshold in self.candidates[name]:
            scores = scores_at(task, examples, decoded, threshold)
            values[threshold] = sum(weight * scores[key] for key, weight in self.weights[name].items())
        best = best_threshold(values, self.thresholds[name])
        self.thresholds[name] = self.settings[name] = best
        for example, of_doc in zip(examples, decoded, strict=True):
            task.annotate(example.predicted, *above(of_doc, best))


def choose_thresholds(
    component: Any, weights: Mapping[str, Optional[float]], settings: Dict[str, float]
) -> None:
    """From now on, let each `score` of a component set the thresholds that are best on its examples, as the
    evaluations of a training should: of tasks whose threshold only filters, unless a level above reads what
    they decode. `component.choice = None` ends it.

    component: an HMTL component that is initialized.
    weights: of the scores that count in training. A task of which none counts takes its own weights.
    settings: the thresholds in the pipeline's config, which are kept the same.
    """
    read = {component.head(name).candidates_from for name in component.tasks}
    deciding = {}
    for name, task in component.tasks.items():
        if task.threshold_filters and name not in read:
            own = task.score_weights()
            counting = {key: weight for key in own if (weight := weights.get(key))}
            deciding[name] = counting or {key: weight for key, weight in own.items() if weight}
    component.choice = ThresholdChoice(component.cfg["thresholds"], deciding, settings) if deciding else None
