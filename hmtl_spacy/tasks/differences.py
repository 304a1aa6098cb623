"""What a task's scores are made of, one by one: what was found, what was missed, what was made up."""

from typing import Dict, Hashable, Iterable, List, Mapping, NamedTuple, Tuple

Offsets = Tuple[int, int]


class Item(NamedTuple):
    """One thing that is right or wrong.

    spans: its character offsets, ends exclusive: one span, or the two ends of a relation or a link.
    label: its type; "" for what has none.
    types: of its spans, where they must be right too.
    """

    spans: Tuple[Offsets, ...]
    label: str = ""
    types: Tuple[str, ...] = ()


class Differences(NamedTuple):
    """correct and missed: as the gold annotation has them; spurious: as the prediction has them."""

    correct: List[Item]
    missed: List[Item]
    spurious: List[Item]


def differences(gold: Mapping[Hashable, Item], found: Mapping[Hashable, Item]) -> Differences:
    """Items by what is compared when they are scored."""

    def pick(items: Mapping[Hashable, Item], others: Mapping, shared: bool) -> List[Item]:
        return sorted(item for key, item in items.items() if (key in others) == shared)

    return Differences(pick(gold, found, True), pick(gold, found, False), pick(found, gold, False))


def span_items(spans: Iterable[Tuple[int, int, str]]) -> Dict[Hashable, Item]:
    """Items of labelled spans (start, end, label)."""
    return {span: Item((span[:2],), span[2]) for span in spans}
