import copy

import pytest
import torch
from torch import nn

from hmtl_spacy.nn import onednn_linear
from hmtl_spacy.nn.onednn_linear import PackedLinear, can_pack, inference_copy


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Embedding(20, 32), nn.Linear(32, 48), nn.GELU(), nn.Linear(48, 8, bias=False)
    ).eval()


IDS = torch.arange(20).view(4, 5)


@pytest.mark.skipif(not can_pack(torch.float32), reason="this build of torch has no packed linear layers")
def test_a_packed_copy_gives_the_same_numbers_and_leaves_the_original_alone():
    original = network()
    expected = original(IDS)
    copied = inference_copy(original)
    assert [type(layer) for layer in copied] == [nn.Embedding, PackedLinear, nn.GELU, PackedLinear]
    assert not any(isinstance(layer, PackedLinear) for layer in original)
    with torch.inference_mode():
        torch.testing.assert_close(copied(IDS), expected, atol=1e-5, rtol=1e-5)
    assert copied[0].weight.data_ptr() == original[0].weight.data_ptr()  # shared, not held twice
    assert all(weights.requires_grad for weights in original.parameters())


def test_without_packed_layers_the_copy_is_plain(monkeypatch):
    monkeypatch.setattr(onednn_linear, "can_pack", lambda dtype: False)
    copied = inference_copy(network())
    assert not any(isinstance(layer, PackedLinear) for layer in copied)
    torch.testing.assert_close(copied(IDS), network()(IDS))


def test_a_failing_packed_layer_is_not_used(monkeypatch):
    def fail(self, vectors):
        raise NotImplementedError

    monkeypatch.setattr(PackedLinear, "forward", fail)
    can_pack.cache_clear()
    assert not can_pack(torch.float32)
    can_pack.cache_clear()


def test_a_copy_in_half_precision_is_close():
    copied = inference_copy(network(), torch.bfloat16)
    assert {weights.dtype for weights in copied.parameters()} == {torch.bfloat16}
    with torch.inference_mode():
        found = copied(IDS)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), network()(IDS), atol=0.05, rtol=0.05)


def test_kinds_of_linear_layers_whose_weights_others_read_stay():
    attention = nn.MultiheadAttention(8, 2).eval()
    vectors = torch.randn(3, 1, 8)
    expected = attention(vectors, vectors, vectors)[0]
    copied = inference_copy(copy.deepcopy(attention))
    with torch.inference_mode():
        torch.testing.assert_close(copied(vectors, vectors, vectors)[0], expected, atol=1e-5, rtol=1e-5)
