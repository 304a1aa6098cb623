import copy

import pytest
import torch
from torch import nn

from hmtl_spacy.nn import packed
from hmtl_spacy.nn.packed import PackedLinear, can_pack, inference_copy, linear_sum


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Embedding(20, 32), nn.Linear(32, 48), nn.GELU(), nn.Linear(48, 8, bias=False)
    ).eval()


IDS = torch.arange(20).view(4, 5)


packs = pytest.mark.skipif(
    not can_pack(torch.float32), reason="this build of torch has no packed linear layers"
)


@pytest.fixture(params=[0, packed.MIN_ROWS], ids=["packed", "few rows"])
def min_rows(request, monkeypatch):
    """All rows go through packed layers, or as few as in these tests don't."""
    monkeypatch.setattr(packed, "MIN_ROWS", request.param)


@packs
@pytest.mark.usefixtures("min_rows")
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


@packs
@pytest.mark.usefixtures("min_rows")
def test_a_relu_in_a_sequence_is_part_of_the_packed_layer_before_it():
    torch.manual_seed(0)
    original = nn.Sequential(nn.Linear(8, 16), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(16, 4)).eval()
    vectors = torch.randn(5, 8)
    copied = inference_copy(original)
    assert [type(layer) for layer in copied] == [PackedLinear, nn.Identity, nn.Dropout, PackedLinear]
    assert [layer.after for layer in copied if isinstance(layer, PackedLinear)] == ["relu", "none"]
    with torch.inference_mode():
        torch.testing.assert_close(copied(vectors), original(vectors), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("packs", [pytest.param(True, marks=packs), False])
def test_a_layer_and_what_is_added_to_it(bias, packs):
    torch.manual_seed(0)
    linear = nn.Linear(8, 16, bias=bias)
    vectors, others = torch.randn(5, 8), torch.randn(5, 16)
    with torch.inference_mode():
        expected = linear(vectors) + others
        found = linear_sum(PackedLinear(linear) if packs else linear, vectors, others)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_without_packed_layers_the_copy_is_plain(monkeypatch):
    monkeypatch.setattr(packed, "can_pack", lambda dtype: False)
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


@pytest.mark.usefixtures("min_rows")
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
