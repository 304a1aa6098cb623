"""Layers that contradict each other: counted by evaluation, settled where the settings say so."""

import pytest
from spacy.tokens import Span
from tiny import annotate, layers

from hmtl_spacy.agreement import labels_together, settle
from hmtl_spacy.annotations import set_mentions, write_layer
from hmtl_spacy.data.teaching import TEACHES
from hmtl_spacy.evaluation.contradictions import CLUSTERS, ENTITIES, RELATIONS, count_contradictions
from hmtl_spacy.evaluation.evaluate import Evaluation
from hmtl_spacy.evaluation.report import report, to_json

TEXT = "Ann Lee works for Acme Corp . She likes it ."
TOGETHER = [["PER", "PER", 3], ["LOC", "LOC", 2], ["ORG", "ORG", 1]]


def mistaken(trained, ents, mentions, clusters=(), relations=()):
    """A document as levels that contradict each other leave it. ents, mentions: start, end, label, score"""
    spans = [[row[:3] for row in rows] for rows in (ents, mentions)]
    doc = annotate(trained.vocab, TEXT, {0, 7}, *spans, clusters, relations)
    set_mentions(doc, [Span(doc, a, b, label=x) for a, b, x, _ in mentions], [row[3] for row in mentions])
    write_layer(doc, "entities", "ents", list(doc.ents), scores=[row[3] for row in ents])
    return doc


def settled(trained, doc, written, **agreement):
    hmtl = trained.get_pipe("hmtl")
    cfg = {**hmtl.cfg, "agreement": {"types": "own", "entities": "own", **agreement}}
    settle(doc, written, hmtl.tasks, cfg)
    return layers(doc)


def test_what_training_showed_is_stored(trained):
    assert trained.get_pipe("hmtl").cfg["together"] == TOGETHER


def test_only_documents_that_teach_both_count(trained, docs):
    tasks = trained.get_pipe("hmtl").tasks
    for doc in docs[:2]:
        doc.user_data[TEACHES] = {"tasks": ["mentions"]}
    docs[2].user_data[TEACHES] = {"sets": {"ner": {"LOC": ["GPE", "FAC", ""]}}}
    assert labels_together(docs, tasks) == [["PER", "PER", 2], ["GPE", "LOC", 1], ["FAC", "LOC", 1]]


def test_a_cluster_votes_for_its_type(trained):
    mentions = [(0, 2, "ORG", 0.6), (4, 6, "ORG", 0.9), (7, 8, "PER", 0.9), (9, 10, "LOC", 0.5)]
    doc = mistaken(trained, [], mentions, [[(0, 2), (7, 8)]])
    assert settled(trained, doc, "coref") == layers(doc), "off by default"
    assert settled(trained, doc, "mentions", types="cluster")["mentions"][0] == (0, 2, "ORG"), "not yet"
    found = settled(trained, doc, "coref", types="cluster")["mentions"]
    assert found == [(0, 2, "PER"), (4, 6, "ORG"), (7, 8, "PER"), (9, 10, "LOC")]
    assert doc.spans["mentions"].attrs["scores"] == [0.6, 0.9, 0.9, 0.5]


CERTAIN = [(0.9, 0.6, "PER"), (0.6, 0.9, "ORG"), (0.7, 0.7, "PER")]


@pytest.mark.parametrize("of_entity, of_mention, label", CERTAIN)
def test_the_more_probable_of_entity_and_mention_decides(trained, of_entity, of_mention, label):
    ents = [(0, 2, "PER", of_entity), (4, 6, "ORG", 0.1)]
    doc = mistaken(trained, ents, [(0, 2, "ORG", of_mention), (4, 6, "ORG", 0.9)])
    assert settled(trained, doc, "mentions") == layers(doc), "off by default"
    found = settled(trained, doc, "mentions", entities="settled")
    assert found["ents"] == found["mentions"] == [(0, 2, label), (4, 6, "ORG")]
    group = doc.spans["ents"]
    assert [span.label_ for span in group] == [label, "ORG"] and group.attrs["scores"] == [of_entity, 0.1]


def test_what_nothing_goes_with_and_what_others_found_stays(trained):
    doc = mistaken(trained, [(0, 2, "DATE", 0.9)], [(0, 2, "PER", 0.6)])
    assert settled(trained, doc, "mentions", entities="settled")["mentions"] == [(0, 2, "PER")]
    doc = mistaken(trained, [(0, 2, "LOC", 0.1)], [(0, 2, "PER", 0.6)])
    write_layer(doc, "entities", "ents", [], scores=[])
    assert settled(trained, doc, "mentions", entities="settled")["ents"] == [(0, 2, "LOC")]


def test_given_mentions_stay(trained):
    trained.get_pipe("hmtl").cfg["spans"]["mentions"] = "given"
    doc = mistaken(
        trained, [(0, 2, "PER", 0.9)], [(0, 2, "ORG", 0.6), (7, 8, "PER", 0.9)], [[(0, 2), (7, 8)]]
    )
    before = layers(doc)
    assert settled(trained, doc, "mentions", entities="settled") == before
    assert settled(trained, doc, "coref", types="cluster") == before


def test_a_pipeline_settles_as_its_setting_says(trained):
    """It has learned that Ann Lee is a PER; its entities now say ORG, as if less certain."""
    ner = trained.get_pipe("hmtl").tasks["ner"]
    ner.labels = ["LOC", "PER", "ORG"]
    assert (0, 2, "ORG") in layers(trained(TEXT))["ents"]
    trained.get_pipe("hmtl").cfg["agreement"]["entities"] = "settled"
    found = layers(trained(TEXT))
    assert [row for row in found["ents"] if row in found["mentions"]] == found["ents"] != []


def test_evaluation_counts(trained, docs):
    trained(TEXT)
    hmtl = trained.get_pipe("hmtl")
    mentions = [(0, 2, "ORG", 0.6), (4, 6, "ORG", 0.9), (7, 8, "PER", 0.9)]
    relations = [(0, 2, 4, 6, "WORK"), (7, 8, 4, 6, "WORK")]
    doc = mistaken(trained, [(0, 2, "PER", 0.9), (4, 6, "ORG", 1.0)], mentions, [[(0, 2), (7, 8)]], relations)
    counts = count_contradictions([doc], hmtl)
    assert counts == {ENTITIES: (1, 2), CLUSTERS: (1, 1), RELATIONS: (1, 2)}
    assert all(found == 0 for found, _ in count_contradictions(docs, hmtl).values())
    result = Evaluation(contradictions=counts)
    assert "1 of 2 relations between types that training didn't show" in report(result)
    assert to_json(result)["contradictions"][CLUSTERS] == {"found": 1, "among": 1}
    hmtl.cfg["together"] = []
    assert ENTITIES not in count_contradictions([doc], hmtl), "unknown what goes together"


def test_unknown_settings(trained):
    trained.get_pipe("hmtl").cfg["agreement"]["types"] = "vote"
    with pytest.raises(ValueError, match=r"has types = 'vote'. Set types to one of \('own', 'cluster'\)"):
        trained(TEXT)
