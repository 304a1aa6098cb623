"""spaCy's own API and commands on a pipeline with this component: each works, or says what to do instead.

With a new spaCy this file shows what changed.
"""

import pytest
import spacy
import torch
from spacy.cli._util import app
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.util import registry
from tiny import config_of, layers, make_examples, make_pipeline, train
from typer.testing import CliRunner

from hmtl_spacy.model import network_of

TEXT = "Ann Lee works for Acme Corp . She likes it ."


@pytest.fixture
def files(tmp_path, docs):
    """A corpus and a config that trains on it."""
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "news.spacy")
    config_of(tmp_path / "news.spacy", tmp_path / "news.spacy").to_disk(tmp_path / "train.cfg")
    return tmp_path


def run(*words):
    registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def weights(nlp):
    state = network_of(nlp.get_pipe("hmtl").model).state_dict()
    return {name: values.clone() for name, values in state.items()}


def changed(before, after):
    return any(not torch.equal(before[name], after[name]) for name in before)


def test_resume_training_goes_on_from_the_weights(trained):
    before = weights(trained)
    optimizer = trained.resume_training()
    assert not changed(before, weights(trained))
    losses = trained.update(make_examples(trained.vocab), sgd=optimizer, losses={})
    assert changed(before, weights(trained)) and losses["hmtl"] > 0.0


def test_create_optimizer(trained):
    assert trained.create_optimizer().learn_rate > 0.0


def test_update_without_an_optimizer_makes_one(trained):
    before = weights(trained)
    losses = trained.update(make_examples(trained.vocab))
    assert changed(before, weights(trained)) and losses["hmtl"] > 0.0


def test_the_component_without_an_optimizer_only_adds_gradients_up(trained):
    before = weights(trained)
    hmtl = trained.get_pipe("hmtl")
    hmtl.update(make_examples(trained.vocab))
    assert not changed(before, weights(trained))
    hmtl.finish_update(trained.create_optimizer())
    assert changed(before, weights(trained))


def test_rehearse_is_refused_with_a_reason(trained):
    trained.resume_training()
    with pytest.raises(
        ValueError, match="'hmtl' can't rehearse.*train on documents of the earlier corpus too"
    ):
        trained.rehearse(make_examples(trained.vocab))
    trained.rehearse(make_examples(trained.vocab), exclude=["hmtl"])


def test_evaluate_in_python(trained):
    scores = trained.evaluate(make_examples(trained.vocab))
    assert scores["ents_f"] == scores["coref_f"] == scores["rel_strict_f"] == 1.0


def test_debug_data(files):
    docs = list(DocBin().from_disk(files / "news.spacy").get_docs(spacy.blank("en").vocab))
    DocBin(docs=docs * 25, store_user_data=True).to_disk(
        files / "news.spacy"
    )  # fewer are an error of spaCy's
    output = run("debug", "data", files / "train.cfg", "--no-format")
    assert "Corpus is loadable" in output and "100 training docs" in output


@pytest.mark.parametrize("steps", [[], ["-P0", "-P1", "-P2", "-P3", "-PAR", "-GRAD", "-DIM", "-ATTR"]])
def test_debug_model(files, steps):
    output = run("debug", "model", files / "train.cfg", "hmtl", *steps)
    assert "Initialized the model with the training corpus" in output and "model looks good" in output


def test_debug_config(files):
    run("debug", "config", files / "train.cfg", "--show-functions", "--show-variables")


def test_debug_diff_config(files):
    run("debug", "diff-config", files / "train.cfg")


def test_fill_config(files):
    run("init", "fill-config", files / "train.cfg", files / "filled.cfg")
    assert (
        spacy.util.load_config(files / "filled.cfg")["components"]["hmtl"]["thresholds"]["relations"] == 0.5
    )


def test_assemble(trained, files):
    trained.to_disk(files / "model")
    config = trained.config.copy()
    for name in trained.pipe_names:
        config["components"][name] = {"source": str(files / "model")}
    config["initialize"]["components"] = {}
    config.to_disk(files / "assemble.cfg")
    run("assemble", files / "assemble.cfg", files / "assembled")
    assert layers(spacy.load(files / "assembled")(TEXT)) == layers(trained(TEXT))


def test_evaluate_with_displacy(trained, files):
    trained.to_disk(files / "model")
    (files / "pages").mkdir()
    command = ["evaluate", files / "model", files / "news.spacy", "--displacy-path", files / "pages"]
    assert "NER F" in run(*command, "--output", files / "scores.json")
    assert not list(
        (files / "pages").iterdir()
    )  # spaCy draws what its own factories annotate: `parser`, `ner`
    page = [files / "news.spacy", files / "pages" / "all.html"]
    run("hmtl", "visualize", *page, "--model", files / "model")
    assert "Acme" in (files / "pages" / "all.html").read_text("utf8")


def test_init_labels(files):
    run("init", "labels", files / "train.cfg", files / "labels")
    assert (files / "labels" / "hmtl.json").read_text("utf8").count("PER") == 2


def test_find_threshold(trained, files):
    trained.to_disk(files / "model")
    words = ["find-threshold", files / "model", files / "news.spacy", "hmtl", "thresholds.relations"]
    assert "Best threshold" in run(*words, "rel_strict_f", "--n_trials", "3")


def shared():
    """A trained pipeline with a shared `tok2vec`, which the component listens to."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("tok2vec", config={"model": {"@architectures": "spacy.HashEmbedCNN.v2", **CNN}})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": CNN["width"]}
    config = make_pipeline().get_pipe_config("hmtl")
    embedding = {"@architectures": "hmtl_spacy.Embedding.v1", "parts": {"contextual": listener}}
    nlp.add_pipe("hmtl", config={"tasks": config["tasks"], "embedding": embedding})
    train(nlp, make_examples(nlp.vocab), steps=3)
    return nlp


CNN = {"width": 16, "depth": 1, "embed_size": 50, "window_size": 1, "maxout_pieces": 2}
CNN.update(subword_features=False, pretrained_vectors=None)


def test_replace_listeners_of_a_shared_tok2vec(tmp_path):
    nlp = shared()
    before = layers(nlp(TEXT))
    nlp.replace_listeners("tok2vec", "hmtl", ["embedding.parts.contextual"])
    nlp.remove_pipe("tok2vec")
    assert layers(nlp(TEXT)) == before
    nlp.to_disk(tmp_path / "model")
    assert layers(spacy.load(tmp_path / "model")(TEXT)) == before


def test_a_component_with_a_shared_tok2vec_is_sourced():
    nlp = shared()
    before = layers(nlp(TEXT))
    other = spacy.blank("en")
    other.add_pipe("sentencizer")
    nlp.replace_listeners("tok2vec", "hmtl", ["embedding.parts.contextual"])
    other.add_pipe("hmtl", source=nlp)
    assert layers(other(TEXT)) == before


def test_span_as_doc_keeps_what_spacy_keeps(trained):
    doc = trained(TEXT)
    first, second = doc.sents
    part = second.as_doc()
    assert part.text == "She likes it ."
    assert not part.spans  # span groups belong to a whole document
    assert [ent.text for ent in first.as_doc().ents] == ["Ann Lee", "Acme Corp"]
    again = trained(part)
    assert again._.coref_clusters is not None and again._.relations is not None


def test_example_from_dict(trained):
    doc = trained.make_doc("Ann Lee works for Acme Corp .")
    entities = [(0, 7, "PER"), (18, 27, "ORG")]
    mentions = [(0, 7, "PER"), (18, 27, "ORG")]
    example = Example.from_dict(doc, {"entities": entities, "spans": {"mentions": mentions}})
    tasks = trained.get_pipe("hmtl").tasks
    annotated = {name: task.has_gold(example.reference) for name, task in tasks.items()}
    assert annotated == {"ner": True, "mentions": True, "coref": False, "relations": False}
    losses = trained.update([example], losses={})
    assert losses["hmtl_ner_updates"] == losses["hmtl_mentions_updates"] == 1
    assert losses["hmtl_coref_updates"] == losses["hmtl_relations_updates"] == 0
