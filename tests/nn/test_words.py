import torch

from hmtl_spacy.nn.words import NOTHING, UNKNOWN, WordEmbedding

STATIC = torch.tensor([[1.0, 2.0], [0.0, 0.0], [3.0, -4.0]])
HAS_STATIC = torch.tensor([True, False, True])


def embedding(dropout=0.0, word_dropout=0.0):
    torch.manual_seed(0)
    model = WordEmbedding(3, 2, dropout, word_dropout)
    model.initialize(STATIC, HAS_STATIC)
    return model


def test_words_start_at_their_static_vector():
    model = embedding().eval()
    rows = torch.tensor([2, 3, 4])
    found = model(rows, torch.tensor([0, 0, 2, 1]), STATIC)
    assert torch.equal(found[:3], STATIC[[0, 0, 2]])
    assert found[3].abs().min() > 0  # a word without one has a random vector


def test_unknown_words_have_a_vector_of_their_own_and_nothing_adds_nothing():
    model = embedding().eval()
    assert model.offsets.weight[UNKNOWN].abs().min() > 0
    assert not model.offsets.weight[NOTHING].any()
    found = model(torch.tensor([NOTHING]), torch.tensor([0]), torch.tensor([[9.0, 9.0]]))
    assert found.tolist() == [[9.0, 9.0]]


def test_without_static_vectors_all_rows_are_learned():
    torch.manual_seed(0)
    model = WordEmbedding(3, 2, 0.0, 0.0).eval()
    model.initialize(torch.zeros(3, 2), torch.zeros(3, dtype=torch.bool))
    assert model.offsets.weight[1:].abs().min() > 0
    assert torch.equal(model(torch.tensor([3]), torch.tensor([0]), None)[0], model.offsets.weight[3])


def test_gradient_is_sparse_and_only_for_words_that_occurred():
    model = embedding()
    model(torch.tensor([4, 2]), torch.tensor([0, 1, 0]), STATIC[[2, 0]]).sum().backward()
    gradient = model.offsets.weight.grad
    assert gradient.is_sparse
    assert gradient.to_dense().tolist() == [[0, 0], [0, 0], [1, 1], [0, 0], [2, 2]]


def test_word_dropout_takes_words_for_unseen_ones_in_training_only():
    model = embedding(word_dropout=1.0)
    rows, tokens = torch.tensor([2, 3]), torch.tensor([0, 1])
    trained = model.train()(rows, tokens, STATIC[:2])
    assert torch.equal(trained[0], STATIC[0])  # it has a static vector: that stays
    assert torch.equal(trained[1], model.offsets.weight[UNKNOWN])
    assert torch.equal(model.eval()(rows, tokens, STATIC[:2])[1], model.offsets.weight[3])
