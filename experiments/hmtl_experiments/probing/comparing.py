"""Which layers know more than others, task by task, beyond chance."""

from typing import Any, Callable, Dict, List, Tuple

import numpy

from ..rows import markdown
from ..statistics import LEVEL, Counts, accuracy, holm, permutation_test

Compare = Callable[[Dict[str, Any], str, str], Tuple[float, float]]
RESAMPLES = 4000
POOLING = "max"  # the paper's, for encoders
LEGEND = (
    "Differences of accuracy between layers, with the maximum. **Bold**: p < 0.05 by a paired permutation "
    "test over the same units as the intervals, corrected by Holm's method for all differences of the table."
)


def comparisons(tasks: Dict[str, Any]) -> List[str]:
    """Compare g_e with every other layer, and coreference's encoder with the other levels' encoders."""
    layers = list(dict.fromkeys(found["layer"] for of_task in tasks.values() for found in of_task["probes"]))
    levels = layers[layers.index("g_e") + 1 :]
    pairs = [("g_e", layer) for layer in layers if layer != "g_e"]
    pairs += [("coref", level) for level in levels if "coref" in levels and level != "coref"]
    return differences(tasks, pairs, compare)


def differences(tasks: Dict[str, Any], pairs: List[Tuple[str, str]], compare: Compare) -> List[str]:
    """Write a row for each pair of layers, corrected for all differences of the table.

    compare: gives the difference in percent, and p, of a task and two layers.
    """
    cells = [compare(of_task, *pair) for pair in pairs for of_task in tasks.values()]
    corrected = holm([p for _, p in cells])
    texts = [f"**{gap:+.1f}**" if p < LEVEL else f"{gap:+.1f}" for (gap, _), p in zip(cells, corrected)]
    n = len(tasks)
    body = [[f"{one} − {other}", *texts[i * n : (i + 1) * n]] for i, (one, other) in enumerate(pairs)]
    return markdown(["", *tasks], body)


def difference(here: Counts, there: Counts) -> Tuple[float, float]:
    """RETURNS: the difference of accuracy in percent, and p. here, there: right and of how many."""
    gap = accuracy(here.sum(axis=1)) - accuracy(there.sum(axis=1))
    return 100 * float(gap[0]), permutation_test(here, there, accuracy, RESAMPLES)


def compare(of_task: Dict[str, Any], one: str, other: str) -> Tuple[float, float]:
    """Compare two layers in a task. RETURNS: the difference in percent, and p."""
    by_layer = {found["layer"]: found for found in of_task["probes"] if found["pooling"] == POOLING}
    here, there = (count_right(of_task["groups"], by_layer[layer]["right"])[None] for layer in (one, other))
    return difference(here, there)


def count_right(groups: List[int], right: str) -> numpy.ndarray:
    """How many sentences of each group are right, of how many. [n_groups, 2]"""
    ones = numpy.array([character == "1" for character in right], dtype=float)
    return numpy.stack([numpy.bincount(groups, weights=ones), numpy.bincount(groups)], axis=1)
