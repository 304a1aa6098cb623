import io
import sys

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.testing import CliRunner

from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.tuning import tune_threshold


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
