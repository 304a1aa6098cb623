"""Learning rates."""

from typing import Iterator


def halving(
    initial_rate: float, steps_per_epoch: int, epochs: int, factor: float, minimum_rate: float
) -> Iterator[float]:
    """Halve the rate every few epochs, as the original HMTL did.

    It reduced the rate where a score did not get *lower*, so a score that rises counted as one that
    doesn't improve, and the rate fell on its own: at the end of epoch `epochs` + 1, which the first
    epoch's score precedes, and every `epochs` after.

    initial_rate: of the first `epochs` + 1 epochs.
    steps_per_epoch: updates in an epoch.
    epochs: how many pass from one reduction to the next.
    factor: what the rate is multiplied by.
    minimum_rate: the rate doesn't fall below it.
    YIELDS: the rate of every update.
    """
    if steps_per_epoch < 1 or epochs < 1:
        raise ValueError(
            f"hmtl_spacy.Halving.v1: steps_per_epoch is {steps_per_epoch} and epochs is {epochs}. "
            f"Both must be at least 1."
        )
    rate = initial_rate
    for _ in range(steps_per_epoch):
        yield rate
    while True:
        for _ in range(epochs * steps_per_epoch):
            yield rate
        rate = max(rate * factor, minimum_rate)
