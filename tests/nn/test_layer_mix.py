import torch

from hmtl_spacy.nn.layer_mix import LayerMix


def test_starts_as_the_mean_of_all_layers():
    layers = torch.randn(3, 5, 4)
    torch.testing.assert_close(LayerMix(3)(layers), layers.mean(dim=0))


def test_softmax_weights_and_scale_by_hand():
    mix = LayerMix(2)
    mix.weights.data = torch.log(torch.tensor([1.0, 3.0]))
    mix.scale.data = torch.tensor(2.0)
    layers = torch.tensor([[[4.0, 0.0]], [[0.0, 8.0]]])
    torch.testing.assert_close(mix(layers), torch.tensor([[2.0, 12.0]]))


def test_layers_one_by_one():
    mix = LayerMix(3)
    mix.weights.data, mix.scale.data = torch.randn(3), torch.tensor(0.7)
    layers = torch.randn(3, 5, 4)
    torch.testing.assert_close(mix.add_up(iter(layers)), mix(layers))


def test_weights_and_scale_learn():
    mix = LayerMix(2)
    mix(torch.randn(2, 5, 4)).square().sum().backward()
    assert mix.weights.grad.abs().sum() > 0
    assert mix.scale.grad.abs() > 0


def test_no_tokens():
    assert LayerMix(2)(torch.zeros(2, 0, 4)).shape == (0, 4)
