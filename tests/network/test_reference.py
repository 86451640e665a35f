# SPDX-License-Identifier: Apache-2.0
"""The float model against the outputs of the published networks in their own framework."""

import dataclasses

import numpy as np
import pytest

from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.network import INPUT
from spikewright.network.recording import read_recording
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from tests.networks import (
    CHECKPOINTS,
    make_network,
    make_recording,
    random_recording,
    tiny_network,
)

LEAD = 5


def _published(shared, checkpoint):
    pytest.importorskip("torch", reason="the published networks are .pth files")
    network = read_checkpoint(shared / "checkpoints" / f"{checkpoint}.pth")
    files = sorted((shared / "reference").glob(f"{checkpoint.replace('/', '_')}_*.npz"))
    assert files
    for path in files:
        with np.load(path) as file:
            spikes = np.unpackbits(file["hidden_fp32"], axis=1, bitorder="big").astype(bool)
            yield network, read_recording(path), spikes, file["velocity_fp32"]


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_reference_equals_published(shared, checkpoint):
    for network, recording, spikes, velocity in _published(shared, checkpoint):
        trace = run_reference(network, recording)
        # The published model tells a spike one step after the membrane that caused it.
        assert (trace.spikes[:-1] == spikes[1:]).all(), recording.name
        assert np.abs(trace.velocity - velocity).max() < 1e-5, recording.name
        assert not spikes[0].any()


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_retimed_reference_leads_published(shared, checkpoint):
    for network, recording, spikes, velocity in _published(shared, checkpoint):
        early = retime(network)
        assert early.lead_steps == LEAD
        assert [p.delay for p in early.projections] == [3, 0, 0]
        trace = run_reference(early, recording)
        assert (trace.spikes[:-3] == spikes[3:]).all(), recording.name
        assert np.abs(trace.velocity[:-LEAD] - velocity[LEAD:]).max() < 1e-5, recording.name
        assert np.array_equal(trace.velocity[:-LEAD],
                              run_reference(network, recording).velocity[LEAD:])


def test_reference_repeats_published_update_order():
    """The authors' equations for one small network: all values come from the step before."""
    network = tiny_network(3)
    recording = random_recording(3, network.channels, 400)
    recurrent, inward, out = (p.weights for p in network.projections)
    hidden, readout = network.populations
    b, rb = hidden.membrane_decay, readout.membrane_decay
    syn, mem, z = np.zeros(5), np.zeros(5), np.zeros(5, bool)
    rsyn, rmem, x = np.zeros(2), np.zeros(2), np.zeros(6)
    velocity, spikes = [], []
    for t in range(recording.steps):
        rmem, rsyn = (rb * rmem + (1 - rb) * rsyn,
                      readout.synaptic_decay * rsyn + z @ (out / (1 - rb)))
        fired = mem > 1
        mem, syn = ((b * mem + (1 - b) * syn) * ~fired,
                    hidden.synaptic_decay * syn + (x @ inward + z @ recurrent) / (1 - b))
        z = fired
        x = np.bincount(recording.channel[recording.start[t]:recording.start[t + 1]], minlength=6)
        velocity.append(rmem)
        spikes.append(z)
    trace = run_reference(network, recording)
    assert np.array(spikes).sum() > 100
    assert (trace.spikes[:-1] == np.array(spikes)[1:]).all()
    assert np.abs(trace.velocity - np.array(velocity)).max() < 1e-12


def test_reference_resets_to_zero_state():
    network = tiny_network(1)
    first = random_recording(1, network.channels, 40)
    events = [first.channel[first.start[t]:first.start[t + 1]].tolist() for t in range(40)]
    trace = run_reference(network, make_recording(events + events, 6, reset=[40]))
    assert trace.spikes.any()
    assert np.array_equal(trace.spikes[40:], trace.spikes[:40])
    assert np.array_equal(trace.velocity[40:], trace.velocity[:40])


def test_reference_peaks_hold_every_state():
    network = tiny_network(2)
    trace = run_reference(network, make_recording([[0]] + [[]] * 9, 6))
    row = np.abs(network.projections[1].weights[0])
    assert np.allclose(trace.current_peak["hidden"], row)
    assert np.array_equal(trace.membrane_peak["readout"], np.abs(trace.velocity).max(axis=0))


@pytest.mark.parametrize("threshold, fires", [(0.75, False), (np.nextafter(0.75, 0), True)])
def test_reference_threshold_is_strict(threshold, fires):
    network = make_network(0, {"one": 1, "out": 1}, [(INPUT, "one", 2), ("one", "out", 0)], 1)
    one = dataclasses.replace(network.populations[0], threshold=np.array([threshold]))
    inward = dataclasses.replace(network.projections[0], weights=np.array([[0.75]]))
    network = dataclasses.replace(network, populations=(one, network.populations[1]),
                                  projections=(inward, network.projections[1]))
    trace = run_reference(network, make_recording([[0], [], []], 1))
    assert trace.spikes[:, 0].tolist() == [False, False, fires]
