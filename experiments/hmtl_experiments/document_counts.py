"""What a task's score is made of, document by document, for intervals and tests."""

from typing import Any, Callable, Dict, List, Sequence

import numpy

from .statistics import Measure, f1, mean_f1

MEASURES: Dict[str, Measure] = {"ner": f1, "mentions": f1, "relations": f1, "coref": mean_f1}
PREFIXES = {"ner": "ents", "mentions": "spans_mentions", "relations": "rel_last_token"}


def document_counts(name: str, task: Any, examples: Sequence[Any]) -> List[List[float]]:
    """Count what is right, predicted and gold in each annotated document.

    name: the task's. task: the task itself. examples: annotated, with gold.
    RETURNS: for each document numerators and denominators of precision and recall; for coreference those of
        MUC, B3 and CEAF-e. `MEASURES` turns their sums into the score.
    """
    from hmtl_spacy.tasks.base import annotated_pairs

    count: Callable[..., List[float]] = _coreference if name == "coref" else _items
    return [count(name, task, *pair) for pair in annotated_pairs(task, list(examples))]


def _items(name: str, task: Any, predicted: Any, reference: Any) -> List[float]:
    found = task.differences(predicted, reference)[PREFIXES[name]]
    right = len(found.correct)
    return [right, right + len(found.spurious), right, right + len(found.missed)]


def _coreference(name: str, task: Any, predicted: Any, reference: Any) -> List[float]:
    from hmtl_spacy.metrics.coref import CONLL, CorefScorer

    scorer = CorefScorer(task.singletons)
    scorer.add(*task.compared(predicted, reference))
    return numpy.concatenate([scorer.totals[metric] for metric in CONLL]).tolist()
