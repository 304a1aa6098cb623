from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl_spacy.metrics import CorefScorer, coref_scores

METRICS = ("muc", "b3", "ceafe", "conll", "lea", "mention")
N_MENTIONS = 12


def clusters(*names):
    """One cluster per word, one mention per letter."""
    return [[(ord(letter), ord(letter) + 1) for letter in name] for name in names]


def score(gold, predicted, keep_singletons=True):
    return coref_scores([clusters(*gold.split())], [clusters(*predicted.split())], keep_singletons)


def group(assignment):
    """Disjoint clusters from a cluster number, or None, per mention."""
    numbers = sorted({number for number in assignment if number is not None})
    return [{i for i, number in enumerate(assignment) if number == wanted} for wanted in numbers]


clusterings = st.lists(st.none() | st.integers(0, 5), min_size=N_MENTIONS, max_size=N_MENTIONS).map(group)


def test_luo_2005_table_1():
    # Gold: five, two and five mentions, 9 links in all.
    gold = "12345 67 89ABC"
    # (a) joins the two and the second five: MUC P 9/10, R 9/9; B3 P (5 + 4/7 + 25/7) / 12, R 1;
    # CEAF-e aligns 5-5 (1) and 5-7 (10/12), so F = 2 * (11/6) / (3 + 2).
    a = score(gold, "12345 6789ABC")
    assert (a["muc_p"], a["muc_r"]) == (pytest.approx(9 / 10), 1.0)
    assert (a["muc_f"], a["b3_f"], a["ceafe_f"]) == pytest.approx((0.947, 0.865, 0.733), abs=5e-4)
    # (b) joins the two fives: B3 P (50/10 + 2) / 12, R 1; CEAF-e 10/15 + 1
    b = score(gold, "1234589ABC 67")
    assert (b["muc_f"], b["b3_f"], b["ceafe_f"]) == pytest.approx((0.947, 0.737, 0.667), abs=5e-4)
    # (c) one cluster: MUC P 9/11; B3 P (25 + 4 + 25) / 144; CEAF-e 10/17
    c = score(gold, "123456789ABC")
    assert (c["muc_f"], c["b3_f"], c["ceafe_f"]) == pytest.approx((0.900, 0.545, 0.294), abs=5e-4)
    # (d) no links: B3 P 1, R 3/12; CEAF-e (2/6 + 2/3 + 2/6) over 3 and 12 clusters
    d = score(gold, " ".join("123456789ABC"))
    assert (d["muc_f"], d["b3_f"], d["ceafe_f"]) == pytest.approx((0.0, 0.4, 0.178), abs=5e-4)


def test_pradhan_2014_example():
    scores = score("abc defg", "ab cd fghi", keep_singletons=False)
    # MUC: abc is cut in ab|c, defg in d|e|fg; ab stays whole, c|d, fg|h|i
    assert scores["muc_r"] == pytest.approx(((3 - 2) + (4 - 3)) / (2 + 3))
    assert scores["muc_p"] == pytest.approx(((2 - 1) + (2 - 2) + (4 - 3)) / (1 + 1 + 3))
    # overlaps: abc-ab 2, abc-cd 1, defg-cd 1, defg-fghi 2
    assert scores["b3_r"] == pytest.approx((4 / 3 + 1 / 3 + 1 / 4 + 4 / 4) / 7)
    assert scores["b3_p"] == pytest.approx((4 / 2 + 1 / 2 + 1 / 2 + 4 / 4) / 8)
    # aligned: abc-ab 4/5, defg-fghi 4/8
    assert scores["ceafe_r"] == pytest.approx(1.3 / 2)
    assert scores["ceafe_p"] == pytest.approx(1.3 / 3)
    assert scores["conll_f"] == pytest.approx((0.4 + 5 / 11 + 2.6 / 5) / 3)
    assert scores["conll_p"] == pytest.approx((0.4 + 0.5 + 1.3 / 3) / 3)
    assert scores["conll_r"] == pytest.approx((0.4 + 5 / 12 + 1.3 / 2) / 3)
    # LEA (the example of Moosavi and Strube 2016): one of 3 links of abc, one of 6 of defg;
    # the only link of ab, none of cd, one of 6 of fghi
    assert scores["lea_r"] == pytest.approx((3 * 1 / 3 + 4 * 1 / 6) / 7)
    assert scores["lea_p"] == pytest.approx((2 * 1 + 2 * 0 + 4 * 1 / 6) / 8)
    assert (scores["mention_p"], scores["mention_r"]) == pytest.approx((6 / 8, 6 / 7))


def test_missing_and_spurious_mentions():
    # ab found whole; of cdef only cd, with the spurious x; yz is spurious
    scores = score("ab cdef", "ab cdx yz")
    assert (scores["muc_p"], scores["muc_r"]) == pytest.approx((2 / 4, 2 / 4))
    assert (scores["b3_p"], scores["b3_r"]) == pytest.approx(((2 + 4 / 3) / 7, (2 + 4 / 4) / 6))
    assert (scores["ceafe_p"], scores["ceafe_r"]) == pytest.approx(((1 + 4 / 7) / 3, (1 + 4 / 7) / 2))
    assert (scores["lea_p"], scores["lea_r"]) == pytest.approx(((2 + 3 / 3) / 7, (2 + 4 / 6) / 6))


def test_ceafe_takes_the_best_alignment_not_the_best_pair():
    # the best pair is abcde-abcfg with 6/10, which leaves fg-de with 0;
    # abcde-de and fg-abcfg have 4/7 each
    scores = score("abcde fg", "abcfg de")
    assert scores["ceafe_r"] == pytest.approx((4 / 7 + 4 / 7) / 2)


def test_singletons_kept_or_dropped_on_both_sides():
    gold, predicted = "a bc", "a b cd"
    kept = score(gold, predicted, keep_singletons=True)
    assert (kept["b3_p"], kept["b3_r"]) == pytest.approx(((1 + 1 + 1 / 2) / 4, (1 + 1 / 2 + 1 / 2) / 3))
    assert (kept["ceafe_p"], kept["ceafe_r"]) == pytest.approx(((1 + 2 / 3) / 3, (1 + 2 / 3) / 2))
    assert (kept["mention_p"], kept["mention_r"]) == pytest.approx((3 / 4, 3 / 3))
    # a is a singleton on both sides, b only in the prediction
    assert (kept["lea_p"], kept["lea_r"]) == pytest.approx((1 / 4, 1 / 3))
    dropped = score(gold, predicted, keep_singletons=False)
    assert dropped == score("bc", "cd", keep_singletons=True)
    assert (dropped["b3_p"], dropped["mention_r"], dropped["lea_r"]) == (0.25, 0.5, 0.0)
    # singletons have no links, so MUC is the same
    assert kept["muc_f"] == dropped["muc_f"] == 0.0


def test_gold_singletons_do_not_cap_a_perfect_prediction_without_them():
    assert score("ab c d", "ab", keep_singletons=False)["conll_f"] == 1.0
    # kept, all three gold clusters are in the denominator of CEAF-e: P 1, R 1/3
    assert score("ab c d", "ab", keep_singletons=True)["ceafe_f"] == pytest.approx(0.5)


def test_repeated_mentions_stay_in_the_first_cluster():
    assert score("ab cd", "ab bc") == score("ab cd", "ab c")
    assert score("ab cd", "aab ab cd") == score("ab cd", "ab cd")
    assert score("ab ab cd", "ab cd")["conll_f"] == 1.0
    # what is left of bc is one mention, hence no cluster if singletons are dropped
    assert score("ab cd", "ab bc", keep_singletons=False) == score("ab cd", "ab", keep_singletons=False)
    # a dropped singleton claims no mention
    assert score("ab", "a ab", keep_singletons=False)["conll_f"] == 1.0


def test_corpus_totals_are_not_means_of_documents():
    gold, predicted = [clusters("ab"), clusters("abcdef")], [clusters("ab"), clusters("abc")]
    scores = coref_scores(gold, predicted)
    # MUC: 1 of 1 and 2 of 5 links; the mean of the documents would be 0.7
    assert (scores["muc_p"], scores["muc_r"]) == (1.0, pytest.approx(3 / 6))
    # B3: 2 of 2 and 9/6 of 6; CEAF-e: 1 of 1 and 6/9 of 1
    assert scores["b3_r"] == pytest.approx(3.5 / 8)
    assert scores["ceafe_r"] == pytest.approx((1 + 6 / 9) / 2)
    scorer = CorefScorer()
    for document in zip(gold, predicted, strict=True):
        scorer.add(*document)
    assert scorer.scores() == scores


def test_the_same_mention_in_another_document_is_another_mention():
    scores = coref_scores([clusters("ab"), []], [[], clusters("ab")])
    assert set(scores.values()) == {0.0}


def test_keys():
    assert list(score("ab", "ab")) == [
        f"{metric}_{x}" for metric in ("muc", "b3", "ceafe", "lea", "mention", "conll") for x in "prf"
    ]


@pytest.mark.parametrize("keep_singletons", [True, False])
def test_empty(keep_singletons):
    ab = clusters("ab")
    for gold, predicted in [([], []), ([[]], [[]]), ([ab], [[]]), ([[]], [ab]), ([[[]]], [[[]]])]:
        scores = coref_scores(gold, predicted, keep_singletons)
        assert set(scores.values()) == {0.0}
    # an empty document changes nothing
    assert coref_scores([ab, []], [ab, []], keep_singletons) == coref_scores([ab], [ab], keep_singletons)


def test_unequal_numbers_of_documents():
    with pytest.raises(ValueError, match="got 1 gold and 0 predicted documents"):
        coref_scores([clusters("ab")], [])


@settings(deadline=None)
@given(clusterings, clusterings, st.booleans())
def test_swapping_gold_and_prediction_swaps_precision_and_recall(a, b, keep_singletons):
    there, back = coref_scores([a], [b], keep_singletons), coref_scores([b], [a], keep_singletons)
    for metric in METRICS:
        assert there[f"{metric}_p"] == pytest.approx(back[f"{metric}_r"])
        assert there[f"{metric}_f"] == pytest.approx(back[f"{metric}_f"])


@settings(deadline=None)
@given(clusterings, st.booleans())
def test_perfect_is_one_and_all_scores_are_in_range(a, keep_singletons):
    for name, value in coref_scores([a], [a], keep_singletons).items():
        has_links = any(len(cluster) > 1 for cluster in a)
        needs_links = not keep_singletons or name[:3] in ("muc", "con")
        if has_links or (a and not needs_links):
            assert value == pytest.approx(1.0), name
    scores = coref_scores([a], [[set(range(N_MENTIONS))]], keep_singletons)
    assert all(0.0 <= value <= 1.0 for value in scores.values())


@settings(deadline=None)
@given(clusterings, clusterings)
def test_lea_by_enumerating_links(gold, predicted):
    def links(cluster):
        return set(combinations(sorted(cluster), 2)) if len(cluster) > 1 else {(*cluster, *cluster)}

    def recall(key, response):
        """Moosavi and Strube 2016: importance times the share of links found, over the importances."""
        found = set().union(*(links(cluster) for cluster in response))
        resolved = sum(len(k) * len(links(k) & found) / len(links(k)) for k in key)
        return resolved / sum(len(k) for k in key) if key else 0.0

    scores = coref_scores([gold], [predicted], keep_singletons=True)
    assert scores["lea_r"] == pytest.approx(recall(gold, predicted))
    assert scores["lea_p"] == pytest.approx(recall(predicted, gold))


def test_thousands_of_clusters_in_one_document():
    # a chain, hence one component of 1,500 by 1,500: neighbours share one mention of two
    gold = [{2 * i, 2 * i + 1} for i in range(1500)]
    predicted = [{2 * i + 1, 2 * i + 2} for i in range(1500)]
    scores = coref_scores([gold], [predicted])
    assert (scores["ceafe_p"], scores["ceafe_r"]) == pytest.approx((0.5, 0.5))
