import pytest

from hmtl_spacy.metrics import prf, span_scores


def test_worked_example():
    gold = [[(0, 2, "PER"), (4, 5, "ORG"), (7, 9, "LOC")], [(0, 1, "PER")]]
    # first: one right, one with a wrong label, one with a wrong end; second: right
    predicted = [[(0, 2, "PER"), (4, 5, "LOC"), (7, 8, "LOC")], [(0, 1, "PER")]]
    scores = span_scores(gold, predicted)
    assert (scores["p"], scores["r"], scores["f"]) == (0.5, 0.5, 0.5)
    assert scores["per_type"] == {
        "PER": {"p": 1.0, "r": 1.0, "f": 1.0},
        "ORG": {"p": 0.0, "r": 0.0, "f": 0.0},
        "LOC": {"p": 0.0, "r": 0.0, "f": 0.0},
    }


def test_micro_average_is_over_the_corpus():
    gold = [[(0, 1, "A")], [(i, i + 1, "A") for i in range(9)]]
    predicted = [[(0, 1, "A"), (1, 2, "A")], [(i, i + 1, "A") for i in range(3)]]
    scores = span_scores(gold, predicted)
    # 4 right of 5 predicted and 10 gold
    assert scores["p"] == pytest.approx(4 / 5)
    assert scores["r"] == pytest.approx(4 / 10)
    assert scores["f"] == pytest.approx(2 * 4 / 15)


def test_the_same_span_in_another_document_is_not_right():
    assert span_scores([[(0, 1, "A")], []], [[], [(0, 1, "A")]])["f"] == 0.0


def test_duplicates_count_once_and_nested_spans_count_each():
    gold = [[(0, 3, "A"), (0, 3, "A"), (0, 3, "B"), (1, 2, "A")]]
    predicted = [[(1, 2, "A"), (1, 2, "A"), (0, 3, "B")]]
    scores = span_scores(gold, predicted)
    assert (scores["p"], scores["r"]) == (1.0, pytest.approx(2 / 3))


def test_swapping_gold_and_prediction_swaps_precision_and_recall():
    a, b = [[(0, 1, "A"), (2, 4, "B"), (5, 6, "B")]], [[(0, 1, "A"), (2, 4, "A")]]
    there, back = span_scores(a, b), span_scores(b, a)
    assert (there["p"], there["r"], there["f"]) == (back["r"], back["p"], back["f"])


@pytest.mark.parametrize(
    "gold, predicted", [([], []), ([[]], [[]]), ([[(0, 1, "A")]], [[]]), ([[]], [[(0, 1, "A")]])]
)
def test_empty_is_zero(gold, predicted):
    scores = span_scores(gold, predicted)
    assert (scores["p"], scores["r"], scores["f"]) == (0.0, 0.0, 0.0)


def test_unequal_numbers_of_documents():
    with pytest.raises(ValueError, match="got 2 gold and 1 predicted documents"):
        span_scores([[], []], [[]])


def test_prf():
    assert prf(1, 2, 1, 4) == {"p": 0.5, "r": 0.25, "f": pytest.approx(1 / 3)}
    assert prf(0, 0, 0, 3) == {"p": 0.0, "r": 0.0, "f": 0.0}
