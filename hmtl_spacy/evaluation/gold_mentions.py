"""Evaluation with gold mentions: the spans that tasks are given instead of their own."""

from typing import Dict, Sequence

import numpy
from spacy.training import Example

from ..component import HMTL
from ..nn.batch import CandidateSpans
from ..prediction import Predictions
from ..tasks.base import Task
from .known_labels import knowing_all_labels

GOLD_MENTIONS = ("paper", "any")


def with_gold_mentions(key: str, kind: str) -> str:
    """The name of a score that was made with gold mentions: "coref_f" becomes "coref_gm_any_f"."""
    task, _, measure = key.partition("_")
    return f"{task}_gm_{kind}_{measure}"


def gold_candidates(hmtl: HMTL, examples: Sequence[Example], kind: str) -> Dict[str, CandidateSpans]:
    """Gold spans for the tasks whose heads take candidates: of the level that the head takes them from, else
    of the task itself. None in documents without gold.

    kind: which gold mentions are scored, one of `GOLD_MENTIONS`.
    """
    if kind not in GOLD_MENTIONS:
        raise ValueError(
            f"Can't evaluate with the gold mentions '{kind}'. Ask for 'paper' (those that the model could "
            f"find itself) or 'any' (all, of any width)."
        )
    heads = {name: hmtl.head(name) for name in hmtl.tasks}
    sources = {name: head.candidates_from or name for name, head in heads.items() if head.takes_candidates}
    if not sources:
        raise ValueError(
            f"Can't evaluate with gold mentions: none of the tasks {list(hmtl.tasks)} can take them. "
            f"Coreference and relations of spans (hmtl_spacy.SpanRelations.v1) can."
        )
    return {
        name: CandidateSpans([_gold_rows(hmtl, name, source, eg) for eg in examples], prune=kind == "paper")
        for name, source in sources.items()
    }


def _gold_rows(hmtl: HMTL, name: str, source: str, example: Example) -> numpy.ndarray:
    """The gold spans of a level; of a level that isn't in the hierarchy, what the task sees of it."""
    reference = example.reference
    if source not in hmtl.tasks:
        rows = hmtl.tasks[name].candidate_rows(reference)
        return numpy.zeros((0, 2), dtype=numpy.int64) if rows is None else rows
    task = hmtl.tasks[source]
    with knowing_all_labels(task, [reference]):
        return task.encode(reference) if task.has_gold(reference) else numpy.zeros((0, 3), dtype=numpy.int64)


def annotate_source(hmtl: HMTL, name: str, examples: Sequence[Example], predictions: Predictions) -> None:
    """Where a task was given the gold spans of a level, annotate that level's, and the task anew: arguments
    have their types.
    """
    source = hmtl.head(name).candidates_from
    if source not in hmtl.tasks:
        return
    task = hmtl.tasks[source]
    for eg in (eg for eg in examples if task.has_gold(eg.reference)):
        with knowing_all_labels(task, [eg.reference]):
            rows = task.encode(eg.reference)
            rows[:, 2] = _first_labels(task)[rows[:, 2]]
            task.annotate(eg.predicted, rows, numpy.ones(len(rows), dtype=numpy.float32))
    for eg, rows, scores in zip(examples, *predictions[name]):
        hmtl.annotate(eg.predicted, name, rows, scores)


def _first_labels(task: Task) -> numpy.ndarray:
    """The label for each label of rows: of a set, its first, which agrees with it. [n_labels + n_sets]"""
    firsts = [task.label_index(next(filter(None, members))) for members in task.label_sets]
    return numpy.array([*range(len(task.labels)), *firsts], dtype=numpy.int64)
