"""What is wrong with a training is reported before its first step."""

import io
import logging

import pytest
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from tiny import ANNOTATED, annotate, config_of, make_pipeline

from hmtl_spacy.data.corpus import read_corpora, read_task_corpus
from hmtl_spacy.defaults import HIERARCHY


@pytest.fixture
def path(tmp_path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "news.spacy")
    return tmp_path / "news.spacy"


@pytest.fixture
def steps(monkeypatch):
    """The updates that were made."""
    from hmtl_spacy.component import HMTL

    made, update = [], HMTL.update
    monkeypatch.setattr(HMTL, "update", lambda *args, **kwargs: made.append(1) or update(*args, **kwargs))
    return made


def run(config):
    train(init_nlp(config), stdout=io.StringIO(), stderr=io.StringIO())


def new_label(nlp, tmp_path):
    """A corpus with an entity label that no other corpus has."""
    words, starts, _, mentions, *_ = ANNOTATED[0]
    doc = annotate(nlp.vocab, words, starts, [(0, 2, "NEW")], mentions)
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "newlab.spacy")
    return tmp_path / "newlab.spacy"


def test_a_sound_training_runs(path, steps):
    run(config_of(path, path))
    assert steps


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_corpus_cut_short_is_named(path, steps, share):
    cut = path.parent / "cut.spacy"
    data = path.read_bytes()
    cut.write_bytes(data[: int(share * len(data))])
    for config in (config_of(cut, path), config_of(path, cut)):
        with pytest.raises(ValueError, match=r"cut\.spacy: it is cut short, damaged, or not a"):
            run(config)
    assert not steps


@pytest.mark.parametrize("content", [b"", b"plain text", b"\x78\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_file_that_isnt_a_corpus_is_named(tmp_path, nlp, content):
    (tmp_path / "odd.spacy").write_bytes(content)
    with pytest.raises(ValueError, match=r"odd\.spacy: it is cut short, .* \.spacy file .* Make it again"):
        list(read_task_corpus(tmp_path / "odd.spacy", None, 0, True, 0)(nlp))


@pytest.mark.parametrize("empty", ["null", "file"])
def test_an_empty_development_set_is_an_error(path, steps, empty):
    DocBin().to_disk(path.parent / "empty.spacy")
    config = config_of(path, None if empty == "null" else path.parent / "empty.spacy")
    with pytest.raises(ValueError, match=r"development corpus \[corpora.dev\] has no documents.*--paths.dev"):
        run(config)
    assert not steps


def test_an_empty_corpus_among_others_is_reported(path, nlp, caplog):
    DocBin().to_disk(path.parent / "empty.spacy")
    files = {"full": path, "empty": path.parent / "empty.spacy"}
    reader = read_corpora({name: read_task_corpus(file, None, 0, True, 0) for name, file in files.items()})
    for _ in range(2):
        assert len(list(reader(nlp))) == len(ANNOTATED)
    assert [record.getMessage() for record in caplog.records] == ["The corpus 'empty' has no documents."]


def test_a_task_that_cant_be_scored_is_reported(path, nlp, tmp_path, caplog):
    words, starts, entities, *_ = ANNOTATED[0]
    doc = annotate(nlp.vocab, words, starts, entities)
    del doc.spans["mentions"]
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "dev.spacy")
    with caplog.at_level(logging.WARNING):
        run(config_of(path, tmp_path / "dev.spacy"))
    assert "has no gold annotation of 'mentions': its scores stay 0" in caplog.text


def test_a_wrong_task_name_of_a_corpus_is_an_error(path, steps):
    for split in ("train", "dev"):
        config = config_of(path, path)
        config["corpora"][split]["corpora"]["news"]["tasks"] = ["ner", "relatons"]
        with pytest.raises(ValueError, match=r"\['relatons'\].*There are \['ner', 'mentions', 'coref', 're"):
            run(config)
    assert not steps


def test_tasks_outside_the_hierarchy_may_be_listed(path):
    nlp = make_pipeline(hierarchy=["ner"])
    assert len(list(read_task_corpus(path, list(HIERARCHY), 0, True, 0)(nlp))) == len(ANNOTATED)


def test_a_label_that_appears_later_is_reported_before_the_first_step(path, nlp, tmp_path, steps):
    first = init_nlp(config_of(path, path))
    first.to_disk(tmp_path / "model")
    later = new_label(nlp, tmp_path)
    resumed = {"source": str(tmp_path / "model")}
    with pytest.raises(ValueError, match=r"corpus 'news' has the labels \['NEW'\] of the task 'ner'.*'PER'"):
        run(config_of(later, path, resumed))
    assert not steps
    run(config_of(path, path, resumed))
    assert steps


def test_labels_that_only_the_development_set_has_are_reported(path, nlp, tmp_path, caplog):
    run(config_of(path, new_label(nlp, tmp_path)))
    assert "corpus 'news' has the labels ['NEW'] of the task 'ner', which no training document" in caplog.text


def test_thresholds_of_unknown_tasks_are_an_error(trained):
    with pytest.raises(ValueError, match=r"thresholds for \['relation'\], but its tasks are \['ner'"):
        make_pipeline(thresholds={"relation": 0.3})
    trained.get_pipe("hmtl").cfg["thresholds"]["relation"] = 0.3
    with pytest.raises(ValueError, match=r"thresholds for \['relation'\]"):
        trained("Ann Lee works for Acme Corp .")


@pytest.mark.parametrize("value", [5.0, -0.1])
def test_thresholds_are_probabilities(value):
    with pytest.raises(
        ValueError, match=f"threshold of 'relations' is {value}: give a probability from 0 to 1"
    ):
        make_pipeline(thresholds={"relations": value})


def test_thresholds_of_tasks_outside_the_hierarchy_may_stay():
    nlp = make_pipeline(hierarchy=["ner"], thresholds={"relations": 0.3})
    assert nlp.get_pipe("hmtl").cfg["thresholds"] == {"ner": 0.0}


def test_a_schedule_of_another_length_than_the_training_is_reported(path, caplog):
    config = config_of(path, path)
    config["training"]["optimizer"]["learn_rate"] = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": 2,
        "total_steps": 40,
        "initial_rate": 0.01,
    }
    run(config)
    assert "max_steps is 1, but the learning rate reaches its end at step 40" in caplog.text
