"""Mentions within mentions: a level that scores spans, in a pipeline."""

import numpy
import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import DocBin, Span
from spacy.util import fix_random_seed, registry
from tiny import TINY_TASKS, annotate, confidences, example, layers, make_pipeline, train
from typer.testing import CliRunner

from hmtl_spacy.annotations import get_relations
from hmtl_spacy.data.batch_gold import gold_of_batch
from hmtl_spacy.data.coverage import coverage_table, measure
from hmtl_spacy.evaluation import calibrating
from hmtl_spacy.evaluation.calibrating import calibrate
from hmtl_spacy.evaluation.error_analysis import find_errors, to_json
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.tuning import tune_threshold
from hmtl_spacy.factories import make_mentions, make_task_corpus
from hmtl_spacy.overlay import merge_configs
from hmtl_spacy.tasks.mentions import Mentions

# words; first tokens of sentences; entities; mentions; clusters; relations
NESTED = [
    (
        "The head of the bank of Lyon met her mother . She left Lyon .",
        {0, 11},
        [(6, 7, "LOC")],
        [
            *((0, 7, "PER"), (3, 7, "ORG"), (6, 7, "LOC"), (8, 10, "PER"), (8, 9, "PER")),
            *((11, 12, "PER"), (13, 14, "LOC")),
        ],
        [[(0, 7), (8, 9)], [(6, 7), (13, 14)], [(8, 10), (11, 12)]],
        [(8, 9, 8, 10, "KIN"), (11, 12, 13, 14, "LEAVE")],
    ),
    (
        "The bank of Rome closed . Bob saw it .",
        {0, 6},
        [(3, 4, "LOC"), (6, 7, "PER")],
        [(0, 4, "ORG"), (3, 4, "LOC"), (6, 7, "PER"), (8, 9, "ORG")],
        [[(0, 4), (8, 9)]],
        [],
    ),
    ("Nothing happens today .", {0}, [], [], [], []),
]
MENTIONS = {**TINY_TASKS["mentions"], "nested": True, "max_width": 8, "scorer_hidden": 24}
RELATED = {
    "@hmtl_tasks": "hmtl_spacy.SpanRelations.v1",
    **{key: TINY_TASKS["relations"][key] for key in ("hidden", "depth", "dropout", "scorer_hidden")},
    "inputs": ["mentions"],
    "label_embedding_width": 4,
}
COREF = {**TINY_TASKS["coref"], "label_embedding_width": 4, "max_width": 8}
TASKS = {**TINY_TASKS, "mentions": MENTIONS, "coref": COREF, "relations": RELATED}


def nested_examples(vocab):
    return [example(annotate(vocab, *of_doc)) for of_doc in NESTED]


def mentions_alone(**settings):
    return make_pipeline(hierarchy=["mentions"], tasks={"mentions": {**MENTIONS, "inputs": [], **settings}})


@pytest.fixture(scope="module")
def stored():
    fix_random_seed(0)
    nlp = make_pipeline(tasks=TASKS)
    train(nlp, nested_examples(nlp.vocab), steps=100)
    return nlp.config, nlp.to_bytes()


@pytest.fixture
def nlp(stored):
    return spacy.util.load_model_from_config(stored[0], auto_fill=False).from_bytes(stored[1])


@pytest.fixture
def data(nlp, tmp_path):
    docs = [eg.reference for eg in nested_examples(nlp.vocab)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    return tmp_path / "data.spacy"


def offsets(doc):
    return [(span.start, span.end, span.label_) for span in doc.spans["mentions"]]


# Learning and predicting


def test_all_four_levels_are_learned_over_nested_mentions(nlp):
    for eg in nested_examples(nlp.vocab):
        doc = nlp(eg.predicted)
        assert layers(doc) == layers(eg.reference)  # the mentions in this order: outer ones first
        assert len(doc.spans["mentions"].attrs["scores"]) == len(doc.spans["mentions"])
        assert all(0.5 < score <= 1.0 for score in doc.spans["mentions"].attrs["scores"])


def test_a_flat_level_cant_learn_them():
    scores = {}
    for nested in (False, True):
        nlp = mentions_alone(nested=nested)
        train(nlp, nested_examples(nlp.vocab), steps=60)
        examples = nested_examples(nlp.vocab)
        for eg in examples:
            nlp(eg.predicted)
        scores[nested] = nlp.get_pipe("hmtl").score(examples)
    assert scores[True]["spans_mentions_f"] == 1.0
    assert scores[False]["spans_mentions_p"] == 1.0 and scores[False]["spans_mentions_r"] < 0.75


def test_it_is_stored_with_its_weights(nlp, tmp_path):
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    texts = [text for text, *_ in NESTED]
    for one, two in zip(nlp.pipe(texts), loaded.pipe(texts)):
        assert layers(one) == layers(two) and confidences(one) == confidences(two)
    assert loaded.config["components"]["hmtl"]["tasks"]["mentions"]["nested"] is True


def test_what_was_stored_flat_doesnt_load_as_nested(tmp_path):
    nlp = mentions_alone(nested=False)
    nlp.initialize(lambda: nested_examples(nlp.vocab))
    nlp.to_disk(tmp_path / "model")
    override = {"components": {"hmtl": {"tasks": {"mentions": {"nested": True}}}}}
    with pytest.raises(ValueError, match="emit"):
        spacy.load(tmp_path / "model", config=override)


def test_documents_in_a_batch_get_what_they_get_alone(nlp):
    texts = [text for text, *_ in NESTED] * 3
    for doc, text in zip(nlp.pipe(texts, batch_size=9), texts):
        alone = nlp(text)
        assert layers(doc) == layers(alone)
        assert confidences(doc) == pytest.approx(confidences(alone), abs=1e-5)


# What can be learned


def test_what_is_lost_is_counted():
    nlp = mentions_alone(max_width=3)
    hmtl = nlp.get_pipe("hmtl")
    doc = annotate(
        nlp.vocab,
        "a b c d e f g h",
        {0, 6},
        # nested; crosses the first; too wide; over two sentences; the first again, as another
        mentions=[(0, 3, "X"), (1, 2, "Y"), (2, 4, "X"), (0, 4, "X"), (5, 7, "X"), (0, 3, "Y")],
    )
    hmtl.tasks["mentions"].labels = ["X", "Y"]
    coverages = measure([example(doc)], hmtl.tasks, hmtl.sentence_of)
    coverage = coverages["", "mentions"]
    assert (coverage.annotations, coverage.usable) == (6, 3)
    assert coverage.lost == {"crosses a sentence": 1, "too wide": 1, "same span as another": 1}
    assert coverage.out_of_reach == {"crosses another": 1}
    assert "1 too wide" in coverage_table(coverages) and "1 crosses another" in coverage_table(coverages)
    batch = gold_of_batch([example(doc)], hmtl.tasks, hmtl.sentence_of)
    assert batch.rows["mentions"][0].tolist() == [[0, 3, 0], [1, 2, 1], [2, 4, 0]]


def test_a_flat_level_loses_what_it_always_lost():
    nlp = mentions_alone(nested=False)
    hmtl = nlp.get_pipe("hmtl")
    hmtl.tasks["mentions"].labels = ["LOC", "ORG", "PER"]
    coverage = measure(nested_examples(nlp.vocab), hmtl.tasks, hmtl.sentence_of)["", "mentions"]
    assert coverage.lost == {"overlaps another": 4} and not coverage.out_of_reach


def test_a_corpus_with_other_labels_teaches_without_forgetting(tmp_path):
    """One corpus has it all; the other calls places Place, and doesn't annotate organizations."""
    nlp = mentions_alone()
    vocab = nlp.vocab
    fine = [
        ("The bank of Rome", [(0, 4, "ORG"), (3, 4, "GPE")]),
        ("The foot of Etna", [(0, 4, "PART"), (3, 4, "LOC")]),
        ("The bank of Lyon", [(0, 4, "ORG"), (3, 4, "GPE")]),
    ]
    coarse = [("The bank of Rome", [(3, 4, "Place")]), ("The foot of Etna", [(0, 4, "P"), (3, 4, "Place")])]
    paths = []
    for name, texts in (("fine", fine), ("coarse", coarse)):
        docs = [annotate(vocab, words, {0}, mentions=mentions) for words, mentions in texts]
        paths.append(tmp_path / f"{name}.spacy")
        DocBin(docs=docs, store_user_data=True).to_disk(paths[-1])
    rules = {
        "labels": {"mentions": {"Place": ["GPE", "LOC"], "P": "PART"}},
        "unknown": {"mentions": ["ORG"]},
    }
    examples = [*make_task_corpus(paths[0])(nlp), *make_task_corpus(paths[1], **rules)(nlp)]
    train(nlp, examples, steps=80)
    found = {words: offsets(nlp(words)) for words, _ in fine}
    assert found == dict(fine)
    task = nlp.get_pipe("hmtl").tasks["mentions"]
    whole = annotate(vocab, fine[0][0], {0}, mentions=fine[0][1])
    task.annotate(examples[3].predicted, task.encode(whole), numpy.ones(2))
    assert task.score([examples[3]])["spans_mentions_f"] == 1.0  # GPE is one of Place, ORG isn't judged


# In use


@pytest.mark.parametrize("setting", ["given", "both"])
def test_given_mentions_stay_and_none_of_its_own_crosses_them(nlp, setting):
    nlp.get_pipe("hmtl").cfg["spans"]["mentions"] = setting
    doc = nlp.make_doc(NESTED[0][0])
    given = [(2, 5, "ORG"), (11, 12, "PER")]
    doc.spans["mentions"] = [Span(doc, start, end, label=label) for start, end, label in given]
    found = offsets(nlp(doc))
    assert found[:2] == given
    # (3, 7) crosses (2, 5) and (11, 12) is there: the others lie apart from them, or around them
    own = [(0, 7, "PER"), (6, 7, "LOC"), (8, 10, "PER"), (8, 9, "PER"), (13, 14, "LOC")]
    assert found[2:] == (own if setting == "both" else [])
    assert get_relations(doc) is not None


def test_tuning_calibration_and_errors_work_on_them(nlp, data, monkeypatch):
    monkeypatch.setattr(calibrating, "FEWEST", 1)
    monkeypatch.setattr(calibrating, "FOLDS", 2)
    assert evaluate(nlp, data).tasks["mentions"].scores["spans_mentions_f"] == 1.0
    nlp.get_pipe("hmtl").cfg["thresholds"]["mentions"] = 1.0
    assert evaluate(nlp, data).tasks["mentions"].scores["spans_mentions_f"] < 1.0
    best, tried = tune_threshold(nlp, data, "mentions", "spans_mentions_f")
    assert tried[best] == 1.0 and best < 1.0
    docs = [eg.reference for eg in nested_examples(nlp.vocab)]
    for doc in docs[:2]:  # of whose mentions a few are right
        doc.spans["mentions"] = [Span(doc, m.start, m.end, label="LOC") for m in doc.spans["mentions"]]
    DocBin(docs=docs, store_user_data=True).to_disk(data)
    calibrate(nlp, data)
    assert "mentions" in nlp.get_pipe("hmtl").cfg["calibration"]


def test_errors_have_what_lies_within_the_missed_mention(nlp, tmp_path):
    (eg, *_) = nested_examples(nlp.vocab)
    doc = eg.reference
    wrong = [Span(doc, 0, 7, label="ORG"), *list(doc.spans["mentions"])[1:]]
    doc.spans["mentions"] = [*wrong, Span(doc, 0, 2, label="PER")]
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "wrong.spacy")
    scores = evaluate(nlp, tmp_path / "wrong.spacy").tasks["mentions"].scores
    assert scores["spans_mentions_p"] == pytest.approx(6 / 7)
    assert scores["spans_mentions_r"] == pytest.approx(6 / 8)
    counts = to_json(find_errors(nlp, tmp_path / "wrong.spacy"))["spans_mentions"]
    assert (counts["correct"], counts["missed"], counts["spurious"]) == (6, 2, 1)


# Settings


def test_the_setting_is_an_overlay_over_any_config(tmp_path):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    path = tmp_path / "config.cfg"
    result = CliRunner().invoke(app, ["hmtl", "init-config", str(path)])
    assert result.exit_code == 0, result.output
    overlay = tmp_path / "nested.cfg"
    overlay.write_text("[components.hmtl.tasks.mentions]\nnested = true\nmax_width = 12\n")
    merged = merge_configs(path, [overlay])
    task = registry.resolve({"task": merged["components"]["hmtl"]["tasks"]["mentions"]})["task"]
    assert isinstance(task, Mentions) and (task.nested, task.max_width) == (True, 12)


@pytest.mark.parametrize("setting", [{"max_width": 0}, {"scorer_hidden": 0}, {"product_width": -1}])
def test_sizes_are_checked(setting):
    ((name, value),) = setting.items()
    with pytest.raises(ValueError, match=f"{name}.* {value}.*Give the first two 1 or more"):
        make_mentions(nested=True, **setting)
