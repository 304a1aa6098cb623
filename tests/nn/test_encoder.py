import numpy
import pytest
import torch

from hmtl_spacy.nn.batch import Layout
from hmtl_spacy.nn.encoder import Encoder, LabelEmbedding
from hmtl_spacy.nn.grids import PADDING, similar_lengths

LENGTHS = [2, 3, 1, 4, 3, 2]
LAYOUT = Layout([5, 0, 5, 5], LENGTHS)


def encoder(depth=2, dropout=0.0):
    torch.manual_seed(0)
    return Encoder(6, 4, depth, dropout).eval()


def test_every_sentence_is_read_as_if_it_were_alone():
    model = encoder()
    vectors = torch.randn(15, 6)
    found = model(vectors, LAYOUT)
    expected = torch.cat([model.lstm(sentence)[0] for sentence in vectors.split(LENGTHS)])
    assert found.shape == (15, model.nO) == (15, 8)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_training_and_use_give_the_same_numbers(dtype):
    model = encoder().to(dtype)
    vectors = torch.randn(15, 6, dtype=dtype)
    padded = model(vectors, LAYOUT)
    with torch.inference_mode():
        packed = model(vectors, LAYOUT)
    torch.testing.assert_close(padded, packed, atol=1e-6, rtol=1e-5)


def test_gradients_are_those_of_sentences_alone():
    model = encoder()
    vectors = torch.randn(15, 6, requires_grad=True)
    weights = [vectors, *model.parameters()]
    found = torch.autograd.grad(model(vectors, LAYOUT).square().sum(), weights)
    alone = torch.cat([model.lstm(sentence)[0] for sentence in vectors.split(LENGTHS)])
    expected = torch.autograd.grad(alone.square().sum(), weights)
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_sentences_of_similar_length_stand_together():
    lengths = numpy.random.default_rng(0).integers(1, 60, size=200)
    groups = similar_lengths(lengths)
    assert sorted(numpy.concatenate(groups).tolist()) == list(range(200))
    tokens = [lengths[group] for group in groups]
    assert all(len(of) * of.max() <= PADDING * of.sum() for of in tokens)
    assert all(one.min() >= other.max() for one, other in zip(tokens, tokens[1:]))
    assert [group.tolist() for group in similar_lengths(numpy.array([1, 90, 1]))] == [[1], [0, 2]]


def test_no_state_between_calls():
    model = encoder()
    vectors = torch.randn(15, 6)
    assert torch.equal(model(vectors, LAYOUT), model(vectors, LAYOUT))


def test_no_tokens():
    assert encoder()(torch.zeros(0, 6), Layout([0, 0], [])).shape == (0, 8)


def test_dropout_is_active_in_training_only():
    model = encoder(depth=1, dropout=0.5)
    vectors = torch.randn(15, 6)
    assert torch.equal(model(vectors, LAYOUT), model(vectors, LAYOUT))
    model.train()
    assert not torch.equal(model(vectors, LAYOUT), model(vectors, LAYOUT))


def test_gradient_reaches_every_token_and_weight():
    model = encoder()
    vectors = torch.randn(15, 6, requires_grad=True)
    model(vectors, LAYOUT).square().sum().backward()
    assert vectors.grad.abs().sum(dim=1).min() > 0
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_soft_label_embedding_does_not_train_the_level_below():
    torch.manual_seed(0)
    embedding = LabelEmbedding(5, 3)
    logits = torch.randn(4, 5, requires_grad=True)
    out = embedding(logits.softmax(dim=1))
    torch.testing.assert_close(out, logits.softmax(dim=1) @ embedding.project.weight.T)
    out.sum().backward()
    assert logits.grad is None
    assert embedding.project.weight.grad.abs().sum() > 0
