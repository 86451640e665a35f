# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.quantize.descent import closest_integers


def _error(gram, rest):
    return rest @ gram @ rest


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits", [3, 8])
def test_closest_integers_are_a_minimum(seed, bits):
    """No change of a single integer or of the scale makes the error smaller."""
    rng = np.random.default_rng(seed)
    traces = rng.poisson(0.3, (200, 12)) * 1.0
    gram, weights = traces.T @ traces, rng.normal(size=12)
    largest = np.full(12, 2.0 ** (bits - 1) - 1)
    largest[:4] //= 2
    scale, q = closest_integers(gram, weights, largest)
    assert q.dtype == np.int64 and (-largest - 1 <= q).all() and (q <= largest).all()
    least = _error(gram, weights - scale * q)
    assert _error(gram, weights - scale * (1 + 1e-4) * q) > least
    assert _error(gram, weights - scale * (1 - 1e-4) * q) > least
    plain = (np.abs(weights) / largest).max()
    assert least < _error(gram, weights - plain * np.floor(weights / plain + 0.5))


def test_closest_integers_finds_an_exact_grid():
    """Weights on a grid that does not use the largest integer. Only another scale finds it."""
    q = np.array([115, -3, 50, 8])
    scale, found = closest_integers(np.eye(4), 0.01 * q, np.full(4, 127.0))
    assert scale * found == pytest.approx(0.01 * q, abs=4e-4)


def test_closest_integers_clips_one_weight_for_many():
    """Seven weights of 0.6 and one of 1 that hardly matters, as integers from -2 to 1."""
    gram = np.diag([1e-4] + [1.0] * 7)
    scale, q = closest_integers(gram, np.array([1.0] + [0.6] * 7), np.full(8, 1.0))
    assert q.tolist() == [1] * 8
    assert scale == pytest.approx(0.6, rel=1e-3)
