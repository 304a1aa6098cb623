import os
import random

import hypothesis
import pytest
import spacy
from tiny import ANNOTATED, annotate, make_examples, make_pipeline, train

hypothesis.settings.register_profile("hmtl", deadline=None, max_examples=50, database=None)
hypothesis.settings.load_profile("hmtl")


@pytest.fixture(autouse=True)
def working_directory():
    """A test that leaves another working directory fails itself, not those after it."""
    before = os.getcwd()
    yield
    after = os.getcwd()
    os.chdir(before)
    assert after == before


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def docs(nlp):
    return [annotate(nlp.vocab, *layers) for layers in ANNOTATED]


@pytest.fixture
def examples(nlp):
    return make_examples(nlp.vocab)


@pytest.fixture
def untrained():
    """A small pipeline, initialized for the small documents."""
    nlp = make_pipeline()
    nlp.initialize(lambda: make_examples(nlp.vocab))
    return nlp


@pytest.fixture(scope="session")
def trained_bytes():
    """The config and weights of a pipeline that has learned the small documents by heart."""
    random.seed(0)
    spacy.util.fix_random_seed(0)
    nlp = make_pipeline()
    train(nlp, make_examples(nlp.vocab))
    return nlp.config, nlp.to_bytes()


@pytest.fixture
def trained(trained_bytes):
    """The trained pipeline, each time a copy of its own."""
    config, weights = trained_bytes
    return spacy.util.load_model_from_config(config, auto_fill=False).from_bytes(weights)
