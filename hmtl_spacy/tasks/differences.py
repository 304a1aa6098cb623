"""What a task's scores are made of, item by item: what is correct, what was missed, what is spurious."""

from typing import Dict, Hashable, Iterable, List, Mapping, NamedTuple, Tuple, TypeVar

Offsets = Tuple[int, int]
Key = TypeVar("Key", bound=Hashable)


class Item(NamedTuple):
    """Something that is right or wrong: a span, a relation, a coreference link.

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


def differences(gold: Mapping[Key, Item], predicted: Mapping[Key, Item]) -> Differences:
    """gold, predicted: items, by what is compared when they are scored."""

    def pick(items: Mapping[Key, Item], others: Mapping[Key, Item], shared: bool) -> List[Item]:
        return sorted(item for key, item in items.items() if (key in others) == shared)

    return Differences(
        correct=pick(gold, predicted, True),
        missed=pick(gold, predicted, False),
        spurious=pick(predicted, gold, False),
    )


def span_items(spans: Iterable[Tuple[int, int, str]]) -> Dict[Tuple[int, int, str], Item]:
    """Items of labelled spans (start, end, label)."""
    return {span: Item((span[:2],), span[2]) for span in spans}
