import pytest
import torch

from hmtl_spacy.nn.dropout import Dropout


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_rate_and_scale(rate):
    torch.manual_seed(0)
    dropped = Dropout(rate)(torch.ones(1000, 999))
    kept = dropped != 0
    assert kept.float().mean() == pytest.approx(1 - rate, abs=2e-3)
    torch.testing.assert_close(dropped[kept], torch.full_like(dropped[kept], 1 / (1 - rate)))
    for neighbour in (kept[:, 1:] & kept[:, :-1], kept[1:] & kept[:-1]):  # values are dropped by themselves
        assert neighbour.float().mean() == pytest.approx((1 - rate) ** 2, abs=3e-3)


def test_gradient_goes_where_the_value_went():
    vectors = torch.randn(7, 3, requires_grad=True)
    dropped = Dropout(0.5)(vectors)
    dropped.sum().backward()
    assert torch.equal(vectors.grad, torch.where(dropped == 0, 0.0, 2.0))


def test_seed():
    def drawn():
        torch.manual_seed(1)
        return Dropout(0.5)(torch.ones(50))

    assert torch.equal(drawn(), drawn())


@pytest.mark.parametrize("rate, expected", [(0.0, 1.0), (1.0, 0.0)])
def test_none_and_all(rate, expected):
    assert torch.equal(Dropout(rate)(torch.ones(5)), torch.full((5,), expected))


def test_nothing_is_dropped_in_use():
    assert torch.equal(Dropout(0.5).eval()(torch.ones(5)), torch.ones(5))


def test_no_values():
    assert Dropout(0.5)(torch.ones(0, 4)).shape == (0, 4)
