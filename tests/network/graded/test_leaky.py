# SPDX-License-Identifier: Apache-2.0
"""Leaky stages, by hand."""

import numpy as np
import pytest

from spikewright.network.graded.leaky import InnerSteps, Leaky
from spikewright.network.graded.series import Series
from tests.networks import refused


def _leaky(name="lif", **more):
    one = np.ones(1)
    return Leaky(**{"name": name, "weights": np.eye(1), "bias": 0 * one, "decay": 0.5 * one,
                    "threshold": one} | more)


def _series(values):
    values = np.array(values, float)
    return Series(steps=len(values), step=np.arange(len(values)), values=values)


@pytest.mark.parametrize("reset, membranes", [
    # The inputs are 1.5, 0.25, 0, 1. A membrane of exactly 1 does not fire.
    ("none", [1.5, 1.0, 0.5, 1.25]),
    ("zero_keep", [1.5, 0.25, 0.125, 1.0625]),
    ("subtract_next", [1.5, 0.0, 0.0, 1.0])])
def test_resets(reset, membranes):
    layer = _leaky(reset=reset)
    m, z = layer.start()
    found = []
    for value in (1.5, 0.25, 0.0, 1.0):
        m, z = layer.advance(m, z, layer.drive(np.array([value])))
        assert (z == (m > 1)).all()
        found.append(m[0])
    assert found == membranes
    fired = layer.run(_series([[1.5], [0.25], [0], [1]]))
    assert fired.values[:, 0].tolist() == [float(m > 1) for m in membranes]
    assert np.array_equal(fired.spikes["lif"], fired.values > 0)


def test_recurrence_and_bias():
    layer = _leaky(recurrent=np.array([[-2.0]]), bias=np.array([0.25]), reset="none")
    m, z = layer.start()
    found = []
    for value in (1.0, 1.0, 1.0):
        m, z = layer.advance(m, z, layer.drive(np.array([value])))
        found.append(m[0])
    assert found == [1.25, 0.625 + 1.25 - 2, -0.0625 + 1.25]


def test_output_is_the_membrane():
    given = _leaky(spikes=False, reset="none").run(_series([[3.0], [0.0]]))
    assert given.values[:, 0].tolist() == [3.0, 1.5]
    assert not given.spikes


def test_membranes_are_kept_in_the_format():
    series = Series(steps=2, step=np.arange(2), values=np.array([[1 + 2 ** -12], [0.0]]),
                    dtype=np.float16)
    assert _leaky(spikes=False, reset="none").run(series).values[:, 0].tolist() == [1.0, 0.5]


def test_inner_steps_begin_at_zero():
    layers = (_leaky("one", reset="subtract_next"), _leaky("two", reset="none", spikes=False))
    stage = InnerSteps(name="lif", steps=3, layers=layers)
    assert (stage.inputs, stage.outputs, stage.spiking) == (3, 1, {"one": 3})
    given = stage.run(_series([[2.0, 0.0, 2.0], [2.0, 0.0, 2.0]]))
    # Spikes in inner steps 0 and 2; membranes 1, 0.5, 1.25 in each of both updates.
    assert given.values[:, 0].tolist() == [1.25, 1.25]
    assert given.spikes["one"].tolist() == [[True, False, True]] * 2


@pytest.mark.parametrize("change, message", [
    ({"reset": "zero_lose"}, ("Stage lif reset must be one of zero_keep, subtract_next, none, not "
                             "'zero_lose'")),
    ({"decay": np.array([1.5])}, "Stage lif decay must be from 0 to 1, not 1.5"),
    ({"threshold": np.array([0.0])}, "Stage lif threshold must be above 0, not 0.0"),
    ({"threshold": np.array([-1.0])}, "Stage lif threshold must be above 0, not -1.0")])
def test_wrong_layer(change, message):
    with refused(message, ValueError):
        _leaky(**change)


def test_wrong_inner_steps():
    with refused("Stage two must take 1 values, as the stage before gives, not 2", ValueError):
        InnerSteps(name="lif", steps=2, layers=(_leaky("one"), _leaky(
            "two", weights=np.ones((1, 2)), spikes=False)))
    with refused("Stage lif layers must spike, and the last one must not, not [True, True]",
                 ValueError):
        InnerSteps(name="lif", steps=2, layers=(_leaky("one"), _leaky("two")))
