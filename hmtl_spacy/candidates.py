"""Spans that documents have already: for heads that take their candidates from a level that isn't in the
hierarchy, and for levels that are to work on them instead of their own, or on both.
"""

from typing import Dict, Iterable, Mapping, Optional, Sequence

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from .data.gold import align_rows
from .nn.batch import CandidateSpans
from .nn.head import join_rows
from .tasks.base import Task


def candidates_on(
    docs: Sequence[Doc], tasks: Mapping[str, Task], sources: Mapping[str, str]
) -> Dict[str, CandidateSpans]:
    """The spans of documents, for each task that takes some. Raises if a document isn't annotated with them.

    sources: the levels that the spans would come from, by task.
    """
    candidates = {}
    for name, source in sources.items():
        rows = [tasks[name].candidate_rows(doc) for doc in docs]
        if any(of_doc is None and len(doc) for of_doc, doc in zip(rows, docs)):
            raise ValueError(_lacking(name, source, tasks))
        candidates[name] = CandidateSpans([_or_none(of_doc) for of_doc in rows])
    return candidates


def spans_on(
    docs: Sequence[Doc], tasks: Mapping[str, Task], settings: Mapping[str, str]
) -> Dict[str, CandidateSpans]:
    """The spans of documents, for each level whose setting is "given" or "both": as they are now, or as a
    level below leaves them. Raises if a document isn't annotated with any where only given ones count.

    settings: of the levels, see `hierarchy.SPANS`.
    """
    spans = {}
    for name in (name for name in tasks if settings.get(name, "own") != "own"):
        own = settings[name] == "both"
        if below := tasks[name].spans_from:
            spans[name] = CandidateSpans([_or_none(None) for _ in docs], own=own, level=below)
            continue
        rows = [tasks[name].candidate_rows(doc) for doc in docs]
        lacking = sum(of_doc is None and len(doc) > 0 for of_doc, doc in zip(rows, docs))
        if lacking and not own:
            raise ValueError(
                f"The level '{name}' works on given spans alone (spans.{name} = \"given\"), but {lacking} of "
                f"{len(docs)} documents have none, not even an empty list. Put a component that finds such "
                f'spans before this one, write them to the documents, or set it to "both" or "own".'
            )
        spans[name] = CandidateSpans([_or_none(of_doc, 3) for of_doc in rows], own=own)
    return spans


def candidates_on_examples(
    examples: Sequence[Example], tasks: Mapping[str, Task], sources: Iterable[str]
) -> Dict[str, CandidateSpans]:
    """The same in training: those of the gold documents too, as far as they lie on predicted tokens."""
    candidates = {}
    for name in sources:
        joined = []
        for eg in examples:
            gold, predicted = (tasks[name].candidate_rows(doc) for doc in (eg.reference, eg.predicted))
            joined.append(join_rows(align_rows(eg, _or_none(gold), 2)[0], _or_none(predicted)))
        candidates[name] = CandidateSpans(joined)
    return candidates


def _or_none(rows: Optional[numpy.ndarray], columns: int = 2) -> numpy.ndarray:
    """Rows of spans; empty where there are none."""
    return numpy.zeros((0, columns), dtype=numpy.int64) if rows is None else rows


def _lacking(name: str, source: str, tasks: Iterable[str]) -> str:
    return (
        f"The task '{name}' takes its candidates from '{source}', which isn't in the hierarchy "
        f"{list(tasks)}, and there are documents without any. Put '{source}' below '{name}', or a component "
        f"that finds such spans before this one (in training also among `annotating_components`), or use a "
        f"task that needs none: hmtl_spacy.Relations.v1 relates tokens."
    )
