"""How long to train follows from the corpora: the config is made for them, and training says what is odd."""

import logging
from pathlib import Path

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin
from tiny import config_of
from typer.testing import CliRunner

from hmtl_spacy.data.batching import batch_by_task, count_batches
from hmtl_spacy.data.corpus import read_corpora, read_task_corpus
from hmtl_spacy.data.length import EPOCHS, FEWEST, check_length, fit_length, fitting_length
from hmtl_spacy.overlay import merge_configs

BASE = Path(__file__).parent.parent / "configs" / "hmtl.cfg"


def write(path, vocab, lengths):
    """A corpus of documents of so many words, annotated with entities."""
    docs = [Doc(vocab, words=["Ann"] * n) for n in lengths]
    for doc in docs:
        doc.set_ents([doc[:1]], default="outside")
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


@pytest.mark.parametrize(
    "batches, updates, epochs",
    [(3, 120, 40), (80, 1116, 14), (86, 1200, 14), (367, 5136, 14), (1000, 13992, 14)],
)
def test_length_by_size(batches, updates, epochs):
    """The examples have the batches of a small corpus, of books, and of the shipped workflows."""
    length = fitting_length(batches)
    assert length.total_steps == updates and abs(updates / batches - epochs) < 0.3
    assert length.total_steps == 12 * length.eval_frequency
    assert 0 < length.warmup_steps <= min(200, updates // 5)
    assert min(FEWEST, 40 * batches) - 12 < updates <= max(FEWEST, EPOCHS * batches)


def test_batches_are_those_of_training(nlp, tmp_path):
    paths = [write(tmp_path / f"{n}.spacy", nlp.vocab, [n] * 10) for n in (30, 200)]
    readers = {path.stem: read_task_corpus(path, None, 0, True, 0) for path in paths}
    examples = list(read_corpora(readers)(nlp))
    assert count_batches(examples, 100) == {"30": 4, "200": 10}  # long documents are batches of their own
    assert len(list(batch_by_task("proportional", 100, 0.0, False)(examples))) == 14


@pytest.mark.skipif(not BASE.exists(), reason="the tests run without the project's configs")
def test_config_fits_its_length_to_the_corpus(nlp, tmp_path):
    spacy.registry.cli.get_all()
    train = write(tmp_path / "train.spacy", nlp.vocab, [600] * 100)
    dev = write(tmp_path / "dev.spacy", nlp.vocab, [10])
    out = tmp_path / "config.cfg"
    options = ["--train", str(train), "--dev", str(dev), "--fit", "--output", str(out)]
    result = CliRunner().invoke(app, ["hmtl", "config", str(BASE), *options])
    assert result.exit_code == 0, result.output
    assert "100 batches: 1392 updates, 13.9 epochs, with 200 of warm-up and an evaluation every 116" in (
        " ".join(result.output.split())
    )
    config = merge_configs(out, []).interpolate()
    assert config["paths"]["train"] == str(train) and config["paths"]["dev"] == str(dev)
    training = config["training"]
    assert training["max_steps"] == training["optimizer"]["learn_rate"]["total_steps"] == 1392
    assert training["eval_frequency"] == 116


@pytest.mark.skipif(not BASE.exists(), reason="the tests run without the project's configs")
def test_what_cant_be_fitted(tmp_path, nlp):
    config = merge_configs(BASE, [])
    with pytest.raises(ValueError, match="has no documents. Name a file with --train"):
        fit_length(config)
    config["training"].update(max_steps=10)
    config["training"]["optimizer"]["learn_rate"] = 0.001
    with pytest.raises(ValueError, match=r"learn_rate is 0.001, which has no total_steps.*warmup_linear.v1"):
        fit_length(config)
    config["training"]["batcher"] = {"@batchers": "spacy.batch_by_words.v1", "size": 100, "tolerance": 0.2}
    with pytest.raises(ValueError, match=r"can't be counted. Use hmtl_spacy.batch_by_task.v1"):
        fit_length(config)


def test_documents_for_levels_outside_the_hierarchy_dont_count(tmp_path, nlp):
    path = write(tmp_path / "train.spacy", nlp.vocab, [600] * 100)
    config = config_of(path, path)
    schedule = {"@schedules": "warmup_linear.v1", "warmup_steps": 2, "total_steps": 40, "initial_rate": 0.01}
    config["training"]["optimizer"]["learn_rate"] = schedule
    assert fit_length(config)[0] == 100
    config["corpora"]["train"]["corpora"]["news"]["tasks"] = ["relations"]  # the hierarchy: ner, mentions
    with pytest.raises(ValueError, match="has no documents"):
        fit_length(config)


@pytest.mark.parametrize(
    "updates, said",
    [
        (6000, "6000 updates are 60.0 epochs of these corpora, whose epoch has 100 batches. 1392 are usual"),
        (150, "150 updates are 1.5 epochs"),
        (1392, ""),
        (4000, ""),
        (0, ""),  # as many as max_epochs says
    ],
)
def test_an_odd_length_is_told(nlp, tmp_path, caplog, updates, said):
    path = write(tmp_path / "train.spacy", nlp.vocab, [600] * 100)
    examples = list(read_task_corpus(path, None, 0, True, 0)(nlp))
    batcher = {"@batchers": "hmtl_spacy.batch_by_task.v1", "words": 500}
    with caplog.at_level(logging.WARNING):
        check_length({"max_steps": updates, "batcher": batcher}, examples)
        check_length({"max_steps": 6000, "batcher": {"@batchers": "other"}}, examples)
    assert said in caplog.text and bool(caplog.text) == bool(said)
