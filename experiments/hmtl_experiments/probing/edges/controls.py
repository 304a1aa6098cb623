"""Control tasks (Hewitt and Liang 2019): labels that only who learns words by heart can tell.

What a probe scores above that it has from the layer; the rest it may have learned by itself.
"""

from random import Random
from typing import Dict, List, Sequence

from .targets import Target


def control(splits: Dict[str, List[Target]], seed: int) -> Dict[str, List[str]]:
    """Draw a label for all targets with the same words, as often as labels are in the training split.

    RETURNS: the labels of each split.
    """
    labels = sorted(target.label for target in splits["train"])
    return {
        split: [_drawn(target.words, labels, seed) for target in of_split]
        for split, of_split in splits.items()
    }


def known(splits: Dict[str, List[Target]]) -> float:
    """Compute the share of test targets whose words are in the training split: others can't be told."""
    seen = {target.words for target in splits["train"]}
    return sum(target.words in seen for target in splits["test"]) / len(splits["test"])


def _drawn(words: Sequence[str], labels: Sequence[str], seed: int) -> str:
    """The same for the same words, whatever else there is."""
    return Random(f"{seed} {' | '.join(words)}").choice(labels)
