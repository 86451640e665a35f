# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools and lines, by hand and against loops."""

import numpy as np
import pytest

from spikewright.network.graded.convolution import Convolution, Line, Pool
from spikewright.network.graded.series import Series
from tests.networks import refused


def _series(values, steps=None, step=None):
    values = np.array(values, float)
    return Series(steps=steps or len(values), values=values,
                  step=np.arange(len(values)) if step is None else np.array(step))


@pytest.mark.parametrize("updates", [1, 2, 30])
def test_convolution(updates):
    rng = np.random.default_rng(updates)
    weights, bias, x = rng.normal(size=(4, 3, 2)), rng.normal(size=3), rng.normal(size=(updates, 2))
    given = Convolution(name="conv", weights=weights, bias=bias).run(_series(x))
    for n in range(updates):
        wanted = bias + sum((weights[j] @ x[n - 3 + j] for j in range(4) if n - 3 + j >= 0),
                            np.zeros(3))
        assert given.values[n] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("before, values, step", [
    ([], [2, 5], [3, 7]), ([0], [1, 5, 4], [1, 5, 9]), ([7], [7, 5, 4], [1, 5, 9])])
def test_pool(before, values, step):
    pool = Pool(name="pool", width=2, before=np.array(before, float).reshape(-1, 1))
    given = pool.run(_series([[1], [2], [5], [4], [3]], 10, [1, 3, 5, 7, 9]))
    assert (given.values[:, 0].tolist(), given.step.tolist()) == (values, step)


def test_pool_of_a_wrong_phase():
    with refused("Stage pool phase must be from 0 to 1, not 2", ValueError):
        Pool(name="pool", width=2, before=np.zeros((2, 3)))


def test_line():
    given = Line(name="line", size=1, steps=4).run(_series([[4.0], [0.0]], 9, [3, 7]))
    assert given.step.tolist() == [3, 4, 5, 6, 7, 8]
    assert given.values[:, 0].tolist() == [1, 2, 3, 4, 3, 2]
    assert given.held()[:, 0].tolist() == [0, 0, 0, 1, 2, 3, 4, 3, 2]
