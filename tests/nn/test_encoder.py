import torch

from hmtl_spacy.nn.batch import Layout, TokenBatch
from hmtl_spacy.nn.encoder import Encoder, LabelEmbedding

LENGTHS = [2, 3, 1, 4, 3, 2]
LAYOUT = Layout([5, 0, 5, 5], LENGTHS)


def encoder(depth=2, dropout=0.0):
    torch.manual_seed(0)
    return Encoder(6, 4, depth, dropout).eval()


def test_every_sentence_is_read_as_if_it_were_alone():
    model = encoder()
    vectors = torch.randn(15, 6)
    found = model(TokenBatch(vectors, LAYOUT))
    expected = torch.cat([model.lstm(sentence)[0] for sentence in vectors.split(LENGTHS)])
    assert found.vectors.shape == (15, model.nO) == (15, 8)
    torch.testing.assert_close(found.vectors, expected, atol=1e-6, rtol=1e-5)
    assert found.inputs is vectors  # what was read goes on to the heads


def test_no_state_between_calls():
    model = encoder()
    tokens = TokenBatch(torch.randn(15, 6), LAYOUT)
    assert torch.equal(model(tokens).vectors, model(tokens).vectors)


def test_no_tokens():
    found = encoder()(TokenBatch(torch.zeros(0, 6), Layout([0, 0], [])))
    assert found.vectors.shape == (0, 8)


def test_dropout_is_active_in_training_only():
    model = encoder(depth=1, dropout=0.5)
    tokens = TokenBatch(torch.randn(15, 6), LAYOUT)
    assert torch.equal(model(tokens).vectors, model(tokens).vectors)
    model.train()
    assert not torch.equal(model(tokens).vectors, model(tokens).vectors)


def test_gradient_reaches_every_token_and_weight():
    model = encoder()
    vectors = torch.randn(15, 6, requires_grad=True)
    model(TokenBatch(vectors, LAYOUT)).vectors.square().sum().backward()
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
