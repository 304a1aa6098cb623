import numpy
import pytest
import torch

from hmtl_spacy.nn.characters import MAX_LENGTH, N_CHARACTERS, CharacterCNN, character_ids, pad_words


def vectors(words, dropout=0.0):
    torch.manual_seed(0)
    model = CharacterCNN(5, 7, dropout).eval()
    ids = pad_words([character_ids(word) for word in words])
    lengths = torch.tensor([max(min(len(word), MAX_LENGTH), 1) for word in words])
    return model, model(torch.from_numpy(ids), lengths, torch.arange(len(words)))


def test_character_ids():
    assert character_ids("ab") == [0, 97, 98, 0]
    assert character_ids("é") == [0, 233, 0]
    assert character_ids("中") == [0, 512 + ord("中") % 512, 0]
    assert character_ids("\x00") == [0, 512, 0]  # 0 is padding only
    assert character_ids("") == [0, 0]


def test_long_words_keep_both_ends():
    word = "a" * 20 + "x" * 20 + "b" * 20
    ids = character_ids(word)
    assert len(ids) == MAX_LENGTH + 2
    assert ids[1:-1] == [97] * 16 + [98] * 16
    assert character_ids("c" * MAX_LENGTH) == [0, *[99] * MAX_LENGTH, 0]


@pytest.mark.parametrize("character", ["\x01", "ǿ", "Ȁ", "\u200b", "😀", "\U0010ffff"])
def test_every_character_has_a_row(character):
    assert 0 < character_ids(character)[1] < N_CHARACTERS


def test_a_word_does_not_depend_on_its_neighbours():
    words = ["a", "Lyon", "extraordinarily"]
    _, together = vectors(words)
    for word, vector in zip(words, together):
        torch.testing.assert_close(vectors([word])[1][0], vector, atol=1e-6, rtol=1e-5)


def test_convolution_by_hand():
    model, found = vectors(["abc"])
    embedded = model.embed.weight[character_ids("abc")]
    windows = torch.stack([embedded[i : i + 3].T for i in range(3)])  # [3, nM, 3]
    expected = torch.einsum("wmk,omk->wo", windows, model.convolve.weight) + model.convolve.bias
    torch.testing.assert_close(found[0], expected.relu().amax(dim=0), atol=1e-6, rtol=1e-5)


def test_words_are_spread_to_tokens():
    torch.manual_seed(0)
    model = CharacterCNN(5, 7, 0.0)
    ids = torch.from_numpy(pad_words([character_ids("ab"), character_ids("c")]))
    found = model(ids, torch.tensor([2, 1]), torch.tensor([1, 0, 1]))
    assert torch.equal(found[0], found[2]) and not torch.equal(found[0], found[1])


def test_padding_stays_zero_in_training():
    model = CharacterCNN(5, 7, 0.0)
    ids = torch.from_numpy(pad_words([character_ids("ab"), character_ids("c")]))
    model(ids, torch.tensor([2, 1]), torch.tensor([0, 1])).sum().backward()
    assert not model.embed.weight[0].any()
    assert not model.embed.weight.grad[0].any()
    assert model.embed.weight.grad[97].any()


def test_pad_words():
    assert numpy.array_equal(pad_words([[0, 5, 0], [0, 6, 7, 0]]), [[0, 5, 0, 0], [0, 6, 7, 0]])
