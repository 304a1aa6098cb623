"""Intervals and tests on counts per document, so that scores of a whole corpus can be resampled.

Counts are arrays [n_runs, n_docs, n_counts]: of each training and each test document what a score is made of.
A measure turns sums of counts, [..., n_counts], into scores, [...]; compared is its mean over the runs.
"""

from typing import Callable, Iterator, List, NamedTuple, Sequence

import numpy

Counts = numpy.ndarray
Measure = Callable[[numpy.ndarray], numpy.ndarray]
LEVEL = 0.05  # of significance
RESAMPLES = 10_000
AT_A_TIME = 1000


class Interval(NamedTuple):
    """A score, or a difference of two, and where it lies with so much confidence."""

    value: float
    low: float
    high: float


def f1(sums: numpy.ndarray) -> numpy.ndarray:
    """F1 of sums of counts; 0 where nothing was found.

    sums: [..., 4]: numerator and denominator of precision, then those of recall.
    """
    p_num, p_den, r_num, r_den = numpy.moveaxis(numpy.asarray(sums, dtype=float), -1, 0)
    p, r = _ratio(p_num, p_den), _ratio(r_num, r_den)
    return _ratio(2 * p * r, p + r)


def mean_f1(sums: numpy.ndarray) -> numpy.ndarray:
    """The mean of several F1s, such as coreference's of MUC, B3 and CEAF-e. sums: [..., 4 * n_measures]"""
    sums = numpy.asarray(sums)
    return f1(sums.reshape(*sums.shape[:-1], -1, 4)).mean(axis=-1)


def accuracy(sums: numpy.ndarray) -> numpy.ndarray:
    """The share of what is right. sums: [..., 2]: how many are right, of how many."""
    return _ratio(*numpy.moveaxis(numpy.asarray(sums, dtype=float), -1, 0))


def bootstrap(
    counts: Counts, measure: Measure, *, confidence: float = 0.95, n: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Draw documents with replacement and take percentiles (Efron and Tibshirani 1993, chapter 13)."""
    return bootstrap_difference(counts, numpy.zeros_like(counts), measure, confidence, n, seed)


def bootstrap_difference(
    here: Counts,
    there: Counts,
    measure: Measure,
    confidence: float = 0.95,
    n: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The same for a difference: both sides have the documents that were drawn."""
    _check(here, there)
    n_docs = here.shape[1]
    random = numpy.random.default_rng(seed)
    resampled = []
    for size in _sizes(n):
        weights = random.multinomial(n_docs, numpy.full(n_docs, 1 / n_docs), size=size)  # [size, n_docs]
        resampled.append(_score(weights, here, measure) - _score(weights, there, measure))
    tail = (1 - confidence) / 2
    low, high = numpy.quantile(numpy.concatenate(resampled), [tail, 1 - tail])
    all_once = numpy.ones((1, n_docs))
    value = _score(all_once, here, measure) - _score(all_once, there, measure)
    return Interval(float(value[0]), float(low), float(high))


def permutation_test(
    here: Counts, there: Counts, measure: Measure, n: int = RESAMPLES, seed: int = 0
) -> float:
    """How probable so large a difference is if a document's counts might as well be those of the other side.

    Two-sided and paired (Dror et al. 2018, section 3.2): documents change sides, each in all
    runs together. With few documents all ways are tried, else `n` random ones and the one that was seen.
    """
    _check(here, there)
    n_docs = here.shape[1]
    exact = 2**n_docs <= n
    if exact:
        ways = (numpy.arange(2**n_docs)[:, None] >> numpy.arange(n_docs)) & 1
        batches = [ways]
    else:
        random = numpy.random.default_rng(seed)
        batches = [random.integers(0, 2, size=(size, n_docs)) for size in _sizes(n)]
    seen = abs(_swapped(numpy.zeros((1, n_docs)), here, there, measure)[0])
    # numbers that are equal but for rounding are as large
    as_large = sum(int((abs(_swapped(swap, here, there, measure)) >= seen - 1e-12).sum()) for swap in batches)
    return as_large / 2**n_docs if exact else (as_large + 1) / (n + 1)


def holm(p_values: Sequence[float]) -> List[float]:
    """Correct for several comparisons (Holm 1979): adjusted p-values, in the same order."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def _swapped(swap: numpy.ndarray, here: Counts, there: Counts, measure: Measure) -> numpy.ndarray:
    """The differences where some documents have changed sides. swap: [n, n_docs], 1 for those."""
    change = there - here
    mine, other = here.sum(axis=1), there.sum(axis=1)  # [n_runs, n_counts]
    moved = numpy.einsum("nd,rdc->nrc", swap.astype(float), change)
    return (measure(mine + moved) - measure(other - moved)).mean(axis=1)


def _score(weights: numpy.ndarray, counts: Counts, measure: Measure) -> numpy.ndarray:
    """weights: how often each document counts, [n, n_docs]. RETURNS: the mean over the runs, [n]"""
    return measure(numpy.einsum("nd,rdc->nrc", weights.astype(float), counts)).mean(axis=1)


def _ratio(numerator: numpy.ndarray, denominator: numpy.ndarray) -> numpy.ndarray:
    zeros = numpy.zeros(numpy.broadcast(numerator, denominator).shape)
    return numpy.divide(numerator, denominator, out=zeros, where=denominator != 0)


def _sizes(n: int) -> Iterator[int]:
    """Batches of resamples: memory is for one."""
    for done in range(0, n, AT_A_TIME):
        yield min(AT_A_TIME, n - done)


def _check(here: Counts, there: Counts) -> None:
    if here.shape != there.shape or here.ndim != 3 or not here.shape[1]:
        raise ValueError(
            f"Counts of {here.shape} and {there.shape} can't be compared: give both for the same runs and "
            f"documents, [n_runs, n_docs, n_counts]."
        )
