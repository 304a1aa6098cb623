"""`doc._.entity_graph`: entities, relations between them, exports."""

import builtins
import json
import pickle
from copy import deepcopy

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from marked import marked, without_entities
from spacy.tokens import Doc, Span
from test_entities import layered
from tiny import TINY_TASKS, annotate, make_pipeline

from hmtl_spacy.annotations import KEYS, Keys, Relation, get_relations, set_mentions, set_relations
from hmtl_spacy.entities import entity_graph, set_extensions

VOCAB = spacy.blank("en").vocab
LINES = (
    "[The *mayor* of [Lyon](lyon:GPE GPE)](ann:PER), [Ann Lee](ann PERSON), "
    "owns [a *mill* in [Hull](hull:GPE GPE)](mill:FAC).",
    "> ann#1 ORG-AFF lyon",
    "> ann#2 ART mill",
    "> mill PART-WHOLE hull",
    "[She](ann) sold [[her](ann) *mill*](mill) to [Bob](bob:PER PERSON) in [the town](hull).",
    "> ann#2 ART mill",
)


def names(graph):
    return [(relation.head.name, relation.label, relation.tail.name) for relation in graph.relations]


def scored(doc, *scores):
    relations = [relation._replace(score=score) for relation, score in zip(get_relations(doc), scores)]
    set_relations(doc, relations)
    return doc


def test_entities_are_clusters_and_single_mentions_in_order():
    graph = entity_graph(marked(*LINES))
    assert [(one.id, one.name, one.label) for one in graph.entities] == [
        ("e1", "Ann Lee", "PER"),
        ("e2", "Lyon", "GPE"),
        ("e3", "a mill in Hull", "FAC"),
        ("e4", "Hull", "GPE"),
        ("e5", "Bob", "PER"),
    ]


def test_a_mention_is_the_whole_phrase_with_the_type_of_its_head():
    doc = marked(*LINES)
    ann = entity_graph(doc).entities[0]
    assert [(one.text, one.label, one.form) for one in ann.mentions] == [
        ("The mayor of Lyon", "PER", "nominal"),
        ("Ann Lee", "PER", "name"),
        ("She", "PER", "pronoun"),
        ("her", "PER", "pronoun"),
    ]
    assert all(doc.text[one.start : one.end] == one.text for one in ann.mentions)


def test_relations_are_lifted_and_merged_with_the_highest_score():
    doc = scored(marked(*LINES), 0.9, 0.4, 0.7, 0.8)
    graph = entity_graph(doc)
    assert names(graph) == [
        ("Ann Lee", "ORG-AFF", "Lyon"),
        ("Ann Lee", "ART", "a mill in Hull"),
        ("a mill in Hull", "PART-WHOLE", "Hull"),
    ]
    art = graph.relations[1]
    assert art.score == 0.8 and [one.score for one in art.evidence] == [0.4, 0.8]
    assert [doc.text[slice(*one.head)] for one in art.evidence] == ["Ann Lee", "her"]
    assert [doc.text[slice(*one.tail)] for one in art.evidence] == ["mill", "mill"]


@pytest.mark.parametrize("mentions", ["head", "extent"])
@pytest.mark.parametrize("clusters", ["head", "extent"])
def test_the_graph_is_the_same_for_heads_and_whole_phrases(mentions, clusters):
    graph = entity_graph(marked(*LINES, mentions=mentions, clusters=clusters))
    found = [(one.label, len(one.mentions)) for one in graph.entities]
    assert found == [("PER", 4), ("GPE", 1), ("FAC", 2), ("GPE", 2), ("PER", 1)]
    pairs = [(relation.head.id, relation.label, relation.tail.id) for relation in graph.relations]
    assert pairs == [("e1", "ORG-AFF", "e2"), ("e1", "ART", "e3"), ("e3", "PART-WHOLE", "e4")]


def test_the_type_is_that_of_most_mentions_and_in_a_draw_of_the_main_one():
    def label(*labels):
        mentions = [(i, i + 1, label) for i, label in zip((0, 2, 4), labels) if label]
        doc = annotate(
            VOCAB, "she saw Ann , her", {0}, mentions=mentions, clusters=[[(0, 1), (2, 3), (4, 5)]]
        )
        return entity_graph(doc).entities[0].label

    assert label("ORG", "PER", "ORG") == "ORG"
    assert label("ORG", "PER", "") == "PER"
    assert label("", "", "GPE") == "GPE"
    assert label("", "", "") == ""


def test_named_entities_stand_in_where_mentions_are_not_annotated():
    doc = annotate(VOCAB, "Ann Lee left Hull .", {0}, entities=[(0, 2, "PER"), (3, 4, "GPE")])
    assert entity_graph(doc).entities == (), "annotated, none found"
    del doc.spans["mentions"]
    assert [(one.name, one.label) for one in entity_graph(doc).entities] == [
        ("Ann Lee", "PER"),
        ("Hull", "GPE"),
    ]


def test_arguments_that_are_no_mentions_are_entities():
    doc = annotate(VOCAB, "Ann Lee left old Hull .", {0}, [(4, 5, "GPE")], [(0, 2, "PER")])
    set_relations(doc, [Relation(doc[1:2], doc[4:5], "LEFT", 0.5), Relation(doc[0:2], doc[2:3], "DID", 0.25)])
    graph = entity_graph(doc)
    assert names(graph) == [("Ann Lee", "LEFT", "Hull"), ("Ann Lee", "DID", "left")]
    assert [one.label for one in graph.entities] == ["PER", "", "GPE"]


def test_a_coordination_is_an_entity_of_its_own():
    doc = annotate(
        VOCAB,
        "Ann and Bob met . They left .",
        {0, 5},
        mentions=[(0, 1, "PER"), (2, 3, "PER"), (5, 6, "PER")],
        clusters=[[(0, 3), (5, 6)]],
    )
    assert [(one.name, one.label) for one in entity_graph(doc).entities] == [
        ("Ann and Bob", "PER"),
        ("Ann", "PER"),
        ("Bob", "PER"),
    ]


def test_a_relation_of_an_entity_with_itself_is_kept():
    doc = annotate(VOCAB, "Ann saw her", {0}, clusters=[[(0, 1), (2, 3)]], relations=[(0, 1, 2, 3, "SAW")])
    assert names(entity_graph(doc)) == [("Ann", "SAW", "Ann")]


def test_other_keys():
    doc = annotate(VOCAB, "Ann saw her", {0})
    for key in ("mentions", "coref_clusters", "relations"):
        del doc.spans[key]
    set_mentions(doc, [Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "PER")], key="m")
    set_relations(doc, [Relation(doc[0:1], doc[2:3], "SAW")], key="r")
    assert len(entity_graph(doc, keys=KEYS).entities) == 0
    for keys in (None, Keys(mentions="m", relations="r")):
        graph = entity_graph(doc, keys=keys)
        assert len(graph.entities) == 2 and len(graph.relations) == 1


def test_documents_without_annotation_have_an_empty_graph():
    set_extensions()
    for doc in (Doc(VOCAB), spacy.blank("en")("Ann left."), without_entities(annotate(VOCAB, "Ann", {0}))):
        graph = doc._.entity_graph
        assert graph.entities == () and graph.relations == ()
        assert json.loads(graph.to_json())["entities"] == []
        assert len(graph.to_networkx()) == 0 and "graphml" in graph.to_graphml()


def test_the_component_sets_the_extensions():
    for owner, name in ((Doc, "entity_graph"), (Doc, "coref_resolved"), (Span, "coref_cluster")):
        if owner.has_extension(name):
            owner.remove_extension(name)
    try:
        tasks = deepcopy(TINY_TASKS)
        tasks["mentions"]["mentions_key"] = tasks["relations"]["mentions_key"] = "m"
        make_pipeline(tasks=tasks)
        doc = Doc(VOCAB, words=["Ann"])
        set_mentions(doc, [Span(doc, 0, 1, "PER")], key="m")
        assert len(doc._.entity_graph.entities) == 1
        assert doc._.coref_resolved == "Ann " and doc[:]._.coref_cluster is None
    finally:
        for owner, name in ((Doc, "entity_graph"), (Doc, "coref_resolved"), (Span, "coref_cluster")):
            if owner.has_extension(name):
                owner.remove_extension(name)
        set_extensions()


# Exports


def test_json_ld():
    doc = scored(marked(*LINES[:2]), 0.5)
    data = json.loads(entity_graph(doc).to_json())
    assert data["@context"]["@vocab"] and data["@context"]["subject"]["@type"] == "@id"
    lyon = {"start": 13, "end": 17, "text": "Lyon", "label": "GPE", "form": "name", "score": 1.0}
    named = {"@id": "_:e2", "@type": "type:GPE", "label": "GPE", "name": "Lyon"}
    assert data["entities"][1] == {**named, "mentions": [lyon]}
    assert data["entities"][0]["relation:ORG-AFF"] == [{"@id": "_:e2"}]
    evidence = {"head": [4, 9], "tail": [13, 17], "score": 0.5}
    triple = {"subject": "_:e1", "predicate": "relation:ORG-AFF", "object": "_:e2"}
    statement = {"@type": "rdf:Statement", **triple, "label": "ORG-AFF"}
    assert data["relations"] == [{**statement, "score": 0.5, "evidence": [evidence]}]
    unlabelled = annotate(VOCAB, "She saw herself", {0}, clusters=[[(0, 1), (2, 3)]])
    assert "@type" not in entity_graph(unlabelled).to_dict()["entities"][0]


def test_networkx():
    pytest.importorskip("networkx")
    graph = entity_graph(scored(marked(*LINES), 0.9, 0.4, 0.7, 0.8)).to_networkx()
    assert list(graph) == ["e1", "e2", "e3", "e4", "e5"] and graph.nodes["e2"]["name"] == "Lyon"
    assert len(graph.nodes["e1"]["mentions"]) == 4
    assert graph.edges["e1", "e3", "ART"]["score"] == 0.8
    assert len(graph.edges["e1", "e3", "ART"]["evidence"]) == 2


def test_graphml_round_trip():
    networkx = pytest.importorskip("networkx")
    expected = entity_graph(scored(marked(*LINES), 0.9, 0.4, 0.7, 0.8)).to_networkx()
    found = networkx.parse_graphml(
        entity_graph(scored(marked(*LINES), 0.9, 0.4, 0.7, 0.8)).to_graphml(), force_multigraph=True
    )
    assert set(found) == set(expected)
    for id, values in found.nodes(data=True):
        assert {**values, "mentions": json.loads(values["mentions"])} == expected.nodes[id]
    edges = sorted((a, b, v["label"], v["score"]) for a, b, v in found.edges(data=True))
    assert edges == sorted((a, b, v["label"], v["score"]) for a, b, v in expected.edges(data=True))
    assert len({key for _, _, key in found.edges(keys=True)}) == 3, "ids are unique"


@given(st.text(min_size=1, max_size=8), st.text(max_size=5))
def test_graphml_holds_any_text(word, label):
    networkx = pytest.importorskip("networkx")
    if word.isspace() or word.encode("utf8", "ignore").decode() != word:
        return
    doc = Doc(VOCAB, words=[word, "<b>&"])
    set_mentions(doc, [Span(doc, 0, 1, label)])
    set_relations(doc, [Relation(doc[0:1], doc[1:2], label)])
    graph = entity_graph(doc)
    found = networkx.parse_graphml(graph.to_graphml(), force_multigraph=True)
    assert len(found) == 2 and found.nodes["e2"]["name"] == "<b>&"
    assert json.loads(graph.to_json()) == graph.to_dict()


def test_without_networkx_the_error_says_what_to_install(monkeypatch):
    def refuse(name, *args, **kwargs):
        if name == "networkx":
            raise ImportError("none here")
        return original(name, *args, **kwargs)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", refuse)
    graph = entity_graph(marked(*LINES))
    for method in ("to_networkx", "to_graphml"):
        with pytest.raises(ImportError, match=rf"{method} needs networkx.*pip install 'hmtl-spacy\[graph\]'"):
            getattr(graph, method)()
    assert graph.to_json()


def test_a_graph_can_be_pickled():
    graph = entity_graph(marked(*LINES))
    assert pickle.loads(pickle.dumps(graph)) == graph


@given(layered(), st.data())
def test_any_layers_make_a_graph(doc, data):
    n = len(doc)
    index = st.tuples(st.integers(0, n - 1), st.integers(1, n)).filter(lambda one: one[0] < one[1])
    pairs = data.draw(st.lists(st.tuples(index, index, st.sampled_from("AB")), max_size=4))
    set_relations(doc, [Relation(doc[a:b], doc[c:d], label, 0.5) for (a, b), (c, d), label in pairs])
    graph = entity_graph(doc)
    ids = [one.id for one in graph.entities]
    assert len(set(ids)) == len(ids) and all(one.mentions for one in graph.entities)
    assert len([e for relation in graph.relations for e in relation.evidence]) == len(pairs), "none lost"
    keys = [(relation.head.id, relation.tail.id, relation.label) for relation in graph.relations]
    assert len(set(keys)) == len(keys)
    offsets = {(mention.start, mention.end) for one in graph.entities for mention in one.mentions}
    inside = {i for a, b in offsets for i in range(a, b)}
    for span in [*doc.spans.get("mentions", ()), *doc.spans["coref_clusters"]]:
        assert set(range(span.start_char, span.end_char)) <= inside, "every mention is in some entity"
