"""Gold annotation that may have one of several labels, or leaves labels open, made comparable."""

from typing import Any, Callable, Collection, Dict, Hashable, List, Mapping, Sequence, Set, Tuple, TypeVar

Labelled = TypeVar("Labelled", bound=Tuple[Any, ...])
NONE = ""


def settle(
    gold: Collection[Labelled],
    predicted: Collection[Labelled],
    sets: Mapping[str, Sequence[str]],
    unknown: Collection[str],
    gold_place: Callable[[Labelled], Hashable] = lambda item: item[:-1],
    predicted_place: Callable[[Labelled], Hashable] = lambda item: item[:-1],
) -> Tuple[Set[Labelled], Set[Labelled]]:
    """Both sides of a document so that what agrees is equal.

    A prediction that has one of the labels of the gold annotation at its place is labelled with the name of
    the set. Elsewhere those of unknown labels are left out, and others are labelled with the name of the
    first set that has theirs, so that the scores of a type are of the same annotation on both sides. Gold
    annotation that may be none is left out where nothing predicted agrees with it.

    >>> sets = {"GPE or LOC": ["GPE", "LOC"], "VEH or none": ["VEH", ""]}
    >>> gold = {(0, 1, "GPE or LOC"), (4, 5, "VEH or none"), (7, 8, "PER")}
    >>> gold, predicted = settle(gold, {(0, 1, "LOC"), (2, 3, "DATE"), (7, 8, "GPE")}, sets, ["DATE"])
    >>> sorted(gold), sorted(predicted)
    ([(0, 1, 'GPE or LOC'), (7, 8, 'PER')], [(0, 1, 'GPE or LOC'), (7, 8, 'GPE or LOC')])

    gold, predicted: tuples whose last element is the label.
    sets: the labels of which annotation labelled with a set's name has one, "" for none.
    unknown: labels that aren't annotated.
    gold_place, predicted_place: what is compared beside the label.
    """
    if not sets and not unknown:
        return set(gold), set(predicted)
    at: Dict[Hashable, List[str]] = {}  # the gold labels of each place
    for item in gold:
        at.setdefault(gold_place(item), []).append(item[-1])
    agreed: Set[Tuple[Hashable, str]] = set()
    settled: Set[Any] = set()
    for item in predicted:
        place, label = predicted_place(item), item[-1]
        matches = [name for name in at.get(place, ()) if label == name or label in sets.get(name, ())]
        agreed.update((place, name) for name in matches)
        if matches:
            settled.add((*item[:-1], label if label in matches else min(matches)))
        elif label not in unknown:
            settled.add((*item[:-1], next((name for name in sets if label in sets[name]), label)))
    kept = {x for x in gold if NONE not in sets.get(x[-1], ()) or (gold_place(x), x[-1]) in agreed}
    return kept, settled
