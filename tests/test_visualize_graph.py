"""The entity graph on a page: what is drawn, what isn't, and the sentences that are evidence."""

import re

import pytest
import spacy
from tiny import ANNOTATED, annotate

from hmtl_spacy.annotations import Relation, set_relations
from hmtl_spacy.entities import entity_graph
from hmtl_spacy.visualize import render
from hmtl_spacy.visualize.graph import graph_of

TWO = (
    "Ann works for Acme . She likes it . Bob sleeps .",
    {0, 5, 9},
    [(0, 1, "PER"), (3, 4, "ORG"), (9, 10, "PER")],
    [(0, 1, "PER"), (3, 4, "ORG"), (5, 6, "PER"), (7, 8, "ORG"), (9, 10, "PER")],
    [[(0, 1), (5, 6)], [(3, 4), (7, 8)]],
    [(0, 1, 3, 4, "WORK"), (5, 6, 7, 8, "WORK"), (0, 1, 7, 8, "LIKE")],
)


def make(layers):
    return annotate(spacy.blank("en").vocab, *layers)


def quoted(quotes):
    return ["".join(f"[{text}]" if marked else text for text, marked in quote.pieces) for quote in quotes]


def test_evidence_is_quoted_with_what_it_is_evidence_for():
    doc = make(TWO)
    sentences = [(sent.start_char, sent.end_char) for sent in doc.sents]
    graph = graph_of(entity_graph(doc), doc.text, sentences)
    assert [quoted(node.quotes) for node in graph.nodes] == [
        ["[Ann] works for Acme .", "[She] likes it ."],
        ["Ann works for [Acme] .", "She likes [it] ."],
    ]
    found = {edge.relation.label: quoted(edge.quotes) for edge in graph.edges}
    assert found == {
        "WORK": ["[Ann] works for [Acme] .", "[She] likes [it] ."],
        "LIKE": ["[Ann] works for Acme . She likes [it] ."],  # from sentence to sentence
    }
    assert [entity.name for entity in graph.others] == ["Bob"]


def test_views():
    doc = make(TWO)
    text, graph, both = (render(doc, view=view) for view in ("text", "graph", "all"))
    assert 'class="sentence' in text and 'class="graph"' not in text
    assert 'class="sentence' not in graph and graph.count("data-node=") == 2
    assert 'class="sentence' in both and both.count("data-from=") == 2
    assert "mentioned once and related to nothing: <bdi>Bob</bdi>." in graph
    assert render(doc, gold=make(TWO), view="graph").count("data-node=") == 4
    with pytest.raises(ValueError, match=r"Can't show the view 'grph': there are \['text', 'graph', 'all'\]"):
        render(doc, view="grph")


def test_relations_have_a_score_where_one_was_given():
    doc = make(TWO)
    assert "score" not in element(render(doc, view="graph"))
    set_relations(doc, [Relation(doc[0:1], doc[3:4], "WORK", 0.734)])
    assert "<small>score 0.73</small>" in element(render(doc, view="graph"))


def element(html):
    """The part without style and script."""
    return html.split("</style>")[1].split("<script>")[0]


def test_names_and_labels_are_text():
    evil = "<img/src=x>"
    doc = make(
        ([evil, "met", "'\"&"], {0}, [(0, 1, "<b>")], [(0, 1, "<b>"), (2, 3, "A")], [], [(0, 1, 2, 3, "<i>")])
    )
    html = render(doc, view="graph")
    assert not re.search(
        r"<(img|b>|i>)", html.replace("<b>", "", html.count("<b><bdi>") + html.count("<b>&lt;i&gt; →"))
    )
    assert "&lt;img/src=x&gt;" in html and "&lt;i&gt;" in html and 'data-name="&#39;&#34;&amp;"' in html


def test_documents_without_entities_say_so():
    html = render(make(ANNOTATED[3]), view="graph")
    assert "No entity is mentioned twice or related to another." in html and "data-node" not in html
