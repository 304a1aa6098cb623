"""Runs an evaluation and keeps what was right and wrong, one by one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from spacy.language import Language
from spacy.training import Example

from ...annotations import Keys
from ...tasks.base import Task
from ...tasks.differences import Differences, Item
from ..evaluate import Evaluation, evaluate, find_component
from .cases import Case, Source


@dataclass
class Measure:
    """What one score is made of.

    task: the name of its level; prefix: what the names of its scores begin with, as in `ents_p`.
    layer: what the task annotates.
    unit: what the length of its cases is: "width" of a span or "distance" of two, in tokens.
    """

    task: str
    prefix: str
    layer: str = ""
    unit: str = "width"
    cases: List[Case] = field(default_factory=list)


@dataclass
class Errors:
    """An evaluation with its cases.

    unsupported: the tasks that don't report what their scores are made of.
    """

    evaluation: Evaluation
    measures: List[Measure] = field(default_factory=list)
    unsupported: List[str] = field(default_factory=list)


def find_errors(nlp: Language, path: Path, **options: Any) -> Errors:
    """Annotate the documents of a `.spacy` file or folder, and find what differs from them.

    options: those of `hmtl_spacy.evaluation.evaluate`, which does the annotating and scoring.
    """
    hmtl: Any = nlp.get_pipe(find_component(nlp, options.get("component")))
    keys: Keys = hmtl.keys
    measures: Dict[str, Measure] = {}
    unsupported: List[str] = []

    def inspect(name: str, task: Task, examples: List[Example]) -> None:
        reported = False
        for number, eg in enumerate(examples, start=1):
            if not task.has_gold(eg.reference):
                continue
            sources = _sources(eg, keys, f"document {number}")
            for prefix, differences in task.differences(eg.predicted, eg.reference).items():
                measure = measures.setdefault(prefix, Measure(name, prefix, task.layer))
                measure.cases += _cases(*sources, differences)
                measure.unit = _unit(measure)
                reported = True
        if not reported and any(task.has_gold(eg.reference) for eg in examples):
            unsupported.append(name)

    evaluation = evaluate(nlp, path, inspect=inspect, **options)
    return Errors(evaluation, list(measures.values()), unsupported)


def _sources(eg: Example, keys: Keys, name: str) -> Tuple[Source, Source]:
    """Gold and predicted document, under one title."""
    data = eg.reference.user_data
    title = str(data.get("title") or data.get("id") or name)
    return Source(eg.reference, title, keys), Source(eg.predicted, title, keys)


def _cases(gold: Source, predicted: Source, differences: Differences) -> List[Case]:
    correct = [gold.case("correct", item) for item in differences.correct]
    missed = [gold.case("missed", item) for item in differences.missed]
    spurious = [predicted.case("spurious", item) for item in differences.spurious]
    for cases, others in ((missed, spurious), (spurious, missed)):
        for case in cases:
            case.others = _overlapping(case, others)
    return correct + missed + spurious


def _overlapping(case: Case, others: Sequence[Case]) -> List[Case]:
    """Those that touch the same words: of relations both ends, of links the later one."""
    first = 0 if case.item.label else -1
    return [other for other in others if _overlap(case.item, other.item, first)]


def _overlap(one: Item, other: Item, first: int) -> bool:
    return all(a < d and c < b for (a, b), (c, d) in zip(one.spans[first:], other.spans[first:]))


def _unit(measure: Measure) -> str:
    return "distance" if any(len(case.item.spans) > 1 for case in measure.cases) else "width"
