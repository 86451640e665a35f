# SPDX-License-Identifier: Apache-2.0

import tracemalloc

import numpy as np
import pytest

from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.quantize.compile import compile_network
from spikewright.quantize.gram import arriving_events, drives, membrane_errors, synapse_traces
from tests.networks import make_network, random_recording, tiny_network


def test_synapse_traces_of_a_step_worked_by_hand():
    """One event on each of two synapses; a = 1/2, b = 1/4; a spike at step 1, a reset at step 3."""
    events = np.array([[1, 0], [0, 1], [0, 0], [1, 0]], float)
    fired, reset = np.array([0, 1, 0, 0], bool), np.array([0, 0, 0, 1], bool)
    traces = synapse_traces(events, np.arange(2), 0.5, 0.25, fired, reset, 0, 1)
    assert traces.tolist() == [[1, 0], [0.75, 1], [0, 0], [1, 0]]
    for every in (2, 3, 5):
        part = synapse_traces(events, np.array([1]), 0.5, 0.25, fired, reset, 0, every)
        assert part.tolist() == traces[::every, 1:].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_synapse_traces_add_up_to_the_membrane(seed):
    """The traces of a neuron times its weights add up to its membrane in the network."""
    network = retime(tiny_network(seed, channels=6, hidden=5))
    recording = random_recording(seed, 6, 200, rate=0.4)
    recording.reset[[60, 130]] = True
    peaks = run_reference(network, recording).membrane_peak["hidden"]
    spikes = run_reference(network, recording).spikes
    hidden, (recurrent, inward, _) = network.populations[0], network.projections
    events = np.zeros((200, 11))
    for t in range(200):
        channels = recording.channel[recording.start[t]:recording.start[t + 1]]
        np.add.at(events[t], 5 + channels, 1)
        began = max(step for step in (0, 60, 130) if step <= t)
        if t - recurrent.delay >= began:
            events[t, :5] = spikes[t - recurrent.delay]
    for i in range(5):
        traces = synapse_traces(events, np.arange(11), hidden.synaptic_decay[i],
                                hidden.membrane_decay[i], spikes[:, i], recording.reset, 0, 1)
        membrane = traces @ np.concatenate([recurrent.weights[:, i], inward.weights[:, i]])
        assert np.abs(membrane).max() == pytest.approx(peaks[i], rel=1e-9)


def test_memory_of_a_neuron():
    """A long recording: no array has all steps and all synapses, with or without zero weights."""
    network, recording = retime(tiny_network(2, channels=40)), random_recording(1, 40, 30_000)
    network.projections[1].weights[3] = 0
    drive = next(drives(network, recording, run_reference(network, recording).spikes))
    decays = (0.7, 0.9)
    membrane_errors(drive, decays)              # compiles
    tracemalloc.start()
    membrane_errors(drive, decays)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert drive.memory == 12 * 44 * 10_000
    assert 0.5 * drive.memory < peak < drive.memory + 20 * 30_000


def test_delay_longer_than_the_recording():
    """No spike arrives, and every weight is still rounded."""
    network = make_network(1, {"a": 3, "out": 2}, [
        ("input", "a", 0), ("input", "a", 8), ("a", "a", 9), ("a", "out", 0)])
    recording = random_recording(1, 4, 5, rate=1.0)
    trace = run_reference(network, recording)
    late = [arriving_events(network, recording, trace.spikes, k) for k in range(4)]
    assert [events.any() for events in late] == [True, False, False, trace.spikes.any()]
    assert [events.shape for events in late] == [(5, 4), (5, 4), (5, 3), (5, 3)]
    model, *_ = compile_network(network, name="m", recording=recording)
    assert all(p.weights.any() for p in model.projections)
