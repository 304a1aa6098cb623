"""The coreference scores against scorch, which agrees with the official scorer on disjoint clusters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl_spacy.metrics import coref_scores

oracle = pytest.importorskip("scorch.scores", reason="scorch, the oracle of these tests, is not installed")

N_MENTIONS = 14


@pytest.fixture(autouse=True, scope="module")
def harmonic_mean_of_zeros():
    """scorch gives numpy zeros to `statistics.harmonic_mean`, which some Pythons refuse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oracle, "harmonic_mean", lambda pair: 2 * pair[0] * pair[1] / (sum(pair) or 1.0))
        yield


def group(assignment):
    """Disjoint clusters of spans from a cluster number, or None, per mention."""
    numbers = sorted({number for number in assignment if number is not None})
    return [{(i, i + 1) for i, number in enumerate(assignment) if number == wanted} for wanted in numbers]


clusterings = st.lists(st.none() | st.integers(0, 8), min_size=N_MENTIONS, max_size=N_MENTIONS).map(group)
corpora = st.lists(st.tuples(clusterings, clusterings), min_size=1, max_size=4)


def merge(documents):
    """All documents as one: mentions with the number of their document."""
    return [
        {(i, mention) for mention in cluster} for i, document in enumerate(documents) for cluster in document
    ]


def without_singletons(clusters):
    return [cluster for cluster in clusters if len(cluster) > 1]


def check(scores, gold, predicted):
    for name, metric in (("muc", oracle.muc), ("b3", oracle.b_cubed), ("ceafe", oracle.ceaf_e)):
        expected = metric(gold, predicted)
        assert [scores[f"{name}_{x}"] for x in "rpf"] == pytest.approx(expected, abs=1e-6), name
    assert scores["conll_f"] == pytest.approx(oracle.conll2012(gold, predicted), abs=1e-6)


@settings(deadline=None)
@given(clusterings, clusterings)
def test_documents_with_singletons(gold, predicted):
    check(coref_scores([gold], [predicted], keep_singletons=True), gold, predicted)


@settings(deadline=None)
@given(clusterings, clusterings)
def test_documents_without_singletons(gold, predicted):
    scores = coref_scores([gold], [predicted], keep_singletons=False)
    check(scores, without_singletons(gold), without_singletons(predicted))


@settings(deadline=None)
@given(corpora, st.booleans())
def test_corpus_totals_are_those_of_the_merged_documents(corpus, keep_singletons):
    gold, predicted = [gold for gold, _ in corpus], [predicted for _, predicted in corpus]
    scores = coref_scores(gold, predicted, keep_singletons)
    merged = merge(gold), merge(predicted)
    check(scores, *(merged if keep_singletons else map(without_singletons, merged)))
