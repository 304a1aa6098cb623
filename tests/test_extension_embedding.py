"""A fifth part of the embedding, defined here alone: one registered function and a section of the config."""

import catalogue
import numpy
import pytest
import spacy
from thinc.api import Embed, Model, chain
from tiny import TINY, layers, make_examples, make_pipeline, train

LONGEST = 5


def LengthBuckets(width):
    """An embedding of how long a word is."""
    buckets = Model("word-length-bucket", bucket_of_words)
    return chain(buckets, Embed(nO=width, nV=LONGEST + 1))


def bucket_of_words(model, docs, is_train):
    lengths = [min(len(token.text), LONGEST) for doc in docs for token in doc]
    return model.ops.asarray1i(lengths), lambda d_vectors: []


@pytest.fixture
def registered():
    spacy.registry.architectures.register("test.LengthBuckets.v1", func=LengthBuckets)
    yield
    catalogue.REGISTRY.pop(("spacy", "architectures", "test.LengthBuckets.v1"))


def embedding_of(**parts):
    return {**TINY["embedding"], "parts": {**TINY["embedding"]["parts"], **parts}}


def parts_of(nlp):
    embedding = nlp.get_pipe("hmtl").model.get_ref("embedding")
    return {name: embedding.get_ref(name) for name in embedding.ref_names}


def test_a_fifth_part_of_the_embedding_is_config(registered, tmp_path):
    length = {"@architectures": "test.LengthBuckets.v1", "width": 3}
    nlp = make_pipeline(embedding=embedding_of(length=length))
    spacy.util.fix_random_seed(0)
    examples = make_examples(nlp.vocab)
    _, losses = train(nlp, examples, steps=1)
    part = parts_of(nlp)["length"]
    before = part.predict([examples[0].reference])
    _, after = train_on(nlp, examples)
    assert after["hmtl"] < losses["hmtl"] / 2
    trained = part.predict([examples[0].reference])
    assert trained.shape == (11, 3) and numpy.abs(trained - before).max(axis=1).min() > 1e-3
    assert numpy.array_equal(trained[0], trained[7])  # "Ann" and "She"
    embedding = nlp.get_pipe("hmtl").model.get_ref("embedding")
    assert embedding.get_dim("nO") == 16 + 16 + 4 + 3
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert list(parts_of(loaded)) == list(parts_of(nlp))
    numpy.testing.assert_array_equal(parts_of(loaded)["length"].predict([examples[0].reference]), trained)
    for eg in examples:
        assert layers(loaded(eg.reference.text)) == layers(nlp(eg.reference.text))


def train_on(nlp, examples, steps=20):
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        losses = nlp.update(examples, sgd=optimizer, losses={})
    return optimizer, losses


def test_a_fifth_part_is_removed_by_null(registered):
    length = {"@architectures": "test.LengthBuckets.v1", "width": 3}
    nlp = make_pipeline(embedding=embedding_of(length=length))
    config = nlp.config.merge({"components": {"hmtl": {"embedding": {"parts": {"length": None}}}}})
    without = spacy.util.load_model_from_config(config, auto_fill=True)
    assert set(parts_of(nlp)) - set(parts_of(without)) == {"length"}
    train(without, make_examples(without.vocab), steps=1)
    assert without.get_pipe("hmtl").model.get_ref("embedding").get_dim("nO") == 16 + 16 + 4
