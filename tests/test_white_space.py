"""No span begins or ends with white space, in training, in use and in scores."""

import numpy
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from tiny import make_examples, make_pipeline, train

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations
from hmtl_spacy.data.gold import trim_rows, usable_gold, visible_rows
from hmtl_spacy.factories import make_coref, make_mentions, make_ner, make_relations
from hmtl_spacy.model import sentence_of

WORDS = ["\n\n", "John", "Smith", "\n\n", " ", "London", "\n"]


def document():
    return Doc(
        spacy.blank("en").vocab, words=WORDS, spaces=[False] * len(WORDS), sent_starts=[True] + [False] * 6
    )


@pytest.mark.parametrize(
    "span, expected",
    [
        ((0, 4), (1, 3)),
        ((1, 3), (1, 3)),
        ((0, 7), (1, 6)),
        ((4, 6), (5, 6)),
        ((3, 5), None),
        ((6, 7), None),
        ((0, 1), None),
    ],
)
def test_rows_are_trimmed(span, expected):
    rows, kept = trim_rows(document(), numpy.array([[*span, 5]]), 2)
    assert rows.tolist() == ([[*expected, 5]] if expected else []) and kept.tolist() == [expected is not None]


def test_both_arguments_of_a_relation_are_trimmed():
    rows, kept = trim_rows(document(), numpy.array([[0, 3, 4, 7, 1], [1, 3, 3, 5, 0]]), 4)
    assert rows.tolist() == [[1, 3, 5, 6, 1]] and kept.tolist() == [True, False]
    plain = Doc(spacy.blank("en").vocab, words=["a", "b"])
    same = numpy.array([[0, 1, 0]])
    assert trim_rows(plain, same, 2)[0] is same


def test_labels_of_one_span_are_all_kept():
    """Of a task of somebody else's, say; only spans that become equal by trimming give way."""
    rows = numpy.array([[0, 3, 0], [0, 3, 1], [1, 3, 2], [5, 6, 0], [5, 6, 1]])
    visible, scores = visible_rows(document(), rows, numpy.linspace(0.1, 0.5, 5), 2)
    assert visible.tolist() == [[1, 3, 0], [1, 3, 1], [5, 6, 0], [5, 6, 1]]
    assert scores.round(1).tolist() == [0.1, 0.2, 0.4, 0.5]


def annotated(shift):
    """The same layers, with or without white space around their spans."""
    doc = document()
    spans = {"person": (1 - shift, 3 + shift), "place": (5 - shift, 6 + shift)}
    person, place = (Span(doc, *offsets, label) for offsets, label in zip(spans.values(), ("PER", "LOC")))
    doc.set_ents([person, Span(doc, 5, 6 + shift, "LOC")], default="outside")
    set_mentions(doc, [person, place])
    set_clusters(doc, [list(spans.values())])
    set_relations(doc, [Relation(person, place, "LIVES")])
    return doc


@pytest.mark.parametrize("make", [make_ner, make_mentions, make_coref, make_relations])
def test_gold_is_learned_and_scored_without_it(make):
    tidy, loose = annotated(0), annotated(1)
    task = make()
    task.labels = task.find_labels([tidy])
    sentences = sentence_of(tidy)
    rows, lost, _ = usable_gold("task", task, Example(document(), loose), sentences)
    assert rows.tolist() == task.encode(tidy).tolist() and not lost
    for predicted, gold in ((tidy, loose), (loose, tidy)):
        scores = task.score([Example(predicted, gold)])
        assert all(value == 1.0 for key, value in scores.items() if key.endswith("_f")), scores


def test_spans_of_white_space_alone_are_counted():
    doc = document()
    set_mentions(doc, [Span(doc, 3, 5, "PER"), Span(doc, 1, 3, "PER")])
    task = make_mentions()
    task.labels = ["PER"]
    rows, lost, _ = usable_gold("mentions", task, Example(document(), doc), sentence_of(doc))
    assert rows.tolist() == [[1, 3, 0]] and dict(lost) == {"white space alone": 1}


def test_predictions_are_trimmed():
    nlp = make_pipeline()
    train(nlp, make_examples(nlp.vocab), steps=1)
    hmtl = nlp.get_pipe("hmtl")
    doc = Doc(nlp.vocab, words=WORDS, spaces=[False] * len(WORDS))
    label = hmtl.tasks["ner"].labels.index("PER")
    spans = numpy.array([[0, 4, label], [5, 7, label]])
    rows = {
        "ner": spans,
        "mentions": spans,
        "coref": numpy.array([[0, 3, 0], [1, 3, 1], [1, 4, 0], [3, 5, 1], [5, 7, 0]]),
        "relations": numpy.array([[2, 3, 5, 6, 0], [3, 4, 5, 6, 0], [2, 3, 5, 6, 1]]),
    }
    scores = {name: numpy.linspace(0.1, 0.9, len(of_task)) for name, of_task in rows.items()}
    hmtl.set_annotations([doc], {name: ([rows[name]], [scores[name]]) for name in rows})
    assert [ent.text for ent in doc.ents] == ["JohnSmith", "London"]
    assert [(span.start, span.end) for span in doc.spans["mentions"]] == [(1, 3), (5, 6)]
    assert [[(span.start, span.end) for span in cluster] for cluster in doc._.coref_clusters] == [
        [(1, 3), (5, 6)]
    ]
    assert [relation.label for relation in doc._.relations] == hmtl.tasks["relations"].labels[:2]
    assert len(doc.spans["relations"].attrs["scores"]) == 2
