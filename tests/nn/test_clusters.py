"""Clusters from links: mentions nested in their own cluster, and clusters of one."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest
import torch

from hmtl_spacy.nn.clusters import best_links, follow_links, no_links
from hmtl_spacy.nn.coarse import preceding
from hmtl_spacy.nn.nesting import part_nested

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import naive_coref

NOBODY = -1e4


def clusters(spans, scores, threshold=0.0, link_nested=False, linking="best"):
    """Clusters and their links' probabilities. scores: of pairs, {(span, antecedent): score}"""
    n = len(spans)
    antecedent, _ = preceding([0, n], n - 1, torch.device("cpu"))
    table = torch.full((n, n), NOBODY)
    table[:, 0] = 0.0  # the dummy
    for (span, before), score in scores.items():
        table[span, span - before] = score
    probability = table.softmax(dim=1)
    offsets = numpy.array(spans)
    links = best_links(antecedent.clamp(min=0), probability, threshold, linking)
    if not link_nested:
        links = part_nested(links, offsets, antecedent, probability, threshold)
    rows, confidences = follow_links(offsets, links)
    found = {}
    for start, end, cluster in rows.tolist():
        found.setdefault(cluster, []).append((start, end))
    return sorted(found.values()), dict(zip(map(tuple, rows[:, :2].tolist()), confidences.tolist()))


ANN, HER, HER_BROTHER, HE = (0, 1), (2, 3), (2, 4), (5, 6)  # Ann met her brother . He waved .
LINKED = {(1, 0): 3.0, (2, 1): 2.0, (3, 2): 2.0}


def test_a_phrase_isnt_linked_to_the_pronoun_that_it_begins_with():
    spans = [ANN, HER, HER_BROTHER, HE]
    assert clusters(spans, LINKED, link_nested=True)[0] == [spans]
    assert clusters(spans, LINKED)[0] == [[ANN, HER], [HER_BROTHER, HE]]


def test_nor_through_a_third_mention():
    spans = [ANN, HER, HER_BROTHER, HE]
    assert clusters(spans, {(1, 0): 3.0, (2, 0): 2.0, (3, 2): 2.0})[0] == [[ANN, HER], [HER_BROTHER, HE]]


def test_the_likeliest_antecedent_in_another_cluster_is_taken():
    bob = (0, 1)
    spans = [bob, (2, 3), (4, 5), (4, 6)]  # Bob , Ann : her brother
    scores = {(2, 1): 3.0, (3, 2): 2.0, (3, 1): 1.0, (3, 0): 0.5}
    found, confidence = clusters(spans, scores)
    assert found == [[bob, (4, 6)], [(2, 3), (4, 5)]]
    total = 1 + numpy.exp([2.0, 1.0, 0.5]).sum()
    assert confidence[4, 6] == pytest.approx(numpy.exp(0.5) / total, abs=1e-5)
    # unless that is less likely than none, or than the threshold
    assert clusters(spans, {**scores, (3, 0): -0.1})[0] == [[(2, 3), (4, 5)]]
    assert clusters(spans, scores, threshold=0.2)[0] == [[(2, 3), (4, 5)]]


@pytest.mark.parametrize(
    "one, other",
    [((0, 4), (0, 5)), ((0, 5), (1, 5)), ((0, 5), (2, 3)), ((0, 5), (0, 5))],
    ids=["same start", "same end", "inside", "equal"],
)
def test_every_kind_of_nesting(one, other):
    assert clusters([one, other], {(1, 0): 1.0})[0] == []
    third = (7, 8)  # both would be linked to what comes after them, or before
    assert clusters([one, other, third], {(1, 0): 1.0, (2, 1): 2.0})[0] == [[other, third]]
    later = [(10 + start, 10 + end) for start, end in (one, other)]
    assert clusters([third, *later], {(1, 0): 1.0, (2, 0): 1.0})[0] == [[third, later[0]]]


def test_the_likelier_of_two_links_is_kept():
    name, short, long = (0, 1), (3, 4), (3, 6)  # Ann , a doctor , a doctor from Hull
    assert clusters([name, short, long], {(1, 0): 1.0, (2, 0): 2.0})[0] == [[name, long]]
    assert clusters([name, short, long], {(1, 0): 2.0, (2, 0): 1.0})[0] == [[name, short]]
    # a span that comes later may be what would bring them together
    later = (8, 9)
    assert clusters([short, long, later], {(1, 0): 2.0, (2, 0): 1.0})[0] == [[short, later]]
    found, _ = clusters([short, long, later, (10, 11)], {(2, 0): 3.0, (3, 1): 2.0, (3, 2): 1.9})
    assert found == [[short, later], [long, (10, 11)]]


def test_spans_that_cross_or_touch_may_be_linked():
    assert clusters([(0, 3), (2, 5)], {(1, 0): 1.0})[0] == [[(0, 3), (2, 5)]]
    assert clusters([(0, 3), (3, 5)], {(1, 0): 1.0})[0] == [[(0, 3), (3, 5)]]


def test_antecedents_of_one_cluster_are_likelier_together():
    spans = [ANN, (3, 4), HE]
    scores = {(1, 0): 3.0, (2, 0): -0.1, (2, 1): -0.2}  # each of the two is less likely than none
    assert clusters(spans, scores)[0] == [spans[:2]]
    found, confidence = clusters(spans, scores, linking="total")
    assert found == [spans]
    assert confidence[HE] == pytest.approx(numpy.exp(-0.1) / (1 + numpy.exp(-0.1) + numpy.exp(-0.2)))
    assert clusters(spans, scores, linking="total", threshold=0.5)[0] == [spans[:2]]
    assert clusters(spans, {**scores, (2, 0): -1.0, (2, 1): -1.0}, linking="total")[0] == [spans[:2]]


@pytest.mark.parametrize("linking", ["best", "total"])
@pytest.mark.parametrize("seed", range(20))
def test_clusters_equal_those_of_the_reference_implementation(seed, linking):
    settings = SimpleNamespace(link_nested=False, linking=linking)
    random = numpy.random.default_rng(seed)
    starts = random.integers(0, 12, size=30)
    spans = sorted({(int(s), int(s + w)) for s, w in zip(starts, random.integers(1, 5, size=30))})
    n = len(spans)
    scores = {(i, j): float(score) for i in range(n) for j, score in enumerate(random.normal(size=i))}
    table = torch.full((n, n), -torch.inf)
    table[:, 0] = 0.0
    for (i, j), score in scores.items():
        table[i, i - j] = score
    rows, confidences = naive_coref.links(settings, [list(span) for span in spans], table, 0.05)
    expected = {}
    for start, end, cluster in rows.tolist():
        expected.setdefault(cluster, []).append((start, end))
    found, confidence = clusters(spans, scores, threshold=0.05, linking=linking)
    assert found == sorted(expected.values())
    assert confidence == pytest.approx(dict(zip(map(tuple, rows[:, :2].tolist()), confidences.tolist())))
    assert found != clusters(spans, scores, threshold=0.05, link_nested=True, linking=linking)[0]
    for cluster in found:
        pairs = [(one, other) for one in cluster for other in cluster if one < other]
        assert not any(naive_coref.nested(one, other) for one, other in pairs)


def test_clusters_of_one_are_the_mentions_without_a_link():
    spans = numpy.array([[0, 1], [1, 3], [2, 3], [4, 5]])
    links = no_links(4)
    links.linked[3], links.probability[3] = True, 0.75  # span 3 to span 0
    rows, confidences = follow_links(spans, links, numpy.array([0.1, 0.6, 0.4, 0.2]))
    assert rows.tolist() == [[0, 1, 0], [1, 3, 1], [4, 5, 0]]
    assert confidences.tolist() == pytest.approx([0.75, 0.6, 0.75])
    rows, _ = follow_links(spans, no_links(4), numpy.array([0.5, 0.4, 0.9, 0.0]))
    assert rows.tolist() == [[0, 1, 0], [2, 3, 1]]
