# SPDX-License-Identifier: Apache-2.0
"""What a graded network refuses, its form for files, and its runs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.network.graded.form import from_form, to_form
from spikewright.network.graded.layers import Dense, Normalize, Rectify
from spikewright.network.graded.network import GradedNetwork, spiking
from spikewright.network.graded.run import run_float, run_graded
from spikewright.network.reference import run_reference
from tests.graded import KINDS, graded_network, random_counts, recording_of
from tests.networks import random_recording, refused, tiny_network


def _dense(name, targets=2, sources=3, **more):
    return Dense(**{"name": name, "weights": np.ones((targets, sources)),
                    "bias": np.zeros(targets)} | more)


def _network(*stages, **more):
    return GradedNetwork(**{"kind": "ANN", "channels": 3, "dt": 4e-3, "stages": stages} | more)


@pytest.mark.parametrize("stages, more, message", [
    ([_dense("a")], {"channels": 0}, ("Network must have 1 channel or more and a dt between 0 and "
                                     "10 s, not 0 and 0.004")),
    ([_dense("a")], {"dt": 11.0}, ("Network must have 1 channel or more and a dt between 0 and "
                                   "10 s, not 3 and 11.0")),
    ([], {}, "Network must have stages with names that differ from one another, not no stage"),
    ([_dense("a"), _dense("b")], {}, ("Stage b must take 2 values, as the stage before gives, not "
                                     "3")),
    ([_dense("a"), _dense("a", 1, 2)], {}, ("Network must have stages with names that differ from "
                                           "one another, not a, a")),
    ([_dense("a", bias=np.array([0, np.nan]))], {}, ("Stage a bias must be finite, not hold NaN or "
                                                    "an infinity")),
    ([_dense("a")], {"readout": np.eye(3)}, ("Network readout must be finite, of shape (axes, 2), "
                                            "not of shape (3, 3)")),
    ([_dense("a")], {"offset": np.ones(3)}, "Network offset must have shape (2,), not (3,)")])
def test_wrong_network(stages, more, message):
    with refused(message, ValueError):
        _network(*stages, **more)


def test_velocity_holds_between_updates_and_has_the_readout():
    network = replace(_network(_dense("a")), readout=np.array([[2.0, 0.0]]), offset=np.array([1.0]))
    counts = np.array([[1, 0, 2], [0, 0, 0]])
    assert run_graded(network, recording_of(counts)).velocity.tolist() == [[7.0], [1.0]]


def test_rectify_and_normalize():
    network = _network(Rectify(name="r", gain=np.array([-2.0, 1.0, 0.0]), offset=np.ones(3)))
    assert run_graded(network, recording_of([[1, 2, 3]])).velocity.tolist() == [[-1, 3, 1]]
    norm = Normalize(name="n", gain=np.array([1.0, 2.0, 1.0]), offset=np.array([0.0, 0.0, 5.0]),
                     epsilon=1.0)
    x = np.array([1, 2, 6])
    wanted = (x - 3) / np.sqrt(14 / 3 + 1) * [1, 2, 1] + [0, 0, 5]
    assert run_graded(_network(norm), recording_of([x])).velocity[0] == pytest.approx(
        wanted, abs=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_form_is_the_network(kind):
    network = graded_network(kind, 3)
    form, arrays = to_form(network)
    again = from_form(json.loads(json.dumps(form)), arrays)
    assert (again.kind, again.channels, again.dt) == (kind, 6, 4e-3)
    recording = recording_of(random_counts(0, 200, 6))
    one, other = run_graded(network, recording), run_graded(again, recording)
    assert np.array_equal(one.velocity, other.velocity)
    assert one.velocity.std(axis=0).all()
    assert np.array_equal(one.spikes, other.spikes)


@pytest.mark.parametrize("change", [
    lambda form, arrays: form.pop("dt"), lambda form, arrays: arrays.pop("fc1.weights"),
    lambda form, arrays: form["stages"][0].update(kind="other"),
    lambda form, arrays: form["stages"][0].update(more=1),
    lambda form, arrays: form.update(stages=[3])])
def test_wrong_form(change):
    form, arrays = to_form(graded_network("ANN", 3))
    change(form, arrays)
    with pytest.raises(ValueError, match="^Graded network must be in the form that this version "
                                         "writes, not in another: "):
        from_form(form, arrays)


@pytest.mark.parametrize("kind", KINDS)
def test_reset_begins_anew(kind):
    network, counts = graded_network(kind, 1), random_counts(1, 150, 6)
    whole = replace(recording_of(counts), reset=np.arange(150) == 70)
    parts = [run_graded(network, recording_of(part)) for part in (counts[:70], counts[70:])]
    trace = run_graded(network, whole, watch=["window" if kind != "sRTnet" else "pool2"])
    assert np.array_equal(trace.velocity, np.concatenate([part.velocity for part in parts]))
    assert np.array_equal(trace.spikes, np.concatenate([part.spikes for part in parts]))
    series, = trace.values.values()
    assert series.steps == 150
    assert (np.diff(series.step) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_short_run(kind, steps):
    network, counts = graded_network(kind, 1), random_counts(1, 3, 6)
    whole = run_graded(network, recording_of(counts)).velocity
    found = run_graded(network, recording_of(counts[:steps])).velocity
    assert found == pytest.approx(whole[:steps], abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_narrow_formats_are_near(kind):
    network, recording = graded_network(kind, 2), recording_of(random_counts(2, 300, 6))
    exact = run_graded(network, recording).velocity
    single = run_graded(network, recording, np.float32).velocity
    assert 0 < np.abs(single - exact).max() < 1e-4 * exact.std()


def test_network_of_either_kind_runs():
    recording = random_recording(0, 6, 50)
    network = tiny_network(0)
    assert np.array_equal(run_float(network, recording).velocity,
                          run_reference(network, recording).velocity)
    assert spiking(network) is network
    graded = graded_network("ANN", 0)
    assert np.array_equal(run_float(graded, recording).velocity,
                          run_graded(graded, recording).velocity)
    with refused("Network must be one of spiking neurons only, not a graded one of the kind ANN",
                 InputError):
        spiking(graded)
