"""Layers on documents that spaCy itself joins, writes as JSON, or gives other tokens."""

import warnings
from itertools import chain

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from hmtl_spacy.annotations import (
    Relation,
    get_clusters,
    get_mentions,
    get_relations,
    set_clusters,
    set_extension,
    set_mentions,
    set_relations,
)
from hmtl_spacy.entities import resolve

NLP = spacy.blank("en")


def annotated(text, score=0.5):
    """Ann saw Bob . She greeted him . The names are mentions, the pronouns link to them."""
    doc = NLP(text)
    set_mentions(doc, [Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "PER")], [score, 1.0])
    set_clusters(doc, [[(0, 1), (4, 5)], [(2, 3), (6, 7)]], {(4, 5): score})
    set_relations(doc, [Relation(doc[0:1], doc[2:3], "SAW", score)])
    return doc


def plain(doc):
    clusters, relations = get_clusters(doc), get_relations(doc)
    return (
        [(span.text, span.label_) for span in get_mentions(doc)],
        [[span.text for span in cluster] for cluster in clusters],
        [(head.text, tail.text, label, score) for head, tail, label, score in relations],
    )


ONE, TWO = "Ann saw Bob . She greeted him .", "Tom met Jim . He ignored them ."


def without_scores(layers):
    mentions, clusters, relations = layers
    return mentions, clusters, [(*relation[:3], 1.0) for relation in relations]


def test_joined_documents_keep_their_layers():
    """But for scores: spaCy drops all attributes of span groups when it joins them."""
    docs = [annotated(text) for text in (ONE, TWO, ONE, ONE)]
    joined = Doc.from_docs(docs)
    expected = [without_scores(plain(doc)) for doc in docs]
    for layer, items in enumerate(plain(joined)):
        assert items == list(chain.from_iterable(layers[layer] for layers in expected))
    assert "Tom ignored" in resolve(joined)
    (again,) = DocBin(docs=[joined]).get_docs(NLP.vocab)
    assert plain(again) == plain(joined)


def test_joined_documents_with_one_cluster_each():
    docs = [NLP("Ann ran . She won ."), NLP("Bob sat . He slept .")]
    for doc in docs:
        set_clusters(doc, [[(0, 1), (3, 4)]])
    clusters = get_clusters(Doc.from_docs(docs))
    assert [[span.text for span in cluster] for cluster in clusters] == [["Ann", "She"], ["Bob", "He"]]


def test_clusters_that_begin_at_one_place_stay_apart():
    doc = NLP("Ann 's dog ran . It won . She ran .")
    set_clusters(doc, [[(0, 1), (8, 9)], [(0, 3), (5, 6)]])
    for changed in (Doc.from_docs([doc, doc.copy()]), Doc(NLP.vocab).from_json(doc.to_json())):
        texts = [[span.text for span in cluster] for cluster in get_clusters(changed)]
        assert texts[:2] == [["Ann", "She"], ["Ann 's dog", "It"]] and len(texts) in (2, 4)


def test_json_keeps_clusters_and_the_labels_of_relations():
    doc = annotated(ONE)
    back = Doc(NLP.vocab).from_json(doc.to_json())
    assert plain(back) == without_scores(plain(doc))


def test_spans_without_a_cluster_are_refused():
    doc = NLP(ONE)
    doc.spans["coref_clusters"] = [doc[0:1], doc[4:5]]
    with pytest.raises(ValueError, match="has a span, 'Ann', without its cluster's number in span.id_"):
        get_clusters(doc)
    doc.spans["coref_clusters"] = [
        Span(doc, 0, 1, span_id="a"),
        Span(doc, 4, 5, span_id="a"),
    ]  # somebody's own
    assert [[span.text for span in cluster] for cluster in get_clusters(doc)] == [["Ann", "She"]]


def test_scores_that_are_not_for_the_spans_are_refused():
    doc = annotated(ONE)
    doc.spans["mentions"].append(doc[4:5])
    with pytest.raises(ValueError, match="holds 3 spans, but scores for 2: it was changed by hand"):
        get_mentions(doc)


def test_arguments_keep_their_own_labels():
    doc = NLP(ONE)
    set_relations(doc, [Relation(Span(doc, 0, 1, "PER"), doc[2:3], "SAW")])
    for changed in (doc, Doc(NLP.vocab).from_json(doc.to_json()), Doc.from_docs([doc])):
        ((head, tail, label, _),) = get_relations(changed)
        assert (head.label_, tail.label_, label) == ("PER", "", "SAW")


def test_relations_need_a_label_on_both_ends():
    doc = annotated(ONE)
    doc.spans["relations"] = [Span(doc, 0, 1, "SAW"), Span(doc, 2, 3, "MET")]
    with pytest.raises(ValueError, match="holds 2 spans that aren't relations: a head and a tail in turn"):
        get_relations(doc)
    doc.spans["relations"] = [Span(doc, 0, 1, "SAW")]
    with pytest.raises(ValueError, match="holds 1 spans that aren't relations"):
        get_relations(doc)


def merged(doc, start, end):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[start:end])
    return doc


def test_spans_follow_their_characters_when_tokens_are_merged_or_split():
    text = "New York saw Ann . It greeted her ."
    doc = NLP(text)
    set_mentions(doc, [Span(doc, 0, 2, "GPE"), Span(doc, 3, 4, "PER")])
    set_clusters(doc, [[(0, 2), (5, 6)], [(3, 4), (7, 8)]])
    set_relations(doc, [Relation(doc[0:2], doc[3:4], "SAW")])
    before = plain(doc)
    merged(doc, 0, 2)
    assert plain(doc) == before
    assert [(span.start, span.end) for span in get_mentions(doc)] == [(0, 1), (2, 3)]
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[2], ["A", "nn"], heads=[(doc[2], 1), doc[1]])
    assert plain(doc) == before
    assert [(span.start, span.end, span.label_) for span in get_mentions(doc)] == [
        (0, 1, "GPE"),
        (2, 4, "PER"),
    ]


def test_spans_that_no_token_begins_with_any_more_are_refused():
    doc = merged(annotated(ONE), 1, 3)  # saw Bob
    with pytest.raises(
        ValueError, match=r"a span at the characters 8 to 11, 'Bob', but the tokens were changed"
    ):
        get_mentions(doc)


def test_a_name_that_somebody_else_has_is_said():
    def ours(doc):
        return 1

    try:
        set_extension(Doc, "test_taken", ours)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            set_extension(Doc, "test_taken", ours)  # a second pipeline
        Doc.set_extension("test_taken", default=None, force=True)
        with pytest.warns(UserWarning, match=r"doc._.test_taken was set by something else and stays"):
            set_extension(Doc, "test_taken", ours)
        assert NLP("a")._.test_taken is None
    finally:
        Doc.remove_extension("test_taken")
