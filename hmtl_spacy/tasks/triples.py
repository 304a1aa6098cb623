"""Which labels relations may have between arguments of which types."""

from itertools import product
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Set, Tuple, Union

from ..annotations import Relation

Triple = Tuple[str, str, str]  # type of the head, label, type of the tail
Allowed = Union[None, str, Sequence[Sequence[str]]]
SEEN = "seen"
ANY = "*"  # whatever type an argument has, or none


def check_form(allowed: Allowed) -> None:
    """Raises if the setting is neither null, nor "seen", nor triples."""
    triples = isinstance(allowed, (list, tuple)) and all(_is_triple(triple) for triple in allowed)
    if allowed not in (None, SEEN) and not (triples and allowed):
        raise ValueError(
            f'Relations: allowed is {allowed!r}. Set it to null, to "{SEEN}" (what the training data has), '
            f'or to triples of head type, label and tail type, such as [["PER","WORKS_FOR","ORG"]], where '
            f'"{ANY}" is any type.'
        )


def check_labels(allowed: Iterable[Sequence[str]], labels: List[str], types: Optional[List[str]]) -> None:
    """Raises if triples have labels or types that there aren't.

    types: of the levels that find arguments; None if these aren't known.
    """
    for place, known, what in ((1, labels, "labels"), (0, types, "types"), (2, types, "types")):
        found = {triple[place] for triple in allowed}
        if known is not None and (unknown := sorted(found - {ANY, "", *known})):
            raise ValueError(
                f"Relations: allowed names the {what} {unknown}, but there are {known}. Correct its triples."
            )


def is_allowed(relation: Relation, types: Mapping[Tuple[int, int], str], allowed: Set[Triple]) -> bool:
    """types: of arguments, by start and end."""
    head, tail = (types.get((span.start, span.end), "") for span in relation[:2])
    return any((h, relation.label, t) in allowed for h, t in product((head, ANY), (tail, ANY)))


def _is_triple(triple: Any) -> bool:
    return (
        isinstance(triple, (list, tuple))
        and len(triple) == 3
        and all(isinstance(part, str) for part in triple)
    )
