"""Document-level relations, scored by hand.

Gold: Ann = she, Hull = it, Bob. Ann SAW Hull, Bob KNOWS Ann, Bob SAW Hull: three facts.
"""

import pytest
import spacy
from tiny import annotate

from hmtl_spacy.data.evidence import Supported, set_evidence
from hmtl_spacy.evaluation.entity_relations import entity_relation_scores, named_facts

VOCAB = spacy.blank("en").vocab
TEXT = "Ann left Hull . She likes it . Bob slept . Bob met her ."
STARTS = {0, 4, 8, 11}
MENTIONS = [
    (0, 1, "PER"),
    (2, 3, "GPE"),
    (4, 5, "PER"),
    (6, 7, "GPE"),
    (8, 9, "PER"),
    (11, 12, "PER"),
    (13, 14, "PER"),
]
ANN, HULL, BOB = [(0, 1), (4, 5), (13, 14)], [(2, 3), (6, 7)], [(8, 9), (11, 12)]


def made(relations, clusters=(ANN, HULL, BOB)):
    return annotate(
        VOCAB, TEXT, STARTS, mentions=MENTIONS, clusters=list(map(list, clusters)), relations=relations
    )


GOLD = made([(0, 1, 2, 3, "SAW"), (11, 12, 13, 14, "KNOWS"), (8, 9, 2, 3, "SAW")])


def scores(relations, clusters=(ANN, HULL, BOB), seen=None):
    found = entity_relation_scores([(made(relations, clusters), GOLD)], seen)
    return {name: round(value, 4) for name, value in found.items()}


def prf(found, name):
    return tuple(found[f"rel_{name}_{key}"] for key in "prf")


def test_other_mentions_of_the_entities_are_right_and_count_once():
    # "she SAW it" twice over and "her SAW Hull" are one fact, which is right; "it KNOWS Bob" is wrong
    found = scores([(4, 5, 6, 7, "SAW"), (13, 14, 2, 3, "SAW"), (6, 7, 8, 9, "KNOWS")])
    assert prf(found, "gold_entity") == prf(found, "entity") == (0.5, 0.3333, 0.4)


def test_direction_and_label_count():
    assert prf(scores([(2, 3, 0, 1, "SAW"), (0, 1, 2, 3, "KNOWS")]), "entity") == (0.0, 0.0, 0.0)


def test_predicted_entities_are_those_with_most_of_their_mentions():
    # she, her and it in one cluster: two of three are Ann's; it is the only one of Hull that is left out
    found = scores([(4, 5, 2, 3, "SAW")], ([(4, 5), (13, 14), (6, 7)], BOB))
    assert prf(found, "entity") == (1.0, 0.3333, 0.5)
    # she and it: half of them is not most
    found = scores([(4, 5, 2, 3, "SAW")], ([(4, 5), (6, 7)], BOB))
    assert prf(found, "entity") == (0.0, 0.0, 0.0)
    assert prf(found, "gold_entity") == (1.0, 0.3333, 0.5), "the mention is Ann's"


def test_two_parts_of_an_entity_state_one_fact():
    found = scores([(0, 1, 2, 3, "SAW"), (4, 5, 2, 3, "SAW")], (HULL, BOB))
    assert prf(found, "entity") == (1.0, 0.3333, 0.5)


def test_an_argument_that_is_no_entity_is_wrong():
    found = scores([(1, 2, 2, 3, "SAW"), (0, 1, 2, 3, "SAW")])
    assert prf(found, "gold_entity") == prf(found, "entity") == (0.5, 0.3333, 0.4)


def test_facts_that_training_had_are_ignored():
    """As in DocRED's evaluation: 2 of 3 predicted facts are right, one of these was seen, so that
    P = (2 - 1) / (3 - 1), and recall stays 2 / 3. Pronouns make no fact seen.
    """
    relations = [(4, 5, 6, 7, "SAW"), (11, 12, 13, 14, "KNOWS"), (6, 7, 8, 9, "SAW")]
    train = annotate(
        VOCAB, "Ann in Hull", {0}, mentions=[(0, 1, "PER"), (2, 3, "GPE")], relations=[(0, 1, 2, 3, "SAW")]
    )
    seen = named_facts([train])
    assert seen == {("Ann", "Hull", "SAW")}
    found = scores(relations, seen=seen)
    assert prf(found, "gold_entity") == (0.6667, 0.6667, 0.6667)
    assert prf(found, "gold_entity_ign") == (0.5, 0.6667, 0.5714)
    assert prf(scores(relations, seen=frozenset()), "gold_entity_ign") == prf(found, "gold_entity")
    pronouns = named_facts([made([(4, 5, 6, 7, "SAW")])])
    assert pronouns == {("Ann", "Hull", "SAW")}, "those of the entities, and no pronouns"
    assert "rel_gold_entity_ign_f" not in scores(relations)


def test_nothing_predicted_and_nothing_to_find():
    assert set(scores([]).values()) == {0.0}
    assert entity_relation_scores([]) == dict.fromkeys(scores([]), 0.0)


def test_other_tokens_are_compared_by_characters():
    found = made([(0, 1, 2, 3, "SAW")])
    with found.retokenize() as retokenizer:
        retokenizer.merge(found[9:11])
    assert entity_relation_scores([(found, GOLD)])["rel_gold_entity_p"] == pytest.approx(1.0)


def test_evidence_is_compared_by_fact():
    """Ann SAW Hull is supported by sentences 0 and 1, Bob SAW Hull by 1 and 2, Bob KNOWS Ann by 3."""
    gold = made([(0, 1, 2, 3, "SAW"), (11, 12, 13, 14, "KNOWS"), (8, 9, 2, 3, "SAW")])
    rows = [
        Supported((0, 1), (2, 3), "SAW", [0, 1]),
        Supported((11, 12), (13, 14), "KNOWS", [3]),
        Supported((8, 9), (2, 3), "SAW", [1, 2]),
    ]
    set_evidence(gold, rows)
    # right in sentence 1 of 0 and 1; right in 2 but not in 0; a fact that is wrong in sentence 3
    found = made([(4, 5, 6, 7, "SAW"), (8, 9, 2, 3, "SAW"), (11, 12, 13, 14, "SAW")])
    measured = entity_relation_scores([(found, gold)])
    assert prf(measured, "evidence") == pytest.approx((2 / 4, 2 / 5, 4 / 9))
    assert "rel_evidence_f" not in entity_relation_scores([(found, GOLD)])
