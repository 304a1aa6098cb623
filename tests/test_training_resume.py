"""A training that is killed and resumed leaves what one in one go leaves, bit by bit."""

import os

import numpy
import pytest
import spacy
from resuming import die_at_update, differences, left, make_config, train
from spacy.vectors import Vectors
from tiny import TINY_TASKS, make_examples
from tiny import train as train_tiny

if not hasattr(os, "fork"):
    pytest.skip("processes are forked", allow_module_level=True)


def with_vectors(path):
    config = make_config(path)
    nlp = spacy.blank("en")
    words = "ann works for acme it rains in lyon".split()
    data = numpy.random.default_rng(0).normal(size=(len(words), 16)).astype("f")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, keys=words)
    nlp.to_disk(path / "vectors")
    config["initialize"]["vectors"] = str(path / "vectors")
    return config


def with_patience(path):
    """Stopped by patience, with gradients of several batches in an update."""
    config = make_config(path, patience=4, max_steps=60, accumulate_gradient=2, eval_frequency=2)
    config["training"]["optimizer"]["learn_rate"] = 0.0001
    return config


def with_epochs(path):
    config = make_config(path, max_epochs=3, max_steps=0)
    config["training"]["batcher"] |= {"with_replacement": True, "sampling": "square-root"}
    return config


def with_streams(path):
    """Corpora that are read anew in each epoch."""
    return make_config(path, max_epochs=-1)


def with_others(path):
    """With components of spaCy, whose weights are Thinc's; updates of its `ner` draw Python's random numbers.
    `senter` annotates what the next ones read."""
    config = make_config(path)
    nlp = spacy.blank("en")
    tok2vec = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 8, "depth": 1}
    tok2vec |= {"embed_size": 50, "window_size": 1, "maxout_pieces": 2, "subword_features": True}
    for name in ("senter", "ner"):
        nlp.add_pipe(name, config={"model": {"tok2vec": tok2vec}})
    for name in ("senter", "ner"):
        config["components"][name] = nlp.config["components"][name]
    config["nlp"]["pipeline"] = ["senter", "ner", "hmtl"]
    config["training"]["annotating_components"] = ["senter"]
    config["training"]["score_weights"] = {"ents_f": 0.5, "spans_mentions_f": 0.5}
    return config


def with_frozen(path):
    """With a component of another pipeline, which isn't trained but annotates."""
    nlp = spacy.blank("en")
    nlp.add_pipe("senter")
    train_tiny(nlp, make_examples(nlp.vocab), steps=3)
    nlp.to_disk(path / "other")
    config = make_config(path, frozen_components=["senter"])
    config["components"]["senter"] = {"source": str(path / "other")}
    config["nlp"]["pipeline"] = ["senter", "hmtl"]
    config["training"]["annotating_components"] = ["senter"]
    return config


def with_relations(path):
    """Whose threshold is chosen at each evaluation."""
    config = make_config(path)
    component = config["components"]["hmtl"]
    component["hierarchy"] = ["ner", "mentions", "relations"]
    component["tasks"]["relations"] = {**TINY_TASKS["relations"], "dropout": 0.3}
    return config


def with_transformer(path, **settings):
    pytest.importorskip("transformers")
    from tiny_transformer import save_transformer

    (path / "bert").mkdir()
    config = make_config(path)
    config["components"]["hmtl"]["embedding"]["parts"]["contextual"] = {
        "@architectures": "hmtl_spacy.Transformer.v1",
        "name": save_transformer(path / "bert"),
        "window": 30,
        **settings,
    }
    return config


def with_cache_that_is_small(path):
    return with_transformer(path, cache_mb=0)


def with_fine_tuning(path):
    return with_transformer(path, trainable=True)


def with_frozen_layers(path):
    """With features in several parts, and weights in groups of their own learning rates."""
    return with_transformer(
        path, trainable=True, frozen_layers=1, layer_decay=0.7, warmup_steps=8, decay_all=False
    )


CASES = [
    *(
        make_config,
        with_relations,
        with_vectors,
        with_patience,
        with_epochs,
        with_streams,
        with_others,
        with_frozen,
    ),
    *(with_transformer, with_cache_that_is_small, with_fine_tuning, with_frozen_layers),
]


@pytest.mark.parametrize("case", CASES)
def test_resumed_is_as_if_undisturbed(tmp_path, case):
    """Killed between two evaluations."""
    config = case(tmp_path)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert train(config, whole) == 0
    assert train(config, killed, before=die_at_update(5)) < 0
    assert train(config, killed, resume=True) == 0
    assert not differences(left(whole), left(killed))


def test_a_cache_that_was_full_is_full(tmp_path, monkeypatch):
    """Else a shorter text would be kept from there on, and what is kept is rounded."""
    monkeypatch.setattr("hmtl_spacy.embedding.frozen.MIB", 1)

    def case(path):
        config = with_transformer(path, cache_mb=1_500)
        config["training"]["seed"] = 3  # the short text is the first after the interruption
        return config

    test_resumed_is_as_if_undisturbed(tmp_path, case)
