"""Which wrong prediction is where something was missed: what is taken for what, what is nearly right."""

from collections import Counter
from typing import Dict, List, Optional, Tuple

from .cases import Case
from .finding import Measure

Pair = Tuple[Optional[Case], Optional[Case]]
NONE = ""  # in a table: the type of what isn't there
BUT_FOR = ("boundary", "type")


def pairs(measure: Measure) -> List[Pair]:
    """Each missed item with a spurious one in its place, the closest first; None where there is none."""
    missed = [case for case in measure.cases if case.kind == "missed"]
    near = [(case, other) for case in missed for other in case.others if _shared(case, other)]
    near.sort(key=lambda pair: _closeness(measure, *pair), reverse=True)
    partner: Dict[int, Case] = {}
    for case, other in near:
        if id(case) not in partner and id(other) not in partner:
            partner[id(case)], partner[id(other)] = other, case
    spurious = [case for case in measure.cases if case.kind == "spurious" and id(case) not in partner]
    return [*((case, partner.get(id(case))) for case in missed), *((None, case) for case in spurious)]


def but_for(measure: Measure) -> Dict[str, int]:
    """How many items would be right but for the boundary, and how many but for the type.

    The type of a relation is its label, or those of its arguments where they count.
    """
    found = Counter(_lacks(measure, *pair) for pair in pairs(measure))
    return {name: found[name] for name in BUT_FOR}


def confusion(measure: Measure) -> Dict[str, Dict[str, int]]:
    """How often each gold type was predicted as which; `NONE` is for what only one annotation has.

    Empty for what has no type, as coreference. What has the right type but isn't correct counts as such here.
    """
    if not any(case.item.label for case in measure.cases):
        return {}
    counts = Counter((case.label, case.label) for case in measure.cases if case.kind == "correct")
    counts.update((one.label if one else NONE, two.label if two else NONE) for one, two in pairs(measure))
    table: Dict[str, Dict[str, int]] = {}
    for (gold, predicted), count in sorted(counts.items()):
        table.setdefault(gold, {})[predicted] = count
    return table


def _lacks(measure: Measure, gold: Optional[Case], predicted: Optional[Case]) -> str:
    """What a pair of items would have to share to be correct; "" if both or more than that."""
    if gold is None or predicted is None:
        return ""
    if _same_place(measure, gold, predicted):
        return "type"
    return "boundary" if _same_type(gold, predicted) else ""


def _closeness(measure: Measure, one: Case, other: Case) -> Tuple[bool, bool, int]:
    return _same_place(measure, one, other), _same_type(one, other), _shared(one, other)


def _same_place(measure: Measure, one: Case, other: Case) -> bool:
    """Whether they are where the measure wants them."""
    first = 1 if measure.prefix == "rel_last_token" else 0
    return all(a[first:] == b[first:] for a, b in zip(one.item.spans, other.item.spans))


def _same_type(one: Case, other: Case) -> bool:
    return (one.item.label, one.item.types) == (other.item.label, other.item.types)


def _shared(one: Case, other: Case) -> int:
    """Characters that the spans of two items share; 0 if any of them shares none."""
    shared = [min(b, d) - max(a, c) for (a, b), (c, d) in zip(one.item.spans, other.item.spans)]
    return sum(shared) if all(n > 0 for n in shared) else 0
