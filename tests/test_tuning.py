import io
import sys

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import DocBin
from tiny import annotate
from typer.testing import CliRunner

from hmtl_spacy.component import HMTL
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.tuning import tune_threshold
from hmtl_spacy.tasks.relations import Relations


@pytest.fixture
def data(tmp_path, docs):
    path = tmp_path / "dev.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def test_the_best_threshold_is_set(trained, data):
    hmtl = trained.get_pipe("hmtl")
    hmtl.cfg["thresholds"]["relations"] = 1.0
    assert evaluate(trained, data).tasks["relations"].scores["rel_strict_f"] < 1.0
    best, tried = tune_threshold(trained, data, "relations", "rel_strict_f")
    assert tried[best] == max(tried.values()) == 1.0
    assert hmtl.cfg["thresholds"]["relations"] == best
    assert evaluate(trained, data).tasks["relations"].scores["rel_strict_f"] == 1.0


def test_of_equally_good_thresholds_the_nearest_is_taken(trained, data):
    best, tried = tune_threshold(trained, data, "relations", "rel_strict_f", thresholds=[0.1, 0.45])
    assert list(tried) == [0.1, 0.45, 0.5]
    assert tried[0.45] == tried[0.5] and best == 0.5


def test_a_threshold_that_was_stored_is_tried_once(trained, data):
    trained.get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.30000000000000004
    best, tried = tune_threshold(trained, data, "relations", "rel_strict_f", thresholds=[0.3, 1.0])
    assert list(tried) == [0.3, 1.0] and best == 0.3


def test_unknown_scores_are_named(trained, data):
    with pytest.raises(ValueError, match="has no score 'rel_f'. It has .*'rel_strict_f'"):
        tune_threshold(trained, data, "relations", "rel_f")


def test_command_stores_the_threshold(trained, data, tmp_path):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    trained.get_pipe("hmtl").cfg["thresholds"]["relations"] = 1.0
    trained.to_disk(tmp_path / "model")
    result = CliRunner().invoke(app, ["hmtl", "tune", str(tmp_path / "model"), str(data)])
    assert result.exit_code == 0, result.output
    stored = spacy.load(tmp_path / "model")
    assert stored.get_pipe("hmtl").cfg["thresholds"]["relations"] < 0.95
    assert stored.config["components"]["hmtl"]["thresholds"]["relations"] < 0.95


def test_meta_has_the_new_scores(trained, data, tmp_path):
    spacy.registry.cli.get_all()
    trained.get_pipe("hmtl").cfg["thresholds"]["relations"] = 1.0
    trained.meta["performance"] = {"ents_f": 0.25, "rel_strict_f": 0.0, "rel_strict_r": 0.0}
    trained.to_disk(tmp_path / "model")
    result = CliRunner().invoke(app, ["hmtl", "tune", str(tmp_path / "model"), str(data)])
    assert result.exit_code == 0, result.output
    stored = spacy.load(tmp_path / "model").meta["performance"]
    assert stored == {"ents_f": 0.25, "rel_strict_f": 1.0, "rel_strict_r": 1.0}


def test_scores_of_the_levels_above_are_renewed(trained, data):
    trained.meta["performance"] = {"ents_f": 0.25, "spans_mentions_f": 0.5, "rel_strict_f": 0.5}
    tune_threshold(trained, data, "mentions", "spans_mentions_f", thresholds=[0.1])
    assert trained.meta["performance"] == {"ents_f": 0.25, "spans_mentions_f": 1.0, "rel_strict_f": 1.0}


def test_scores_that_are_all_zero_are_reported(trained, nlp, tmp_path):
    spacy.registry.cli.get_all()
    doc = annotate(nlp.vocab, "Rome rains .", {0}, relations=[(1, 2, 0, 1, "WORK")])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "dev.spacy")
    trained.to_disk(tmp_path / "model")
    before = (tmp_path / "model" / "meta.json").read_text("utf8")
    words = ["hmtl", "tune", str(tmp_path / "model"), str(tmp_path / "dev.spacy")]
    output = CliRunner().invoke(app, words).output
    assert "'rel_strict_f' is 0 at every threshold" in " ".join(output.split())
    assert (tmp_path / "model" / "meta.json").read_text("utf8") == before


def test_relations_are_decoded_once_with_the_scores_of_decoding_anew(trained, data, monkeypatch):
    assert trained.get_pipe("hmtl").tasks["relations"].threshold_filters
    thresholds = (0.01, 0.3, 0.9, 0.99, 0.999, 1.0)
    calls, begin = [], HMTL._begin
    monkeypatch.setattr(HMTL, "_begin", lambda *args, **kw: calls.append(1) or begin(*args, **kw))
    _, once = tune_threshold(trained, data, "relations", "rel_strict_r", thresholds=thresholds)
    assert len(calls) == 1
    trained.get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.5
    monkeypatch.setattr(Relations, "threshold_filters", False)
    _, anew = tune_threshold(trained, data, "relations", "rel_strict_r", thresholds=thresholds)
    assert len(calls) > len(thresholds) and once == anew and len(set(once.values())) > 1


class Screen(io.StringIO):
    """Somewhere to write; a terminal or not."""

    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


@pytest.mark.parametrize(
    "terminal, progress, shown", [(True, True, True), (False, True, False), (True, False, False)]
)
def test_progress_bars_are_for_terminals(trained, data, monkeypatch, terminal, progress, shown):
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    tune_threshold(trained, data, "relations", "rel_strict_f", thresholds=[0.5], progress=progress)
    assert ("thresholds" in screen.getvalue()) == shown
    screen.truncate(0)
    evaluate(trained, data, progress=progress)
    assert ("docs" in screen.getvalue()) == shown
