"""A loss or gradient that isn't finite stops training; the weights stay as they were."""

import numpy
import pytest
import torch
from tiny import make_examples, make_pipeline

from hmtl_spacy.data.teaching import TEACHES
from hmtl_spacy.divergence import Divergence
from hmtl_spacy.model import network_of


@pytest.fixture
def training():
    """A pipeline after two updates, its examples, of a corpus with a name, and its optimizer."""
    nlp = make_pipeline(hierarchy=["ner", "mentions"])
    examples = make_examples(nlp.vocab)
    for example in examples:
        example.reference.user_data[TEACHES] = {"corpus": "news"}
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(2):
        nlp.update(examples, sgd=optimizer)
    return nlp, examples, optimizer


def weights(nlp):
    return {k: v.clone() for k, v in network_of(nlp.get_pipe("hmtl").model).state_dict().items()}


def same(before, after):
    return all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_isnt_finite_stops_training(training, monkeypatch, bad):
    nlp, examples, optimizer = training
    before = weights(nlp)
    head = nlp.get_pipe("hmtl").head("mentions")
    loss = head.loss
    monkeypatch.setattr(head, "loss", lambda *args: loss(*args) * bad)
    message = f"loss of 'mentions' is {bad} at step 2, corpus 'news'.*learn_rate.*grad_clip.*precision.*data"
    with pytest.raises(Divergence, match=message):
        nlp.update(examples, sgd=optimizer)
    assert same(before, weights(nlp))


def test_a_gradient_that_isnt_finite_stops_training(training, monkeypatch):
    nlp, examples, optimizer = training
    before = weights(nlp)
    head = nlp.get_pipe("hmtl").head("ner")
    loss = head.loss

    def with_bad_gradient(*args):
        value = loss(*args)
        value.register_hook(lambda gradient: gradient * float("nan"))
        return value

    monkeypatch.setattr(head, "loss", with_bad_gradient)
    with pytest.raises(Divergence, match=r"gradient of \['ner', 'mentions'\] isn't finite at step 2, corpus"):
        nlp.update(examples, sgd=optimizer)
    assert same(before, weights(nlp))


def test_sparse_gradients_are_looked_at(training):
    nlp, examples, optimizer = training
    hmtl = nlp.get_pipe("hmtl")
    hmtl.update(examples, sgd=None)
    networks = [shim._model for layer in hmtl.model.walk() for shim in layer.shims]
    sparse = [p.grad for net in networks for p in net.parameters() if p.grad is not None and p.grad.is_sparse]
    assert sparse
    sparse[0]._values()[0, 0] = numpy.nan
    with pytest.raises(Divergence, match="isn't finite"):
        hmtl.finish_update(optimizer)


def test_a_learning_rate_that_isnt_finite_stops_training(training):
    nlp, examples, optimizer = training
    before = weights(nlp)
    optimizer.learn_rate = float("nan")
    with pytest.raises(Divergence, match=r"learning rate is nan at step 2: see \[training.optimizer\]"):
        nlp.update(examples, sgd=optimizer)
    assert same(before, weights(nlp))


def test_large_gradients_that_are_finite_are_clipped(training, monkeypatch):
    nlp, examples, optimizer = training
    head = nlp.get_pipe("hmtl").head("ner")
    loss = head.loss
    monkeypatch.setattr(head, "loss", lambda *args: loss(*args) * 1e25)
    nlp.update(examples, sgd=optimizer)
    assert all(bool(value.isfinite().all()) for value in weights(nlp).values())


def test_steps_are_counted_from_initialization_on(training):
    nlp, examples, _ = training
    assert nlp.get_pipe("hmtl").watch.step == 2
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("hmtl").watch.step == 0
