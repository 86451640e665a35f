# SPDX-License-Identifier: Apache-2.0
"""The resets of a neuron, constants and starts, against values made by hand; retiming of them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikewright.network.network import (
    INPUT,
    RESETS,
    Network,
    Population,
    Projection,
    constant,
    start,
)
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from tests.networks import general_network, make_recording, random_recording, refused


def _one_neuron(**changes):
    """A neuron "n" with B 0.5 and threshold 1, whose spikes are the output."""
    one = np.ones(1)
    values = {"synaptic_decay": 0 * one, "membrane_decay": 0.5 * one, "threshold": one} | changes
    return Network(
        channels=1, dt=4e-3,
        populations=(Population(name="n", spiking=True, **values),
                     Population(name="out", spiking=False, synaptic_decay=0 * one,
                                membrane_decay=0 * one, threshold=one)),
        projections=(Projection(source=INPUT, target="n", delay=0, weights=np.array([[1.5]])),
                     Projection(source="n", target="out", delay=0, weights=np.array([[1.0]]))))


@pytest.mark.parametrize("reset, membrane", [
    # Inputs in the first three steps, then none.
    ("zero_lose",     [1.5, 0.0, 1.5, 0.0, 0.0]),
    ("zero_keep",     [1.5, 1.5, 1.5, 0.0, 0.0]),
    ("subtract_next", [1.5, 1.25, 1.125, -0.4375, -0.21875]),
    ("subtract_same", [1.5, 1.75, 1.875, 0.4375, 0.21875]),
    ("none",          [1.5, 2.25, 2.625, 1.3125, 0.65625])])
def test_membrane_of_each_reset(reset, membrane):
    trace = run_reference(_one_neuron(reset=reset), make_recording([[0], [0], [0], [], []], 1),
                          watch=["n"])
    assert trace.membrane["n"][:, 0].tolist() == membrane
    assert trace.spikes[:, 0].tolist() == [value > 1 for value in membrane]
    assert trace.velocity[:, 0].tolist() == [float(value > 1) for value in membrane]


@pytest.mark.parametrize("at_least", [False, True])
def test_membrane_that_meets_the_threshold(at_least):
    network = _one_neuron(at_least=at_least, threshold=np.array([1.5]))
    trace = run_reference(network, make_recording([[0]], 1))
    assert trace.spikes.tolist() == [[at_least]]


def test_reset_wrong():
    with refused("Population n reset must be one of zero_lose, zero_keep, subtract_next, "
                 "subtract_same, none, not 'soft'", ValueError):
        _one_neuron(reset="soft")


def test_constant_and_start():
    kick, again = start()
    one = np.ones(1)
    network = Network(
        channels=1, dt=4e-3,
        populations=(constant(), kick, Population(
            name="n", spiking=True, synaptic_decay=0 * one, membrane_decay=one, threshold=9 * one),
            Population(name="out", spiking=False, synaptic_decay=0 * one, membrane_decay=0 * one,
                       threshold=one)),
        projections=(
            again, Projection(source=INPUT, target="n", delay=0, weights=np.array([[5.0]])),
            Projection(source="constant", target="n", delay=1, weights=np.array([[0.25]])),
            Projection(source="start", target="n", delay=0, weights=np.array([[2.0]])),
            Projection(source="n", target="out", delay=0, weights=np.array([[1.0]]))))
    trace = run_reference(network, make_recording([[]] * 5, 1, reset=[3]), watch=["n"])
    assert trace.membrane["n"][:, 0].tolist() == [2.0, 2.25, 2.5, 2.0, 2.25]
    assert trace.spikes.shape == (5, 1), "the spikes of constant and start are no answer"
    assert network.roles == ["bias", "input", "bias", "bias", "output"]
    # The constant acts from step 1 on, but the kick in step 0 holds the population where it is.
    assert retime(network).lead_steps == 0


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000))
@example(161)       # its populations change their order and their delays
def test_retimed_network_answers_earlier(seed):
    network = general_network(seed)
    recording = random_recording(seed, network.channels, 40, rate=0.4, reset=[17])
    early = retime(network)
    before, after = run_reference(network, recording), run_reference(early, recording)
    lead = early.lead_steps
    assert lead >= 0
    for begin, stop in ((0, 17), (17, 40)):
        np.testing.assert_allclose(after.velocity[begin:stop - lead],
                                   before.velocity[begin + lead:stop], rtol=0, atol=1e-9)


def test_general_networks_have_every_part():
    """The networks of the test above are of every kind."""
    networks = [general_network(seed) for seed in range(60)]
    assert {p.reset for n in networks for p in n.populations if p.spiking} == set(RESETS)
    assert {len(n.populations) for n in networks} >= {3, 4, 5, 6}
    assert any(retime(n).lead_steps > 0 for n in networks)
    fast = dataclasses.replace(networks[0].populations[-1])
    assert not fast.spiking
