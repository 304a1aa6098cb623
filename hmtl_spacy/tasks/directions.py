"""Labels of relations that say the same from the tail's side: one relation, whichever way it is annotated."""

from typing import Any, Callable, Dict, List, Sequence, Tuple, TypeVar

T = TypeVar("T")
Offsets = Tuple[int, int]


class Directions:
    """Which label a relation has when it is read from its tail: its own if it is symmetric.

    A relation with such a label is written one way: from the argument that ends first if it is symmetric,
    else with the first label of its pair.

    symmetric: labels such as PER-SOC. inverse: pairs such as ["EMPLOYS", "WORKS_FOR"].
    of: the label read from the tail, by label.
    """

    def __init__(self, symmetric: Sequence[str], inverse: Sequence[Sequence[str]]):
        if not all(_are_labels(pair) and len(pair) == 2 for pair in inverse) or not _are_labels(symmetric):
            raise ValueError(
                f"Relations: symmetric is {symmetric!r} and inverse {inverse!r}. Give a list of labels, such "
                f'as ["PER-SOC"], and a list of pairs, such as [["EMPLOYS","WORKS_FOR"]].'
            )
        named = [*symmetric, *(label for pair in inverse for label in pair)]
        if twice := sorted({label for label in named if named.count(label) > 1}):
            raise ValueError(
                f"Relations: {twice} are named more than once in symmetric {list(symmetric)} and inverse "
                f"{[list(pair) for pair in inverse]}. A label is symmetric or has one inverse."
            )
        self.of: Dict[str, str] = {label: label for label in symmetric}
        for first, second in inverse:
            self.of.update({first: second, second: first})
        self._second = {second for _, second in inverse}

    def one_way(self, head: T, tail: T, label: str, offsets: Callable[[T], Offsets]) -> Tuple[T, T, str]:
        """A relation as it is written. offsets: start and end of an argument."""
        is_later = self.of.get(label) == label and offsets(tail)[::-1] < offsets(head)[::-1]
        if is_later or label in self._second:
            return tail, head, self.of[label]
        return head, tail, label

    def by_index(self, labels: List[str]) -> List[int]:
        """For each label the place of what it is from the tail's side; -1 where it is nothing."""
        return [labels.index(self.of[label]) if label in self.of else -1 for label in labels]


def _are_labels(labels: Any) -> bool:
    return isinstance(labels, (list, tuple)) and all(isinstance(label, str) for label in labels)
