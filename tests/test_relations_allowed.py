"""Relations only between types that training showed; symmetric and inverse ones are one relation."""

import copy

import numpy
import pytest
import spacy
from tiny import ANNOTATED, TINY_TASKS, annotate, example, layers, make_examples, make_pipeline, train

from hmtl_spacy.data.teaching import TEACHES
from hmtl_spacy.factories import make_mentions, make_ner, make_relations, make_span_relations
from hmtl_spacy.hierarchy import ordered_tasks
from hmtl_spacy.nn.pairs import from_both_sides

SPANS = {**TINY_TASKS["relations"], "@hmtl_tasks": "hmtl_spacy.SpanRelations.v1", "positive_rate": 0.2}
HEADS = {"tokens": TINY_TASKS["relations"], "spans": SPANS}
TEXT = "Ann Lee works for Acme Corp . She likes it ."
SEEN = [["PER", "LIVE", "LOC"], ["PER", "WORK", "ORG"]]


def pipeline(head, **settings):
    """A pipeline of mentions and relations that has learned the small documents by heart."""
    tasks = {
        "mentions": {**TINY_TASKS["mentions"], "inputs": []},
        "relations": {**HEADS[head], **settings},
    }
    nlp = make_pipeline(hierarchy=["mentions", "relations"], tasks=tasks)
    train(nlp, make_examples(nlp.vocab))
    return nlp


@pytest.fixture(scope="module", params=HEADS)
def stored(request):
    nlp = pipeline(request.param)
    assert layers_of(nlp)["relations"] == [(0, 2, 4, 6, "WORK")], "there is something to leave out"
    return nlp.config, nlp.to_bytes()


def layers_of(nlp):
    doc = nlp(TEXT)
    doc.spans.setdefault("coref_clusters", [])
    return layers(doc)


def loaded(stored, allowed):
    config, weights = copy.deepcopy(stored[0]), stored[1]
    config["components"]["hmtl"]["tasks"]["relations"]["allowed"] = allowed
    return spacy.util.load_model_from_config(config, auto_fill=False).from_bytes(weights)


def test_what_training_showed_is_stored(stored):
    nlp = loaded(stored, "seen")
    assert nlp.get_pipe("hmtl").cfg["observed"]["relations"] == SEEN
    assert layers_of(nlp)["relations"] == [(0, 2, 4, 6, "WORK")]


def test_what_it_did_not_show_is_left_out_and_counted(stored):
    nlp = loaded(stored, "seen")
    nlp.get_pipe("hmtl").cfg["observed"]["relations"] = [["PER", "WORK", "LOC"]]
    doc = nlp(TEXT)
    assert not doc._.relations and doc.spans["relations"].attrs["disallowed"] == 1


@pytest.mark.parametrize(
    "triple, n",
    [
        (["PER", "WORK", "ORG"], 1),
        (["*", "WORK", "ORG"], 1),
        (["*", "WORK", "*"], 1),
        (["ORG", "WORK", "PER"], 0),
        (["PER", "LIVE", "ORG"], 0),
        (["PER", "WORK", ""], 0),
    ],
)
def test_a_list_of_triples(stored, triple, n):
    assert len(layers_of(loaded(stored, [triple]))["relations"]) == n


@pytest.mark.parametrize(
    "triple, message",
    [
        (["PER", "OWNS", "ORG"], r"allowed names the labels \['OWNS'\], but there are \['LIVE', 'WORK'\]"),
        (
            ["HERO", "WORK", "ORG"],
            r"the types \['HERO'\], but there are \['LOC', 'ORG', 'PER'\]",
        ),
        (["PER", "WORK", "CITY"], r"allowed names the types \['CITY'\]"),
    ],
)
def test_unknown_labels(stored, triple, message):
    nlp = loaded(stored, [triple])
    with pytest.raises(ValueError, match=message):
        nlp(TEXT)


def test_unknown_labels_are_found_before_training():
    with pytest.raises(ValueError, match=r"allowed names the labels \['OWNS'\]"):
        pipeline("spans", allowed=[["PER", "OWNS", "ORG"]])
    with pytest.raises(ValueError, match=r"'relations' has \['KIN'\] among its symmetric or inverse labels"):
        pipeline("spans", symmetric=["KIN"])


def test_a_pipeline_that_was_trained_before(stored):
    nlp = loaded(stored, "seen")
    nlp.get_pipe("hmtl").cfg["observed"] = {}
    with pytest.raises(ValueError, match="trained before what was seen in training was stored with it"):
        nlp(TEXT)
    assert layers_of(loaded(stored, None))["relations"]


@pytest.mark.parametrize("allowed", ["all", [], [["PER", "WORK"]], [["PER", "WORK", 1]], 3])
def test_what_allowed_cant_be(allowed):
    with pytest.raises(ValueError, match='allowed is .*Set it to null, to "seen"'):
        make_span_relations(allowed=allowed)


def hierarchy(**settings):
    tasks = {"ner": make_ner(), "mentions": make_mentions(), "relations": make_relations(**settings)}
    levels = ordered_tasks("hmtl", list(tasks), tasks)
    levels["relations"].labels = ["LIVE", "KIN", "WORK", "EMPLOYS"]
    return levels["relations"]


@pytest.mark.parametrize(
    "teaching, triples",
    [
        ({}, ["-LIVE-PER", "PER-LIVE-LOC"]),
        ({"tasks": ["relations"]}, ["*-LIVE-*"]),
        ({"unknown": {"mentions": ["VEH"]}}, ["-LIVE-PER", "PER-LIVE-LOC", "VEH-LIVE-PER"]),
        (
            {"sets": {"mentions": {"LOC": ["FAC", "GPE", ""]}}},
            ["-LIVE-PER", "PER-LIVE-FAC", "PER-LIVE-GPE"],
        ),
        (
            {"sets": {"relations": {"LIVE": ["KIN", "WORK"]}}},
            ["-KIN-PER", "-WORK-PER", "PER-KIN-LOC", "PER-WORK-LOC"],
        ),
    ],
)
def test_what_a_corpus_leaves_open_is_open(nlp, teaching, triples):
    mentions = [(0, 1, "PER"), (3, 4, "LOC")]
    relations = [(0, 1, 3, 4, "LIVE"), (2, 3, 0, 1, "LIVE")]
    doc = annotate(nlp.vocab, "Ann in old Rome", {0}, [], mentions, [], relations)
    doc.user_data[TEACHES] = teaching
    assert hierarchy().observe([doc]) == [triple.split("-") for triple in triples]


def test_the_directions_of_symmetric_labels_are_one_relation(nlp):
    task = hierarchy(symmetric=["KIN"], inverse=[["WORK", "EMPLOYS"]])
    words = ("Ann Bob Acme", {0}, [], [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "ORG")], [])
    one = [(1, 2, 0, 1, "KIN"), (0, 1, 2, 3, "WORK"), (0, 1, 2, 3, "LIVE")]
    other = [(0, 1, 1, 2, "KIN"), (2, 3, 0, 1, "EMPLOYS"), (2, 3, 0, 1, "LIVE")]
    reference = annotate(nlp.vocab, *words, one)
    eg = example(reference)
    eg.predicted = annotate(nlp.vocab, *words, other)
    per_type = task.score([eg])["rel_strict_per_type"]
    assert {label: scores["f"] for label, scores in per_type.items()} == {
        "KIN": 1.0,
        "WORK": 1.0,
        "LIVE": 0.0,
    }
    differences = task.differences(eg.predicted, eg.reference)["rel_strict"]
    assert (len(differences.correct), len(differences.missed), len(differences.spurious)) == (2, 1, 1)


def test_they_are_written_one_way_with_the_higher_score(nlp):
    task = hierarchy(symmetric=["KIN"], inverse=[["WORK", "EMPLOYS"]])
    doc = annotate(nlp.vocab, "Ann Bob Acme", {0}, [], [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "ORG")])
    rows = [(1, 2, 0, 1, 1), (0, 1, 1, 2, 1), (2, 3, 0, 1, 3), (0, 1, 1, 2, 0), (1, 2, 0, 1, 0)]
    task.annotate(doc, numpy.array(rows), numpy.array([0.6, 0.9, 0.7, 0.8, 0.5]))
    found = [(r.head.text, r.label, r.tail.text, round(r.score, 1)) for r in doc._.relations]
    assert found == [
        ("Ann", "KIN", "Bob", 0.9),
        ("Ann", "WORK", "Acme", 0.7),
        ("Ann", "LIVE", "Bob", 0.8),
        ("Bob", "LIVE", "Ann", 0.5),
    ]


def test_both_sides_are_learned():
    """Labels 0 and 1 are inverse, 2 is symmetric, 3 neither; sets of 2 alone are symmetric."""
    related = numpy.array([[0, 1, 0], [2, 3, 1], [4, 5, 2], [6, 7, 3], [8, 9, 4], [10, 11, 5]])
    sets = numpy.array([[True, False, False, True, False], [False, True, False, True, False]])
    both = from_both_sides(related, [1, 0, 2, -1], sets).tolist()
    assert both[:6] == related.tolist()
    assert both[6:] == [[1, 0, 1], [3, 2, 0], [5, 4, 2], [9, 8, 4]]
    assert from_both_sides(related, [-1, -1, -1, -1], sets) is related


@pytest.mark.parametrize("head", HEADS)
def test_a_symmetric_label_is_learned_whichever_way_it_is_annotated(head):
    nlp = make_pipeline(
        hierarchy=["mentions", "relations"],
        tasks={
            "mentions": {**TINY_TASKS["mentions"], "inputs": []},
            "relations": {**HEADS[head], "symmetric": ["KIN"], "allowed": "seen"},
        },
    )
    mentions = [(0, 1, "PER"), (2, 3, "PER")]
    one_way, other_way = [(0, 1, 2, 3, "KIN")], [(2, 3, 0, 1, "KIN")]
    docs = [
        annotate(nlp.vocab, "Ann married Bob .", {0}, [], mentions, [], one_way),
        annotate(nlp.vocab, "Ann kissed Bob .", {0}, [], mentions, [], other_way),
    ]
    train(nlp, [example(doc) for doc in docs])
    for doc in docs:
        (relation,) = nlp(doc.text)._.relations
        assert (relation.head.text, relation.tail.text, relation.label) == ("Ann", "Bob", "KIN")
        assert relation.score > 0.5


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"symmetric": "KIN"}, "symmetric is 'KIN' and inverse .*Give a list of labels"),
        ({"inverse": [["WORK"]]}, r"inverse \[\['WORK'\]\]. Give a list"),
        ({"symmetric": ["KIN"], "inverse": [["KIN", "WORK"]]}, r"\['KIN'\] are named more than once"),
        ({"inverse": [["WORK", "WORK"]]}, r"\['WORK'\] are named more than once"),
    ],
)
def test_what_directions_cant_be(settings, message):
    with pytest.raises(ValueError, match=message):
        make_relations(**settings)


def test_the_small_documents_have_both_triples():
    assert {relation[4] for doc in ANNOTATED for relation in doc[5]} == {label for _, label, _ in SEEN}
