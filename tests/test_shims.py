import numpy
import pytest
import torch
from thinc.api import SGD, Adam, RAdam
from torch import nn

from hmtl_spacy.nn.words import WordEmbedding
from hmtl_spacy.shims import TorchShim, clip_gradients


def build(nI, nO):
    torch.manual_seed(0)
    return nn.Linear(nI, nO)


def shim():
    created = TorchShim(build)
    created.create(nI=3, nO=2)
    return created


def step(shim, optimizer, scale=1.0):
    output, backprop = shim.run(True, torch.ones(4, 3))
    backprop(torch.full_like(output, scale))
    shim.finish_update(optimizer)


def state(shim):
    return {name: weights.clone() for name, weights in shim.network.state_dict().items()}


def test_updates_equal_adam_of_torch():
    ours, theirs = shim(), build(3, 2)
    optimizer = Adam(0.01, L2=0.1, grad_clip=0.0, use_averages=False)
    reference = torch.optim.AdamW(
        theirs.parameters(), lr=0.01, betas=(optimizer.b1, optimizer.b2), eps=optimizer.eps, weight_decay=0.1
    )
    for i in range(5):
        step(ours, optimizer, i - 1.5)
        reference.zero_grad()
        (theirs(torch.ones(4, 3)) * (i - 1.5)).sum().backward()
        reference.step()
    torch.testing.assert_close(ours.network.weight, theirs.weight)
    torch.testing.assert_close(ours.network.bias, theirs.bias)


def test_the_learning_rate_of_the_optimizer_is_followed_and_scaled():
    moved = []
    for rate, scale in ((0.01, 1.0), (0.02, 1.0), (0.02, 0.1)):
        trained = shim()
        trained.learn_rate_scale = scale
        before = state(trained)["weight"]
        step(trained, Adam(rate, grad_clip=0.0, L2=0.0))
        moved.append((trained.network.weight - before).abs().max().item())
    assert moved == pytest.approx([0.01, 0.02, 0.002], rel=1e-3)


def test_gradients_are_dropped_after_an_update():
    trained = shim()
    step(trained, Adam(0.01))
    assert all(p.grad is None for p in trained.network.parameters())


def test_no_gradient_no_movement():
    trained, optimizer = shim(), Adam(0.1, L2=0.1)
    for _ in range(3):
        step(trained, optimizer)
    before = state(trained)
    for _ in range(3):
        trained.finish_update(optimizer)
    assert all(torch.equal(before[name], weights) for name, weights in state(trained).items())


def test_averages_are_used_and_the_weights_restored():
    trained, optimizer = shim(), Adam(0.1, use_averages=True)
    history = []
    for i in range(6):
        step(trained, optimizer, (-1.0) ** (i // 3))
        history.append(state(trained)["weight"])
    last = state(trained)["weight"]
    with trained.use_params(optimizer.averages):
        averaged = state(trained)["weight"]
    assert torch.equal(state(trained)["weight"], last)
    assert not torch.equal(averaged, last)
    expected = history[0]
    for t, weights in enumerate(history[1:], start=2):
        keep = min(0.9999, (1 + t) / (10 + t))
        expected = keep * expected + (1 - keep) * weights
    torch.testing.assert_close(averaged, expected)


def test_weights_are_restored_after_an_error_under_averages():
    trained, optimizer = shim(), Adam(0.1, use_averages=True)
    step(trained, optimizer)
    step(trained, optimizer)
    last = state(trained)["weight"]
    with pytest.raises(KeyError), trained.use_params(optimizer.averages):
        raise KeyError
    assert torch.equal(state(trained)["weight"], last)


def test_what_is_saved_under_averages_is_the_average():
    trained, optimizer = shim(), Adam(0.1, use_averages=True)
    for _ in range(4):
        step(trained, optimizer)
    with trained.use_params(optimizer.averages):
        expected = state(trained)["weight"]
        saved = trained.to_bytes()
    loaded = TorchShim(build).from_bytes(saved)
    assert torch.equal(loaded.network.weight, expected)
    assert not torch.equal(loaded.network.weight, trained.network.weight)


def test_no_averages_no_change():
    trained = shim()
    step(trained, Adam(0.1, use_averages=False))
    last = state(trained)["weight"]
    for params in ({}, None, {("other", 1): numpy.zeros(3)}):
        with trained.use_params(params):
            assert torch.equal(state(trained)["weight"], last)


def test_sparse_rows_move_only_if_their_word_occurred():
    words = TorchShim(lambda: WordEmbedding(4, 3, 0.0, 0.0))
    words.create()
    words.network.initialize(torch.zeros(4, 3), torch.zeros(4, dtype=torch.bool))
    optimizer = Adam(0.1, L2=0.1)
    everything = torch.arange(4)
    for rows in ([2, 3, 4, 5], [3, 5]):
        before = words.network.offsets.weight.detach().clone()
        for _ in range(3):
            output, backprop = words.run(True, torch.tensor(rows), everything[: len(rows)], None)
            backprop(torch.ones_like(output))
            words.finish_update(optimizer)
        moved = (words.network.offsets.weight != before).any(dim=1)
        assert moved.nonzero()[:, 0].tolist() == rows


def test_clipping_bounds_the_norm_of_all_gradients_together():
    dense = nn.Parameter(torch.zeros(3))
    dense.grad = torch.tensor([3.0, 0.0, 0.0])
    table = nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1, 1])).sum().backward()  # one row with the gradient [2, 2], in two parts
    clip_gradients([dense], [table.weight], 1.0)
    norm = 17.0**0.5
    assert dense.grad.tolist() == pytest.approx([3 / norm, 0.0, 0.0])
    assert table.weight.grad.to_dense()[1].tolist() == pytest.approx([2 / norm, 2 / norm])
    clip_gradients([dense], [table.weight], 1.0 + 1e-3)
    assert dense.grad.tolist() == pytest.approx([3 / norm, 0.0, 0.0])  # small ones are left alone


def test_the_clip_of_the_optimizer_is_applied():
    # Adam hides the scale of a gradient unless it is near eps
    moved = []
    for clip in (0.0, 1e-8):
        trained = shim()
        before = state(trained)["weight"]
        step(trained, Adam(0.01, L2=0.0, grad_clip=clip, eps=1e-8))
        moved.append((trained.network.weight - before).abs().max().item())
    assert moved[1] < 0.7 * moved[0]


@pytest.mark.parametrize("optimizer", [SGD(0.1), RAdam(0.1)])
def test_other_optimizers_are_refused(optimizer):
    with pytest.raises(ValueError, match=r'Set \[training.optimizer\] @optimizers = "Adam.v1"'):
        step(shim(), optimizer)


def test_bytes_hold_sizes_and_weights():
    trained = shim()
    step(trained, Adam(0.1))
    loaded = TorchShim(build).from_bytes(trained.to_bytes())
    assert loaded.cfg == {"nI": 3, "nO": 2}
    assert torch.equal(loaded.network.weight, trained.network.weight)


def test_bytes_without_a_network():
    assert TorchShim(build).from_bytes(TorchShim(build).to_bytes()).network is None


def test_a_loaded_network_can_be_trained_on():
    trained = shim()
    optimizer = Adam(0.1)
    step(trained, optimizer)
    trained.from_bytes(trained.to_bytes())
    before = state(trained)["weight"]
    step(trained, optimizer)
    assert not torch.equal(state(trained)["weight"], before)


def test_backprop_needs_training():
    output, backprop = shim().run(False, torch.ones(4, 3))
    with pytest.raises(ValueError, match="computed without is_train=True, so it has no gradient"):
        backprop(torch.ones_like(output))
