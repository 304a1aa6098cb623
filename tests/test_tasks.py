import pickle

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from tiny import ANNOTATED, annotate, example, layers

from hmtl_spacy.annotations import (
    Relation,
    get_clusters,
    get_mentions,
    get_relations,
    set_clusters,
    set_extensions,
    set_mentions,
    set_relations,
)
from hmtl_spacy.factories import make_coref, make_mentions, make_ner, make_relations, make_span_relations

VOCAB = spacy.blank("en").vocab
TASKS = {
    "ner": make_ner,
    "mentions": make_mentions,
    "coref": make_coref,
    "relations": make_relations,
    "span_relations": make_span_relations,
}
COLUMNS = {"ner": 3, "mentions": 3, "coref": 3, "relations": 5, "span_relations": 5}
every_task = pytest.mark.parametrize("name", TASKS)
N = 8


@pytest.fixture(autouse=True, scope="module")
def extensions():
    """The component sets them; a task doesn't."""
    set_extensions()


def blank(n=N, starts=(0,)):
    return Doc(VOCAB, words=["w"] * n, sent_starts=[i in starts for i in range(n)])


def make(name, labels=("A", "B"), **settings):
    task = TASKS[name](**settings)
    if name != "coref":
        task.labels = labels
    return task


def rows(*values, columns=3):
    return numpy.array(values, dtype=numpy.int64).reshape(-1, columns)


def ones(found):
    return numpy.ones(len(found), dtype=numpy.float32)


# All annotations of a small document. Spans, labels and clusters are drawn; every strategy gives a
# function that writes the annotation to a fresh document.

spans = st.integers(0, N - 1).flatmap(lambda start: st.tuples(st.just(start), st.integers(start + 1, N)))
typed = st.lists(st.tuples(spans, st.sampled_from(["A", "B"])), max_size=5)


def write_ner(doc, drawn):
    found, taken = [], set()
    for (start, end), label in drawn:
        if taken.isdisjoint(range(start, end)):
            taken |= set(range(start, end))
            found.append(Span(doc, start, end, label=label))
    doc.set_ents(found, default="outside")


def write_mentions(doc, drawn):
    set_mentions(doc, [Span(doc, s, e, label=label) for (s, e), label in drawn])


def write_coref(doc, drawn):
    clusters = {}
    for span, label in drawn:
        clusters.setdefault(label, set()).add(span)
    clusters = list(clusters.values())
    if len(clusters) == 2:
        clusters[1] -= clusters[0]  # a span is in one cluster
    set_clusters(doc, clusters)


def write_relations(doc, drawn):
    """Arguments are mentions, no two of which end on one token."""
    ending = {e: (s, e) for (s, e), _ in drawn}
    write_mentions(doc, [(span, "A") for span in ending.values()])
    labels = [label for _, label in drawn]
    pairs = zip(ending.values(), list(ending.values())[1:], labels)
    set_relations(doc, [Relation(doc[slice(*a)], doc[slice(*b)], label) for a, b, label in pairs])


WRITE = {
    "ner": write_ner,
    "mentions": write_mentions,
    "coref": write_coref,
    "relations": write_relations,
    "span_relations": write_relations,
}


def read(name, doc):
    offsets = {
        "ner": lambda: [(e.start, e.end, e.label_) for e in doc.ents],
        "mentions": lambda: [(m.start, m.end, m.label_) for m in get_mentions(doc)],
        "coref": lambda: [[(m.start, m.end) for m in cluster] for cluster in get_clusters(doc)],
        "relations": lambda: [
            (r.head.start, r.head.end, r.tail.start, r.tail.end, r.label) for r in get_relations(doc)
        ],
    }
    return offsets[name.removeprefix("span_")]()


@every_task
@given(drawn=typed)
def test_annotating_what_was_encoded_reproduces_the_annotation(name, drawn):
    gold, task = blank(), make(name)
    WRITE[name](gold, drawn)
    found = task.encode(gold)
    assert found.dtype == numpy.int64 and found.shape == (len(found), COLUMNS[name])
    doc = blank()
    if name == "relations":
        write_mentions(doc, [((m.start, m.end), m.label_) for m in get_mentions(gold)])
    task.annotate(doc, found, ones(found))
    assert read(name, doc) == read(name, gold)
    assert task.has_gold(doc)
    assert numpy.array_equal(task.encode(doc), found)


@every_task
@given(drawn=typed)
def test_annotating_twice_is_annotating_once(name, drawn):
    gold, task = blank(), make(name)
    WRITE[name](gold, drawn)
    found = task.encode(gold)
    doc = gold.copy()
    task.annotate(doc, found, ones(found))
    once, keys = read(name, doc), sorted(doc.spans)
    task.annotate(doc, found, ones(found))
    assert (read(name, doc), sorted(doc.spans)) == (once, keys)


@every_task
def test_a_second_annotation_replaces_the_first(name):
    doc, task = blank(), make(name)
    gold = blank()
    WRITE[name](gold, [((0, 2), "A"), ((3, 4), "A"), ((5, 6), "B"), ((6, 8), "B")])
    if name == "relations":
        WRITE["mentions"](doc, [((0, 2), "A"), ((3, 4), "A"), ((5, 6), "B"), ((6, 8), "B")])
    found = task.encode(gold)
    task.annotate(doc, found, ones(found))
    assert read(name, doc)
    task.annotate(doc, found[:0], ones(found[:0]))
    assert read(name, doc) == []
    assert [key for key in doc.spans if key.startswith("coref_clusters_")] == []
    assert task.has_gold(doc)


@every_task
def test_missing_and_empty_are_different(name):
    task = make(name)
    missing, empty = blank(), blank()
    WRITE[name](empty, [])
    assert not task.has_gold(missing)
    assert task.has_gold(empty)
    assert task.encode(empty).shape == (0, COLUMNS[name])


@every_task
def test_missing_gold_is_not_scored_and_empty_gold_is(name):
    task = make(name)
    predicted, gold = blank(), blank()
    drawn = [((0, 2), "A"), ((3, 5), "A"), ((6, 7), "A")]
    WRITE[name](predicted, drawn)
    WRITE[name](gold, drawn)
    main = next(iter(task.score_weights()))
    right = Example(predicted, gold)
    assert task.score([right])[main] == 1.0
    assert task.score([right, Example(predicted.copy(), blank())])[main] == 1.0
    nothing = blank()
    WRITE[name](nothing, [])
    assert task.score([right, Example(predicted.copy(), nothing)])[main] < 1.0


@every_task
def test_scores_are_floats_even_without_documents(name):
    scores = make(name).score([])
    assert set(make(name).score_weights()) <= set(scores)
    for key, weight in make(name).score_weights().items():
        assert isinstance(scores[key], dict if weight is None else float), key


@pytest.mark.parametrize("name", ["ner", "mentions", "relations"])
def test_labels_are_found_sorted_and_an_unknown_one_is_an_error(name):
    doc = blank()
    WRITE[name](doc, [((0, 2), "B"), ((3, 4), "A"), ((5, 6), "B")])
    task = make(name, labels=())
    assert task.find_labels([doc, blank()]) == ["A", "B"]
    task.labels = ["A"]
    with pytest.raises(ValueError, match=r"the label 'B', which isn't among the task's labels: \['A'\]"):
        task.encode(doc)


def test_coreference_has_no_labels():
    assert make_coref().find_labels([annotate(VOCAB, *ANNOTATED[0])]) == []


# Gold that can't be learned from

SENTENCES = numpy.array([0, 0, 0, 0, 1, 1, 1, 1])


def unusable(task, *values):
    found = task.unusable(rows(*values, columns=len(values[0])), SENTENCES)
    assert list(found) == list(task.reasons)
    return {reason: lost.tolist() for reason, lost in found.items()}


@pytest.mark.parametrize("name", ["ner", "mentions"])
def test_unusable_spans(name):
    found = unusable(make(name), [0, 1, 0], [3, 5, 0], [4, 6, 0], [5, 8, 1], [7, 8, 0])
    assert found["crosses a sentence"] == [False, True, False, False, False]
    # the one that overlaps two others goes; what crosses a sentence takes nobody's place
    assert found["overlaps another"] == [False, False, False, True, False]


def test_of_nested_spans_the_longer_stays():
    found = unusable(make("mentions"), [1, 2, 0], [0, 3, 0], [4, 7, 0], [6, 7, 0])
    assert found["overlaps another"] == [True, False, False, True]


def test_of_equally_long_spans_the_first_stays():
    found = unusable(make("mentions"), [1, 3, 0], [0, 2, 0], [0, 2, 1])
    assert found["overlaps another"] == [True, False, True]


def test_unusable_coreference():
    found = unusable(make("coref", max_width=2), [0, 2, 0], [0, 3, 0], [2, 6, 1])
    assert found == {"crosses a sentence": [False, False, True], "too wide": [False, True, False]}


def test_unusable_relations():
    task = make("relations")
    found = unusable(task, [0, 1, 2, 3, 0], [0, 1, 5, 6, 0], [0, 2, 1, 2, 0], [2, 5, 5, 6, 1])
    assert found["crosses a sentence"] == [False, True, False, False]
    assert found["arguments end on one token"] == [False, False, True, False]


@every_task
def test_nothing_is_unusable_where_there_is_nothing(name):
    task = make(name)
    for sentences in (SENTENCES, SENTENCES[:0]):
        found = task.unusable(numpy.zeros((0, COLUMNS[name]), dtype=numpy.int64), sentences)
        assert [lost.tolist() for lost in found.values()] == [[], []]


# NER


def test_scores_lie_beside_the_entities():
    doc, task = blank(), make("ner")
    task.annotate(doc, rows([0, 2, 0], [4, 5, 1]), numpy.array([0.25, 0.75]))
    assert [(e.start, e.end, e.label_) for e in doc.spans["ents"]] == [(0, 2, "A"), (4, 5, "B")]
    assert doc.spans["ents"].attrs["scores"] == [0.25, 0.75]
    silent = blank()
    make("ner", scores_key=None).annotate(silent, rows([0, 2, 0]), numpy.array([0.5]))
    assert len(silent.ents) == 1 and "ents" not in silent.spans


def test_entities_that_are_there_stay_if_overwrite_is_off():
    found = rows([0, 2, 0], [3, 6, 1])
    for overwrite, expected in ((True, [(0, 2, "A"), (3, 6, "B")]), (False, [(0, 2, "A"), (5, 8, "OLD")])):
        doc = blank()
        doc.set_ents([Span(doc, 5, 8, label="OLD")])
        task = make("ner", overwrite=overwrite)
        for _ in range(2):
            task.annotate(doc, found, ones(found))
            assert read("ner", doc) == expected


def test_an_empty_document_counts_as_annotated_with_entities():
    assert make("ner").has_gold(Doc(VOCAB))


# Mentions


def test_mentions_may_nest_and_have_scores_under_their_own_key():
    doc, task = blank(), make("mentions", mentions_key="mine")
    task.annotate(doc, rows([0, 4, 0], [1, 2, 1]), numpy.array([0.5, 0.25]))
    assert [(m.start, m.end, m.label_) for m in doc.spans["mine"]] == [(0, 4, "A"), (1, 2, "B")]
    assert doc.spans["mine"].attrs["scores"] == [0.5, 0.25]
    assert "mentions" not in doc.spans
    assert set(task.score([])) == {f"spans_mine_{x}" for x in ("p", "r", "f", "per_type")}


# Coreference


def test_clusters_are_numbered_by_first_mention():
    doc = blank()
    make("coref").annotate(
        doc, rows([1, 2, 7], [2, 3, 4], [5, 6, 4], [7, 8, 7]), numpy.array([0.1, 0.2, 0.3, 0.4])
    )
    assert [(m.start, m.id_) for m in doc.spans["coref_clusters"]] == [(1, "1"), (7, "1"), (2, "2"), (5, "2")]
    assert doc.spans["coref_clusters"].attrs["scores"] == pytest.approx([0.1, 0.4, 0.2, 0.3])
    assert [m.start for m in doc.spans["coref_clusters_1"]] == [1, 7]
    assert [m.start for m in doc.spans["coref_clusters_2"]] == [2, 5]


def test_numbered_groups_are_read_where_there_is_nothing_else():
    doc, task = blank(), make("coref")
    doc.spans["coref_clusters_10"] = [doc[6:7], doc[7:8]]
    doc.spans["coref_clusters_2"] = [doc[0:1], doc[3:5]]
    doc.spans["coref_clusters_x"] = [doc[1:2]]
    assert task.has_gold(doc)
    assert task.encode(doc).tolist() == [[0, 1, 0], [3, 5, 0], [6, 7, 1], [7, 8, 1]]
    assert len(doc._.coref_clusters) == 2


def test_numbered_groups_can_be_left_out():
    doc = blank()
    make("coref", numbered_groups=False).annotate(doc, rows([0, 1, 0], [1, 2, 0]), numpy.ones(2))
    assert list(doc.spans) == ["coref_clusters"]
    assert len(doc._.coref_clusters) == 1


def test_singletons_are_scored_only_if_asked_for():
    gold, predicted = blank(), blank()
    set_clusters(gold, [[(0, 1), (2, 3)], [(4, 5)]])
    set_clusters(predicted, [[(0, 1), (2, 3)], [(6, 7)]])
    examples = [Example(predicted, gold)]
    assert make("coref").score(examples)["coref_f"] == 1.0
    assert make("coref", singletons=True).score(examples)["coref_f"] < 1.0


# Relations


def related(mentions=(), ents=(), found=((1, 2, 6, 7, 0),), **settings):
    """A document annotated with relations between last tokens."""
    doc = blank()
    doc.set_ents([Span(doc, *span, label="E") for span in ents])
    if mentions is not None:
        set_mentions(doc, [Span(doc, *span, label="M") for span in mentions])
    task = make("relations", **settings)
    found = rows(*found, columns=5)
    task.annotate(doc, found, numpy.linspace(0.5, 0.9, len(found)))
    return doc, [row[:4] for row in read("relations", doc)], doc.spans["relations"].attrs["unmatched"]


def test_arguments_are_widened_to_the_mention_that_ends_there():
    doc, found, unmatched = related(mentions=[(0, 2), (4, 7), (2, 3)])
    assert (found, unmatched) == ([(0, 2, 4, 7)], 0)
    assert doc._.relations[0].score == pytest.approx(0.5)


def test_arguments_are_widened_to_the_longest_mention_else_to_the_entity():
    assert related(mentions=[(0, 2), (5, 7), (4, 7), (6, 7)])[1] == [(0, 2, 4, 7)]
    assert related(mentions=[(5, 7)], ents=[(0, 2), (4, 7)])[1:] == ([(0, 2, 5, 7)], 0)
    assert related(mentions=None, ents=[(0, 2), (4, 7)])[1:] == ([(0, 2, 4, 7)], 0)


def test_what_cannot_be_widened_is_counted_and_kept_or_dropped():
    two = ((1, 2, 6, 7, 0), (6, 7, 1, 2, 1))
    assert related(mentions=[(0, 2)])[1:] == ([(0, 2, 6, 7)], 1)
    assert related(mentions=[(0, 2)], found=two)[1:] == ([(0, 2, 6, 7), (6, 7, 0, 2)], 2)
    assert related(mentions=[(0, 2)], unmatched="drop")[1:] == ([], 1)
    assert related(mentions=[(0, 2), (6, 7)], unmatched="drop")[1:] == ([(0, 2, 6, 7)], 0)


def test_unmatched_must_be_token_or_drop():
    with pytest.raises(ValueError, match="unmatched is 'keep'. Set it to 'token' or 'drop'"):
        make("relations", unmatched="keep")


def test_unmatched_relations_are_in_the_scores():
    doc, _, _ = related(mentions=[(0, 2)])
    gold = blank()
    set_relations(gold, [])
    assert make("relations").score([Example(doc, gold)])["rel_unmatched"] == 1.0


def test_several_types_of_one_pair_are_kept():
    doc, found, _ = related(mentions=[(0, 2), (4, 7)], found=((1, 2, 6, 7, 0), (1, 2, 6, 7, 1)))
    assert [r.label for r in doc._.relations] == ["A", "B"] and found == [(0, 2, 4, 7)] * 2


def test_relation_scores_three_ways():
    gold, predicted = blank(), blank()
    set_mentions(gold, [Span(gold, 0, 2, label="P"), Span(gold, 4, 6, label="L")])
    set_relations(gold, [Relation(gold[0:2], gold[4:6], "A")])
    set_mentions(predicted, [Span(predicted, 0, 2, label="P"), Span(predicted, 4, 6, label="X")])
    set_relations(predicted, [Relation(predicted[0:2], predicted[4:6], "A")])
    scores = make("relations").score([Example(predicted, gold)])
    found = [scores[f"rel_{mode}_f"] for mode in ("last_token", "boundaries", "strict")]
    assert found == [1.0, 1.0, 0.0]
    set_relations(predicted, [Relation(predicted[1:2], predicted[4:6], "A")])
    scores = make("relations").score([Example(predicted, gold)])
    found = [scores[f"rel_{mode}_f"] for mode in ("last_token", "boundaries", "strict")]
    assert found == [1.0, 0.0, 0.0]


def test_half_a_relation_is_an_error():
    doc = blank()
    doc.spans["relations"] = [doc[0:1], doc[1:2], doc[2:3]]
    with pytest.raises(ValueError, match=r"holds 3 spans that aren't relations"):
        get_relations(doc)


# The whole document


def test_annotation_survives_bytes_docbin_and_pickle():
    set_extensions()
    for values in ANNOTATED:
        doc = annotate(VOCAB, *values)
        expected = layers(doc)
        assert layers(Doc(VOCAB).from_bytes(doc.to_bytes())) == expected
        assert layers(pickle.loads(pickle.dumps(doc))) == expected
        binned = DocBin(docs=[doc]).to_bytes()
        assert layers(next(DocBin().from_bytes(binned).get_docs(spacy.blank("en").vocab))) == expected


def test_attributes_that_somebody_set_are_left_alone():
    set_extensions()
    try:
        Doc.set_extension("relations", default="mine", force=True)
        with pytest.warns(UserWarning, match="doc._.relations was set by something else"):
            set_extensions()
        assert blank()._.relations == "mine"
    finally:
        Doc.remove_extension("relations")
        set_extensions()


def test_perfect_prediction_scores_one_in_every_task():
    gold = [annotate(VOCAB, *values) for values in ANNOTATED]
    examples = [Example(doc.copy(), doc) for doc in gold]
    for name in TASKS:
        task = make(name)
        assert next(iter(task.score(examples).values())) == 1.0
        main = [key for key, weight in task.score_weights().items() if weight]
        assert [task.score(examples)[key] for key in main] == [1.0]
        assert task.score([example(doc) for doc in gold])[main[0]] == 0.0


def test_replaced_entities_of_another_component_are_reported_once(trained):
    words = "Ann Lee works for Acme Corp ."
    docs = [trained.make_doc(words) for _ in range(2)]
    for doc in docs:
        doc.ents = [Span(doc, 2, 3, label="VERB")]
    with pytest.warns(
        UserWarning, match=r"such as 'works' \(VERB\), are replaced.*`overwrite = false`"
    ) as caught:
        for doc in docs:
            trained(doc)
            trained(doc)  # its own entities aren't another's
    assert len([w for w in caught if "overwrite" in str(w.message)]) == 1
