# SPDX-License-Identifier: Apache-2.0
"""What a rung takes, against counts made by hand and by a plain loop."""

import json

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.network import CONSTANT, INPUT, START, Network, Population, Projection
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from spikewright.verify.ladder.cost import Fan, added, float_cost, integer_cost
from spikewright.verify.ladder.rungs import widths_of
from tests.networks import make_recording, random_recording, tiny_network


def _population(name, neurons, spiking):
    ones = np.ones(neurons)
    return Population(name=name, spiking=spiking, synaptic_decay=0.5 * ones,
                      membrane_decay=0.5 * ones, threshold=ones)


def _network(*edges):
    return Network(channels=3, dt=4e-3, populations=(
        _population("hidden", 2, True), _population("out", 1, False)), projections=tuple(
            Projection(source=source, target=target, delay=delay, weights=np.array(w, float))
            for source, target, delay, w in edges))


def test_float_cost_by_hand():
    network = _network((INPUT, "hidden", 0, [[1, 0], [1, 1], [0, 0]]),
                       ("hidden", "hidden", 1, [[0, 1], [0, 0]]), ("hidden", "out", 0, [[1], [1]]))
    recording = make_recording([[0, 1], [2], [1]], 3, reset=[2])
    spikes = np.array([[1, 0], [1, 1], [0, 0]], bool)
    # Input 3 + 0 + 2; recurrence 1 in step 1, and the next is forgotten by the reset; output 1 + 2.
    assert float_cost(network, np.float32, recording, spikes) == {
        "table_bits": 12 * 32, "state_bits": 6 * 32, "footprint_bytes": (12 + 6) * 4,
        "decay_multiplies": 6, "synaptic_operations": 3.0, "dense_operations": 12,
        "connection_sparsity": 0.5, "activation_sparsity": 0.5}
    half = float_cost(network, np.float16, recording, spikes)
    assert (half["table_bits"], half["footprint_bytes"]) == (12 * 16, 36)


def test_spike_in_the_last_step_adds_nothing_later():
    network = _network((INPUT, "hidden", 2, np.ones((3, 2))), ("hidden", "out", 0, [[0], [0]]))
    assert float_cost(network, np.float64, make_recording([[0], [0], [0]], 3),
                      np.zeros((3, 2), bool))["synaptic_operations"] == pytest.approx(2 / 3)


def _additions(model, recording, spikes):
    """Non-zero weights added, counted one by one."""
    place, first = {}, 0
    for population in model.populations:
        if population.spiking:
            place[population.name] = first + population.kept
            first += population.size
    total = 0
    for t in range(recording.steps):
        for projection in model.projections:
            then = t - projection.delay
            if then < 0 or recording.reset[then + 1:t + 1].any():
                continue
            if projection.source == INPUT:
                rows = [model.channel_row[c] for c in
                        recording.channel[recording.start[then]:recording.start[then + 1]]]
            else:
                rows = np.flatnonzero(spikes[then, place[projection.source]])
            total += sum(int((projection.weights[row] != 0).sum()) for row in rows if row >= 0)
    return total


@pytest.mark.parametrize("bits", [3, 8])
def test_integer_cost(bits):
    network = tiny_network(2)
    recording = random_recording(4, network.channels, 120, reset=[50, 51])
    model, network, facts = compile_network(network, name="tiny", widths=widths_of(bits),
                                            recording=recording)
    spikes = run_golden(model, recording, CoreConfig()).spikes
    cost = integer_cost(model, 1001, network, recording, spikes)
    assert spikes.sum() > 50
    assert cost["synaptic_operations"] * recording.steps == pytest.approx(
        _additions(model, recording, spikes))
    neurons = sum(population.neurons for population in model.populations)
    hidden = neurons - model.outputs
    assert cost["table_bits"] == 1001
    assert cost["state_bits"] == neurons * (16 + 20)
    assert cost["footprint_bytes"] == np.ceil((1001 + neurons * 2 * 12 + hidden * 20) / 8)
    assert cost["decay_multiplies"] == 2 * neurons
    synapses = sum(p.weights.size for p in network.projections)
    assert cost["dense_operations"] == synapses
    assert cost["connection_sparsity"] == 1 - facts["non_zeros"] / synapses


def test_counts_are_the_published_ones(shared):
    network = read_checkpoint(shared / "checkpoints" / "indy03" / "tinyRSNN-1.pth")
    results = shared / "checkpoints" / "results_tinyRSNN_indy_20170131_02.json"
    published = json.loads(results.read_text())
    cost = float_cost(network, np.float16, random_recording(1, 96, 10), np.zeros((10, 64), bool))
    assert cost["footprint_bytes"] == published["footprint"][0] == 21_000
    assert cost["dense_operations"] == published["dense"][0] == 10_368


@pytest.mark.parametrize("bits, expected", [(4, (16, 20, 12)), (8, (16, 20, 12)),
                                            (10, (18, 22, 14)), (16, (24, 28, 16))])
def test_widths_grow_with_weights_beyond_8_bits(bits, expected):
    widths = widths_of(bits)
    assert (widths.weight, widths.current, widths.membrane, widths.decay) == (bits, *expected)


def test_additions_of_every_source():
    """Events, spikes, a constant in every step and a kick after each reset, with their delays."""
    recording = make_recording([[0, 0], [1], [], [0], [1]], 2, reset=(3,))
    spikes = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 0, 0]], bool)
    columns = {"a": slice(0, 2), "b": slice(2, 3)}

    def of(source, delay, *weights):
        return 5 * added([Fan(source, delay, np.array(weights))], recording, spikes, columns)
    assert of(INPUT, 0, 3, 5) == 3 * 3 + 2 * 5
    assert of(INPUT, 1, 3, 5) == 2 * 3 + 5 + 3     # the event of the last step comes too late
    assert of("a", 0, 10, 1) == 3 * 10 + 2
    assert of("a", 1, 10, 1) == 10 + 1             # nothing crosses the reset before step 3
    assert of("b", 2, 7) == 7
    assert of(CONSTANT, 0, 4) == 5 * 4
    assert of(CONSTANT, 1, 4) == 3 * 4             # not in step 0, nor in step 3
    assert of(START, 0, 6) == 2 * 6
