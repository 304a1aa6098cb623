"""Cases counted by type and by length, and everything as plain data."""

from collections import Counter
from typing import Any, Callable, Dict, List, Sequence, Tuple

from ...metrics import prf
from .cases import Case
from .confusion import but_for, confusion
from .finding import Errors, Measure

KINDS = ("correct", "missed", "spurious")
WRONG = ("missed", "spurious")
WIDTHS = (1, 2, 3, 4, 5, 10)
DISTANCES = (2, 5, 10, 20, 50, 100)
Row = Dict[str, Any]


def length_of(measure: Measure) -> Callable[[Case], str]:
    """Names the range of lengths that a case is in: "1", "6–10", "11+"."""
    edges = WIDTHS if measure.unit == "width" else DISTANCES
    names, low = [], min(1, edges[0])
    for edge in edges:
        names.append((edge, str(edge) if edge == low else f"{low}–{edge}"))
        low = edge + 1

    def name(case: Case) -> str:
        return next((text for edge, text in names if case.length <= edge), f"{low}+")

    return name


def groups(measure: Measure, by: str) -> Dict[str, List[Case]]:
    """The cases by "type", that with most errors first, or by "length", the shortest first."""
    name = length_of(measure) if by == "length" else lambda case: case.label
    grouped: Dict[str, List[Case]] = {}
    cases = sorted(measure.cases, key=lambda case: case.length if by == "length" else 0)
    for case in cases:
        grouped.setdefault(name(case), []).append(case)
    if by == "length":
        return grouped
    return dict(sorted(grouped.items(), key=lambda group: (-_n_wrong(group[1]), group[0])))


def _n_wrong(cases: Sequence[Case]) -> int:
    return sum(case.kind in WRONG for case in cases)


def row(cases: Sequence[Case]) -> Row:
    """How many are correct, missed and spurious, and the scores that follow, 0..1."""
    count = Counter(case.kind for case in cases)
    correct, missed, spurious = (count[kind] for kind in KINDS)
    counted = {"correct": correct, "missed": missed, "spurious": spurious}
    return {**counted, **prf(correct, correct + spurious, correct, correct + missed)}


def spread(cases: Sequence[Case], kind: str, limit: int) -> Tuple[List[Case], int]:
    """Up to `limit` cases of a kind, sampled evenly from the data, and how many there are; 0 for all."""
    of_kind = [case for case in cases if case.kind == kind]
    if not limit or len(of_kind) <= limit:
        return of_kind, len(of_kind)
    return [of_kind[i * len(of_kind) // limit] for i in range(limit)], len(of_kind)


def to_json(errors: Errors) -> Dict[str, Any]:
    """All counts and all errors as a dict that `json` can write, by the prefix of the scores."""
    return {measure.prefix: _measure(measure) for measure in errors.measures}


def _measure(measure: Measure) -> Dict[str, Any]:
    return {
        "task": measure.task,
        "length": f"{measure.unit} in tokens",
        **row(measure.cases),
        "right_but_for": but_for(measure),
        "confusion": confusion(measure),
        "by_type": {name: row(cases) for name, cases in groups(measure, "type").items()},
        "by_length": {name: row(cases) for name, cases in groups(measure, "length").items()},
        "errors": [_case(case) for case in measure.cases if case.kind != "correct"],
    }


def _case(case: Case) -> Dict[str, Any]:
    text = case.source.doc.text
    return {
        "kind": case.kind,
        "label": case.label,
        "length": case.length,
        "document": case.source.title,
        "spans": [{"start": start, "end": end, "text": text[start:end]} for start, end in case.item.spans],
        "sentences": [text[start:end] for start, end in case.source.contexts(case.item)],
        "instead": case.instead,
    }
