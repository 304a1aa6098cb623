import io
import json
import re

import pytest
import spacy
from spacy.training.loop import train
from tiny import make_pipeline

from hmtl_spacy.logger import make_columns, short_heading
from hmtl_spacy.thresholds import choose_thresholds

WEIGHTS = {
    "sents_f": None,
    "ents_f": 0.5,
    "spans_mentions_f": 0.5,
    "rel_strict_f": 0.0,
    "rel_boundaries_f": None,
}


@pytest.fixture
def pipeline(examples):
    nlp = make_pipeline(hierarchy=["ner", "mentions"])
    nlp.initialize(lambda: examples)
    nlp.config["training"]["score_weights"] = WEIGHTS
    return nlp


def make_logger(**settings):
    factory = spacy.registry.loggers.get("hmtl_spacy.TaskLogger.v1")
    return factory(**settings)


INFO = {
    "epoch": 3,
    "step": 40,
    "seconds": 3725,
    "words": 1200,
    "score": 0.6543,
    "other_scores": {"ents_f": 0.5, "spans_mentions_f": None, "ents_per_type": {"PER": {"f": 0.5}}},
    "losses": {
        "hmtl": 7.5,
        "hmtl_ner": 5.25,
        "hmtl_ner_updates": 30,
        "hmtl_mentions": 2.25,
        "hmtl_mentions_updates": 10,
    },
}


def test_a_column_per_task_and_per_score_that_counts(pipeline):
    columns = make_columns(pipeline)
    headings = ["E", "#", "TIME", "LOSS NER", "LOSS MENTIONS", "UPDATES", "ENTS F", "MENTIONS F", "SCORE"]
    assert [column.heading for column in columns] == headings
    shown = [column.value(INFO) for column in columns]
    assert shown == ["3", "40", "1:02:05", "5.25", "2.25", "30/10", "50.00", "-", "0.818"]


def test_the_score_is_the_mean_of_what_the_hierarchy_has(pipeline):
    """All weights are those of four levels, but there are two: all right is 1."""
    weights = {**WEIGHTS, **dict.fromkeys(("ents_f", "spans_mentions_f", "coref_f", "rel_strict_f"), 0.25)}
    pipeline.config["training"]["score_weights"] = weights
    score = make_columns(pipeline)[-1].value
    info = {**INFO, "other_scores": {"ents_f": 0.8, "spans_mentions_f": 0.6}, "score": 0.35}
    assert score(info) == "0.700"


def test_progress_bars_are_on(pipeline):
    stderr = Terminal()
    log_step, finalize = make_logger()(pipeline, io.StringIO(), stderr)
    log_step(INFO)
    finalize()
    assert "Epoch 4" in stderr.getvalue()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_components_of_others_have_one_loss(pipeline):
    pipeline.add_pipe("tagger")
    pipeline.add_pipe("hmtl", name="second", config={"hierarchy": ["ner"]})
    headings = [column.heading for column in make_columns(pipeline) if "LOSS" in column.heading]
    assert headings == ["LOSS HMTL NER", "LOSS HMTL MENTIONS", "LOSS TAGGER", "LOSS SECOND NER"]


def test_short_headings():
    assert short_heading("spans_mentions_f") == "MENTIONS F"
    assert short_heading("rel_last_token_f") == "REL LAST TOKEN F"


def test_table_and_file(pipeline, tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    stdout = io.StringIO()
    log_step, finalize = make_logger(output_file=path)(pipeline, stdout, io.StringIO())
    log_step(None)
    log_step(INFO)
    finalize()
    *start, heading, rule, row = stdout.getvalue().splitlines()
    assert f"Saving all scores and losses to {path}" in " ".join(" ".join(start).split())
    assert len(heading) == len(rule) == len(row)
    assert row.split() == ["3", "40", "1:02:05", "5.25", "2.25", "30/10", "50.00", "-", "0.818"]
    (record,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert record["losses"] == INFO["losses"] and record["scores"] == INFO["other_scores"]
    assert (record["epoch"], record["step"], record["words"]) == (3, 40, 1200)


def test_an_older_file_is_replaced(pipeline, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("old\n")
    _, finalize = make_logger(output_file=path)(pipeline, io.StringIO(), io.StringIO())
    finalize()
    assert path.read_text() == ""


def test_no_progress_bar_without_a_terminal(pipeline):
    stderr = io.StringIO()
    log_step, finalize = make_logger(progress_bar=True)(pipeline, io.StringIO(), stderr)
    log_step(INFO)
    log_step(None)
    finalize()
    assert stderr.getvalue() == ""


def test_progress_bar_on_a_terminal(pipeline):
    stderr = Terminal()
    log_step, finalize = make_logger(progress_bar=True)(pipeline, io.StringIO(), stderr)
    log_step(INFO)
    log_step(None)
    log_step(INFO)
    finalize()
    assert "Epoch 4" in stderr.getvalue()


def prepare(pipeline, docs, tmp_path, **settings):
    """A pipeline ready for spaCy's own loop, which trains and evaluates on the same documents."""
    train_path = tmp_path / "train.spacy"
    spacy.tokens.DocBin(docs=docs, store_user_data=True).to_disk(train_path)
    corpus = {"@readers": "hmtl_spacy.TaskCorpus.v1", "path": str(train_path)}
    corpora = {"@readers": "hmtl_spacy.MultiCorpus.v1", "corpora": {"small": corpus}}
    log = {"@loggers": "hmtl_spacy.TaskLogger.v1", "output_file": str(tmp_path / "log.jsonl"), **settings}
    config = pipeline.config
    config["corpora"] = {"train": corpora, "dev": corpora}
    config["training"].update(max_steps=4, eval_frequency=2, max_epochs=0, logger=log)
    config["training"]["batcher"] = {"@batchers": "hmtl_spacy.batch_by_task.v1"}
    nlp = spacy.util.load_model_from_config(config)
    nlp.initialize(lambda: spacy.registry.resolve(config["corpora"])["train"](nlp))
    return nlp


def read_records(tmp_path):
    return [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]


def test_in_training(pipeline, docs, tmp_path):
    """spaCy's own loop: coverage first, then losses, updates and scores of every evaluation."""
    nlp = prepare(pipeline, docs, tmp_path)
    stdout = io.StringIO()
    train(nlp, stdout=stdout, stderr=io.StringIO())
    lines = stdout.getvalue().splitlines()
    assert "What 'hmtl' can learn from:" in lines
    assert any(line.split()[:5] == ["small", "mentions", "4", "7", "11"] for line in lines)
    records = read_records(tmp_path)
    assert [record["step"] for record in records] == [0, 2, 4]
    assert [record["losses"]["hmtl_ner_updates"] for record in records] == [1, 2, 2]
    assert all(record["losses"]["hmtl_mentions"] > 0.0 for record in records)
    assert "spans_mentions_per_type" in records[0]["scores"]


@pytest.mark.parametrize("tune", [True, False])
def test_relations_are_scored_at_the_threshold_that_is_best(trained, docs, tmp_path, tune):
    trained.get_pipe("hmtl").cfg["thresholds"]["relations"] = 1.0
    weights = trained.get_pipe("hmtl").to_bytes()
    trained.config["training"]["optimizer"]["learn_rate"] = 1e-9
    trained.config["training"]["score_weights"] = {"ents_f": 0.5, "rel_strict_f": 0.5}
    nlp = prepare(trained, docs, tmp_path, tune_thresholds=tune)
    nlp.get_pipe("hmtl").from_bytes(weights)
    stdout = io.StringIO()
    (tmp_path / "out").mkdir()
    train(nlp, tmp_path / "out", stdout=stdout, stderr=io.StringIO())
    record = read_records(tmp_path)[-1]
    assert ("THRESHOLD" in stdout.getvalue()) == tune
    assert record["scores"]["rel_strict_f"] == float(tune)
    assert (record["score"] == 1.0) == tune  # by which models are compared
    stored = spacy.load(tmp_path / "out" / "model-best")
    threshold = stored.get_pipe("hmtl").cfg["thresholds"]["relations"]
    assert stored.meta["performance"]["rel_strict_f"] == float(tune)
    assert nlp.get_pipe("hmtl").choice is None
    if tune:
        assert stored.config["components"]["hmtl"]["thresholds"]["relations"] == threshold
        assert record["scores"]["hmtl_relations_threshold"] == threshold <= 0.95
        assert re.search(rf" {threshold:g} +1.000$", stdout.getvalue(), re.MULTILINE)
        (found,) = stored(docs[0].text)._.relations
        assert found.score > threshold
    else:
        assert threshold == 1.0 and "hmtl_relations_threshold" not in record["scores"]


def test_a_level_that_others_read_keeps_its_threshold(trained, monkeypatch):
    hmtl = trained.get_pipe("hmtl")
    choose_thresholds(hmtl, {}, {})
    assert hmtl.choice.weights == {"relations": {"rel_strict_f": 1.0}}
    monkeypatch.setattr(type(hmtl.tasks["mentions"]), "threshold_filters", True)
    monkeypatch.setattr(hmtl.head("coref"), "candidates_from", "mentions", raising=False)
    choose_thresholds(hmtl, {"rel_boundaries_f": 0.25, "ents_f": 0.25}, {})
    assert hmtl.choice.weights == {"relations": {"rel_boundaries_f": 0.25}}


def test_documents_that_a_later_component_has_changed_are_scored_as_they_are(trained, examples):
    """A row's tokens are others then."""
    hmtl = trained.get_pipe("hmtl")
    choose_thresholds(hmtl, {}, {})
    for eg, doc in zip(examples, trained.pipe([eg.predicted for eg in examples]), strict=True):
        eg.predicted = doc
    with examples[0].predicted.retokenize() as retokenizer:
        retokenizer.merge(examples[0].predicted[0:2])
    scores = hmtl.score(examples)
    assert scores["hmtl_relations_threshold"] == 0.5 and "rel_strict_f" in scores
