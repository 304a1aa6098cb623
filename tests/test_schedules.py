from itertools import islice

import pytest
import torch
from spacy.util import registry
from thinc.api import Config

from hmtl_spacy.schedules import halving


def plateau(epochs):
    """The rates of torch's scheduler as the original used it: mode "min" on a score that rises."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([weight], lr=1e-3)
    settings = {"mode": "min", "factor": 0.5, "patience": 5, "threshold": 1e-4, "threshold_mode": "abs"}
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    for epoch in range(epochs):
        yield optimizer.param_groups[0]["lr"]
        scheduler.step(0.5 + 0.01 * epoch)


def test_rates_are_those_of_the_original():
    rates = list(islice(halving(1e-3, 3, 6, 0.5, 1e-7), 3 * 40))
    assert rates == [rate for rate in plateau(40) for _ in range(3)]
    assert [rates.index(rate) // 3 for rate in (5e-4, 2.5e-4, 1.25e-4)] == [7, 13, 19]


def test_it_ends_at_the_minimum():
    assert list(islice(halving(1.0, 1, 1, 0.1, 0.05), 6)) == [1.0, 1.0, 0.1, 0.05, 0.05, 0.05]


def test_it_is_a_schedule_of_configs():
    text = '[rate]\n@schedules = "hmtl_spacy.Halving.v1"\ninitial_rate = 0.001\nsteps_per_epoch = 1'
    rates = registry.resolve(Config().from_str(text))["rate"]
    assert list(islice(rates, 14)) == list(plateau(14))


@pytest.mark.parametrize("steps, epochs", [(0, 6), (1, 0)])
def test_settings_are_checked(steps, epochs):
    with pytest.raises(ValueError, match=f"steps_per_epoch is {steps} and epochs is {epochs}. Both must"):
        next(halving(1e-3, steps, epochs, 0.5, 1e-7))
