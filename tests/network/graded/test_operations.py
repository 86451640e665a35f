# SPDX-License-Identifier: Apache-2.0
"""Operations, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.network.graded.convolution import Convolution
from spikewright.network.graded.layers import Dense
from spikewright.network.graded.leaky import InnerSteps, Leaky
from spikewright.network.graded.network import GradedNetwork
from spikewright.network.graded.operations import count_operations
from spikewright.network.reference import run_reference
from tests.graded import KINDS, graded_network, random_counts, recording_of
from tests.networks import make_network

WEIGHTS = np.array([[1.0, 0.0, 2.0], [0.5, 0.0, 0.0]])      # by input, 2, 0 and 1 are not 0


def _network(*stages, channels=3):
    return GradedNetwork(kind="made", channels=channels, dt=4e-3, stages=stages)


def _counted(network, counts, reset=()):
    recording = recording_of(np.array(counts))
    recording = replace(recording, reset=np.isin(np.arange(recording.steps), reset))
    found = count_operations(network, recording)
    return [round(len(counts) * value, 9) for value in (found.dense, found.macs, found.acs)]


def _leaky(name, weights, **more):
    n = len(weights)
    return Leaky(name=name, weights=weights, bias=np.zeros(n), decay=np.zeros(n),
                 threshold=np.full(n, 0.4), reset="none", **more)


def test_dense():
    network = _network(Dense(name="fc", weights=WEIGHTS, bias=np.ones(2)))
    assert _counted(network, [[1, 1, 0], [2, 0, 1], [0, 0, 0]]) == [18, 3, 2]


def test_convolution():
    network = _network(Convolution(name="c", weights=np.stack([WEIGHTS, WEIGHTS]),
                                   bias=np.zeros(2)))
    # Updates see the counts of their step and of the step before: 3 + 0, 0 + 3, 1 + 0, 0 + 1.
    assert _counted(network, [[1, 0, 1], [0, 1, 0], [0, 0, 2], [0, 0, 0]]) == [48, 2, 6]
    assert _counted(network, [[1, 0, 1], [0, 1, 0], [0, 0, 2], [0, 0, 0]], [3]) == [48, 1, 6]


def test_recurrence():
    network = _network(_leaky("lif", WEIGHTS, recurrent=np.array([[1.0, 1.0], [1.0, 0.0]])))
    # Both neurons fire in the first step. They have 2 and 1 recurrent weights.
    assert _counted(network, [[1, 0, 0], [0, 0, 0]]) == [20, 0, 2 + 3]


def test_inner_steps():
    stage = InnerSteps(name="lif", steps=3, layers=(
        _leaky("one", np.array([[1.0], [1.0]])),
        _leaky("two", np.array([[1.0, 0.0]]), spikes=False)))
    # Each inner step is an update. Both neurons fire in two of three, and one has a weight.
    assert _counted(_network(stage), [[1, 0, 5]]) == [12, 2, 2 + 2]


def test_spiking_network():
    """Rows of all events, and of spikes of the step before. Biases do not count."""
    network = make_network(0, {"a": 3, "out": 1}, [("input", "a", 0), ("a", "a", 1),
                                                   ("a", "out", 0)], channels=2)
    network.projections[0].weights[:] = [[5, 5, 0], [0, 0, 0]]
    network.projections[1].weights[:] = np.diag([1, 0, 0])
    network.projections[2].weights[:] = [[1], [0], [1]]
    found = _counted(network, [[2, 1], [0, 0], [0, 0]])
    spikes = run_reference(network, recording_of(np.array([[2, 1], [0, 0], [0, 0]]))).spikes
    rows = spikes @ [2, 0, 1]
    assert rows.sum() > 0
    assert found == [3 * (6 + 9 + 3), 0, 4 + rows.sum()]


@pytest.mark.parametrize("kind", KINDS)
def test_dense_operations_of_networks(kind):
    network, counts = graded_network(kind, 0), random_counts(0, 104, 6, 0.1)
    found = count_operations(network, recording_of(counts))
    updates = {"ANN": 55, "sRTnet": 26}.get(kind, 104)
    weights = {"ANN": 6 * 5 + 5 * 4 + 4 * 2, "ANN_Flat": 42 * 5 + 5 * 4 + 4 * 2,
               "SNN_Flat": 7 * (6 * 5 + 5 * 4 + 4 * 2),
               "sRTnet": 4 * 3 * 30 + 2 * 4 * 20 + 4 * 6 + 36 + 6 * 5 + 25 + 5 * 2}[kind]
    assert found.dense == pytest.approx(weights * updates / 104)
    assert 0 < found.macs <= found.dense
    assert found.macs + found.acs <= found.dense
