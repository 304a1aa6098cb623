import pytest

from hmtl_spacy.metrics import RELATION_MODES, relation_scores

PERSON, ORG, CITY = (0, 2), (4, 6), (8, 9)
TYPES = {PERSON: "PER", ORG: "ORG", CITY: "LOC"}
GOLD = [(PERSON, ORG, "works_for"), (ORG, CITY, "based_in")]


def score(gold, predicted, mode, predicted_types=TYPES, **kwargs):
    types = {"gold_types": [TYPES], "predicted_types": [predicted_types]}
    return relation_scores([gold], [predicted], mode=mode, **types, **kwargs)


def right(predicted, predicted_types=TYPES, **kwargs):
    """The modes in which one predicted relation is right."""
    scores = {mode: score(GOLD, [predicted], mode, predicted_types, **kwargs) for mode in RELATION_MODES}
    assert all(s["p"] in (0.0, 1.0) for s in scores.values())
    # every gold relation is in the denominator: one of two can be found
    assert all(s["r"] == s["p"] / 2 for s in scores.values())
    return {mode for mode, s in scores.items() if s["p"]}


def test_all_modes_accept_the_exact_relation():
    assert right((PERSON, ORG, "works_for")) == {"last_token", "boundaries", "strict"}


def test_wrong_direction_or_label():
    assert right((ORG, PERSON, "works_for")) == set()
    assert right((PERSON, ORG, "based_in")) == set()


def test_same_last_token_other_start():
    types = {(1, 2): "PER", ORG: "ORG"}
    assert right(((1, 2), ORG, "works_for"), types) == {"last_token"}


def test_other_last_token():
    assert right(((0, 1), ORG, "works_for"), {(0, 1): "PER", ORG: "ORG"}) == set()


def test_wrong_argument_type_fails_only_strict():
    assert right((PERSON, ORG, "works_for"), {PERSON: "PER", ORG: "LOC"}) == {"last_token", "boundaries"}


def test_argument_without_a_type_is_never_strictly_right():
    relation = [(PERSON, ORG, "works_for")]
    assert right(relation[0], {PERSON: "PER"}) == {"last_token", "boundaries"}
    untyped = relation_scores([relation], [relation], mode="strict", gold_types=[{}], predicted_types=[{}])
    assert (untyped["p"], untyped["r"]) == (0.0, 0.0)


def test_symmetric_labels_match_both_ways():
    flipped = (ORG, PERSON, "works_for")
    assert right(flipped, symmetric=["works_for"]) == {"last_token", "boundaries", "strict"}
    assert right(flipped, symmetric=["based_in"]) == set()
    # both directions of a symmetric label are one relation
    both = [(PERSON, ORG, "works_for"), flipped]
    for mode in RELATION_MODES:
        assert score(GOLD[:1], both, mode)["p"] == 0.5
        assert score(GOLD[:1], both, mode, symmetric={"works_for"})["p"] == 1.0


def test_relations_between_arguments_with_one_last_token_are_missed_not_left_out():
    # (1, 2) lies at the end of (0, 2): nothing that predicts pairs of tokens can find this
    gold = [((0, 2), (1, 2), "same")]
    for mode in ("last_token", "boundaries"):
        assert relation_scores([gold], [[]], mode=mode)["per_type"]["same"]["r"] == 0.0


def test_relations_with_the_same_last_tokens_are_one_in_last_token_mode():
    gold = [((0, 2), ORG, "x"), ((1, 2), ORG, "x")]
    assert relation_scores([gold], [gold[:1]], mode="last_token")["r"] == 1.0
    assert relation_scores([gold], [gold[:1]], mode="boundaries")["r"] == 0.5


def test_micro_and_macro_over_two_documents():
    a, b, c, d = (0, 1), (1, 2), (2, 3), (3, 4)
    gold = [[(a, b, "x"), (b, c, "x"), (c, d, "x")], [(a, b, "y")]]
    predicted = [[(a, b, "x"), (b, c, "x"), (a, d, "z")], [(a, b, "y"), (b, a, "y")]]
    scores = relation_scores(gold, predicted)
    # 3 right of 5 predicted and 4 gold
    assert scores["p"] == pytest.approx(3 / 5)
    assert scores["r"] == pytest.approx(3 / 4)
    assert scores["f"] == pytest.approx(2 * 3 / 9)
    # x: P 2/2, R 2/3, F 4/5; y: P 1/2, R 1, F 2/3; z, only predicted: 0
    assert scores["per_type"]["x"] == pytest.approx({"p": 1, "r": 2 / 3, "f": 4 / 5})
    assert scores["per_type"]["y"] == pytest.approx({"p": 1 / 2, "r": 1, "f": 2 / 3})
    assert scores["per_type"]["z"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert scores["macro_p"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert scores["macro_r"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert scores["macro_f"] == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)


@pytest.mark.parametrize("mode", RELATION_MODES)
def test_perfect_empty_and_swapped(mode):
    perfect = score(GOLD, GOLD + GOLD, mode)
    assert {perfect[key] for key in ("p", "r", "f", "macro_p", "macro_r", "macro_f")} == {1.0}
    for gold, predicted in [([], []), (GOLD, []), ([], GOLD)]:
        empty = score(gold, predicted, mode)
        assert (empty["p"], empty["r"], empty["f"], empty["macro_f"]) == (0.0, 0.0, 0.0, 0.0)
    there, back = score(GOLD, GOLD[:1], mode), score(GOLD[:1], GOLD, mode)
    assert (there["p"], there["r"], there["f"]) == (back["r"], back["p"], back["f"])


def test_errors():
    with pytest.raises(ValueError, match="Unknown mode 'exact'.*last_token, boundaries, strict"):
        relation_scores([[]], [[]], mode="exact")
    with pytest.raises(ValueError, match="gold_types and predicted_types"):
        relation_scores([[]], [[]], mode="strict")
    with pytest.raises(ValueError, match="every predicted document.*types for 2 and relations for 1"):
        relation_scores([[]], [[]], mode="strict", gold_types=[{}], predicted_types=[{}, {}])
    with pytest.raises(ValueError, match="got 1 gold and 2 predicted documents"):
        relation_scores([[]], [[], []])
