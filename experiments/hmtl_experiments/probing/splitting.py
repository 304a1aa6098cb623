"""Balanced splits, none of which has a group of another."""

from collections import Counter
from random import Random
from typing import Dict, List, Sequence, Tuple

from .generating import TASKS, Example
from .treebank import Sentence

SHARES = {"train": 0.7, "dev": 0.1, "test": 0.2}
MOST = 4000  # sentences of a task in all splits together
Splits = Dict[str, List[Example]]


def make_splits(task: str, sentences: Sequence[Sentence], seed: int) -> Splits:
    """Make the examples of a task; the same seed gives the same."""
    random = Random(f"{task} {seed}")
    examples = list(TASKS[task](sentences, random))
    by_split = divide(examples, random)
    labels = sorted({example.label for example in examples})
    splits = {
        split: balance(by_split[split], labels, round(MOST * share), random)
        for split, share in SHARES.items()
    }
    if empty := [split for split, chosen in splits.items() if not chosen]:
        raise ValueError(
            f"{task}: of {len(examples)} sentences none is left in {', '.join(empty)} once every label is as "
            f"frequent as the others. Use a larger treebank."
        )
    return splits


def divide(examples: Sequence[Example], random: Random) -> Splits:
    """Divide examples by group, large groups first, so that each split gets its share of every label."""
    groups: Dict[str, List[Example]] = {}
    for example in examples:
        groups.setdefault(example.group, []).append(example)
    totals = Counter(example.label for example in examples)
    missing = {(split, label): share * n for split, share in SHARES.items() for label, n in totals.items()}
    splits: Splits = {split: [] for split in SHARES}
    order = list(groups.values())
    random.shuffle(order)
    for group in sorted(order, key=len, reverse=True):
        counts = Counter(example.label for example in group)
        need = {
            split: sum(n * missing[split, label] / (share * totals[label]) for label, n in counts.items())
            for split, share in SHARES.items()
        }
        split = max(need, key=need.__getitem__)
        splits[split] += group
        for label, n in counts.items():
            missing[split, label] -= n
    return splits


def balance(examples: Sequence[Example], labels: Sequence[str], most: int, random: Random) -> List[Example]:
    """Draw as many examples of each label as the rarest has, at most so many in all."""
    by_label: Dict[str, List[Example]] = {label: [] for label in labels}
    for example in examples:
        by_label[example.label].append(example)
    n = min(most // len(labels), *map(len, by_label.values()))
    chosen = [example for of_label in by_label.values() for example in random.sample(of_label, n)]
    random.shuffle(chosen)
    return chosen


def counts(splits: Splits) -> Dict[str, Tuple[int, int]]:
    """Count the examples of each split and its labels."""
    return {split: (len(chosen), len({eg.label for eg in chosen})) for split, chosen in splits.items()}
