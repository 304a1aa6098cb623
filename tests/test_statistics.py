"""Intervals and tests on counts per document: beside scipy's, and worked examples."""

import sys
from itertools import product
from pathlib import Path

import numpy
import pytest
import scipy.stats

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "experiments").is_dir():
    pytest.skip("the tests run without the project's experiments", allow_module_level=True)
sys.path.append(str(ROOT / "experiments"))

from hmtl_experiments.statistics import (  # noqa: E402
    accuracy,
    bootstrap,
    bootstrap_difference,
    f1,
    holm,
    mean_f1,
    permutation_test,
)

RANDOM = numpy.random.default_rng(0)


def of_mean(values):
    """Values as counts whose `accuracy` is their mean. [1, n, 2]"""
    return numpy.stack([values, numpy.ones_like(values)], axis=1)[None]


def test_measures():
    assert f1([2, 4, 2, 8]) == pytest.approx(2 * 0.5 * 0.25 / 0.75)
    assert f1([0, 0, 0, 3]) == 0 and f1([0, 0, 0, 0]) == 0
    assert mean_f1([2, 4, 2, 8, 1, 1, 1, 1]) == pytest.approx((1 / 3 + 1) / 2)
    assert f1(numpy.ones((5, 3, 4))).shape == (5, 3) and mean_f1(numpy.ones((5, 3, 12))).shape == (5, 3)
    assert accuracy([3, 4]) == 0.75


def test_the_bootstrap_is_that_of_scipy():
    values = RANDOM.normal(size=60)
    ours = bootstrap(of_mean(values), accuracy, n=20_000)
    theirs = scipy.stats.bootstrap(
        (values,), numpy.mean, n_resamples=20_000, method="percentile", random_state=1
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.015)
    narrow = bootstrap(of_mean(values), accuracy, confidence=0.5, n=20_000)
    assert ours.low < narrow.low < narrow.high < ours.high


def test_the_bootstrap_of_a_difference_is_paired():
    """Two runs that differ by the same in every document differ by that for certain."""
    values = RANDOM.normal(size=40)
    found = bootstrap_difference(of_mean(values + 0.25), of_mean(values), accuracy)
    assert [found.value, found.low, found.high] == pytest.approx([0.25] * 3)


@pytest.mark.parametrize("n", [8, 40])
def test_the_permutation_test_is_that_of_scipy(n):
    """All ways with 8 documents, random ones with 40."""
    here, there = RANDOM.normal(0.3, size=n), RANDOM.normal(size=n)
    theirs = scipy.stats.permutation_test(
        (here, there),
        lambda x, y, axis: numpy.mean(x, axis=axis) - numpy.mean(y, axis=axis),
        permutation_type="samples",
        n_resamples=10_000,
        random_state=1,
    ).pvalue
    ours = permutation_test(of_mean(here), of_mean(there), accuracy)
    assert ours == pytest.approx(theirs, abs=1e-9 if n == 8 else 0.015)


def test_the_permutation_test_by_hand():
    """Three documents, so eight ways: the one that was seen, its opposite, and whichever is as large."""
    here = numpy.array([[[3, 3, 3, 4], [2, 2, 2, 4], [1, 1, 1, 2]]], dtype=float)
    there = numpy.array([[[1, 3, 1, 4], [1, 2, 1, 4], [1, 2, 1, 2]]], dtype=float)

    def difference(swap):
        sides = [
            numpy.where(numpy.array(swap)[:, None], b, a)
            for a, b in ((here[0], there[0]), (there[0], here[0]))
        ]
        return abs(f1(sides[0].sum(axis=0)) - f1(sides[1].sum(axis=0)))

    seen = difference((0, 0, 0))
    as_large = [difference(swap) >= seen - 1e-12 for swap in product((0, 1), repeat=3)]
    assert permutation_test(here, there, f1) == sum(as_large) / 8 == 0.25


def test_what_is_the_same_never_differs():
    counts = RANDOM.integers(1, 9, size=(2, 30, 4)).astype(float)
    assert permutation_test(counts, counts, f1) == 1.0
    assert bootstrap_difference(counts, counts, f1)[:] == (0, 0, 0)


def test_runs_are_averaged_and_documents_drawn_in_all_together():
    counts = RANDOM.integers(1, 9, size=(3, 30, 4)).astype(float)
    counts[:, :, 2] = counts[:, :, 0]
    found = bootstrap(counts, f1)
    assert found.value == pytest.approx(numpy.mean([f1(run.sum(axis=0)) for run in counts]))
    assert found[:] == pytest.approx(bootstrap(counts[[2, 0, 1]], f1)[:])
    one = numpy.repeat(counts[:1], 3, axis=0)
    assert bootstrap(one, f1)[:] == pytest.approx(bootstrap(counts[:1], f1)[:])


def test_the_interval_has_what_is_true_as_often_as_it_says():
    """Of 200 samples from a known distribution."""
    inside = 0
    for i in range(200):
        found = bootstrap(of_mean(RANDOM.normal(size=50)), accuracy, n=400, seed=i)
        inside += found.low <= 0 <= found.high
    assert 0.89 <= inside / 200 <= 0.99


def test_holm_by_hand():
    """Of three, the smallest counts three times, the next twice; none is smaller than the one before."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0] and holm([]) == [] and holm([0.2]) == [0.2]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(
        ValueError, match=r"Counts of \(1, 3, 4\) and \(1, 2, 4\) can't be compared: give both"
    ):
        permutation_test(numpy.ones((1, 3, 4)), numpy.ones((1, 2, 4)), f1)
