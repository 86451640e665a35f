# SPDX-License-Identifier: Apache-2.0

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from spikewright.train.fitting.smorms3 import SMORMS3  # noqa: E402


def test_steps_by_hand():
    """From 1 with the gradients 2, 2 and -1; the learning rate is too large to limit the first."""
    weight = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    idle = torch.zeros(1, requires_grad=True)
    optimiser = SMORMS3([weight, idle], lr=0.6)
    # r = 1/2: g = 1, g2 = 2, x = 1/2, m = 3/2, w = 1 - 1/2 * 2 / sqrt(2)
    # r = 2/5: g = 7/5, g2 = 14/5, x = 7/10 > 0.6, m = 29/20, w -= 0.6 * 2 / sqrt(14/5)
    # r = 20/49: g = (29 * 7/5 - 20) / 49, g2 = (29 * 14/5 + 20) / 49
    g, g2 = (29 * 7 / 5 - 20) / 49, (29 * 14 / 5 + 20) / 49
    first  = 1 - 0.5 * 2 / 2 ** 0.5
    second = first - 0.6 * 2 / 2.8 ** 0.5
    third  = second + g * g / g2 / g2 ** 0.5
    for grad, wanted in ((2.0, first), (2.0, second), (-1.0, third)):
        weight.grad = torch.tensor([grad], dtype=torch.float64)
        optimiser.step()
        assert weight.item() == pytest.approx(wanted, rel=1e-12)
    assert idle.item() == 0


def test_no_gradient_moves_nothing():
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.zeros(3)
    SMORMS3([weight], lr=0.1).step()
    assert (weight == 1).all()
