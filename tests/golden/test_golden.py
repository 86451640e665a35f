# SPDX-License-Identifier: Apache-2.0
"""The golden model against a second program with the same integer equations."""

import dataclasses
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.artefact import save_artefact
from spikewright.model.integers import Widths
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.network import INPUT
from spikewright.network.recording import poisson_recording
from spikewright.network.reference import run_reference
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from tests.networks import (
    deep_model,
    make_recording,
    nearest_model,
    random_recording,
    refused,
    tiny_network,
)


def _oracle(model, recording):
    """Outputs, spikes and saturation of every step, in Python integers of any size.

    s += w << f << e per event;  m = 0 if fired before else sat(rnd(B m) + s);  y = m > threshold;
    s = sat(rnd(A s));  rnd(x) = (x + 2**(d-1)) >> d.
    """
    widths = model.widths
    saturated = False

    def sat(value, bits):
        nonlocal saturated
        bounded = max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, value))
        saturated = saturated or bounded != value
        return bounded

    def rnd(value):
        return (value + 2 ** (widths.decay - 1)) >> widths.decay

    lists = {p.name: [p.synaptic_decay.tolist(), p.membrane_decay.tolist(), p.threshold.tolist()]
             for p in model.populations}
    weights = [p.weights.tolist() for p in model.projections]
    channel_row, answers = model.channel_row.tolist(), []
    s, m, history = {}, {}, []
    for t in range(recording.steps):
        if t == 0 or recording.reset[t]:
            s = {p.name: [0] * p.neurons for p in model.populations}
            m = {p.name: [0] * p.neurons for p in model.populations}
            history, saturated = [], False
        history.append({})
        channels = recording.channel[recording.start[t]:recording.start[t + 1]].tolist()
        rows = [channel_row[c] for c in channels if channel_row[c] >= 0]
        for population in model.populations:
            name = population.name
            into = [(p, w) for p, w in zip(model.projections, weights, strict=True)
                    if p.target == name]
            for projection, table in sorted(into, key=lambda edge: edge[0].source == INPUT):
                due, unit = [], 2 ** (widths.fraction + projection.shift)
                if projection.source == INPUT:
                    due = rows
                elif projection.delay < len(history):
                    due = history[-1 - projection.delay][projection.source]
                for row in due:
                    for i, weight in enumerate(table[row]):
                        s[name][i] = sat(s[name][i] + weight * unit, widths.current)
            before = history[-2][name] if len(history) > 1 else []
            decay_s, decay_m, threshold = lists[name]
            for i in range(population.neurons):
                m[name][i] = 0 if i in before else sat(rnd(decay_m[i] * m[name][i]) + s[name][i],
                                                       widths.membrane)
                s[name][i] = sat(rnd(decay_s[i] * s[name][i]), widths.current)
            history[-1][name] = [i for i in range(population.neurons)
                                 if population.spiking and m[name][i] > threshold[i]]
        answers.append((
            [value for p in model.populations if not p.spiking for value in m[p.name]],
            [place in p.kept[history[-1][p.name]] for p in model.populations if p.spiking
             for place in range(p.size)], saturated))
    return [np.array(column) for column in zip(*answers, strict=True)]


def _equal(model, recording):
    answer = run_golden(model, recording, CoreConfig())
    outputs, spikes, saturated = _oracle(model, recording)
    assert np.array_equal(answer.velocity_int, outputs)
    assert np.array_equal(answer.spikes, spikes)
    assert np.array_equal(answer.saturated, saturated)
    assert np.array_equal(answer.velocity, outputs @ model.readout.T)
    return answer


@pytest.mark.parametrize("seed", range(6))
def test_golden_equals_oracle_on_tiny_networks(seed):
    model, _, _ = compile_network(tiny_network(seed, channels=10, hidden=12), name="net")
    answer = _equal(model, random_recording(seed, 10, 300, rate=0.2, reset=[0, 90, 91, 200]))
    assert answer.spikes.any()


@pytest.mark.parametrize("checkpoint", ["indy03/tinyRSNN-1", "loco03/tinyRSNN-2"])
def test_golden_equals_oracle_on_published_networks(shared, checkpoint):
    pytest.importorskip("torch", reason="the published networks are .pth files")
    model, _, _ = compile_network(read_checkpoint(shared / "checkpoints" / f"{checkpoint}.pth"),
                                  name=checkpoint)
    answer = _equal(model, poisson_recording(model.channels, 4e-3, steps=150, rate=15, seed=7))
    assert answer.spikes.any(axis=0).sum() > 20


@pytest.mark.parametrize("seed", range(10))
def test_golden_equals_oracle_on_deep_networks(seed):
    """Several populations, delays 0 to 5, dropped parts, repeated events, forced saturation."""
    recording = random_recording(seed, 6, 200, rate=1, reset=[70, 71, 130])
    answer = _equal(deep_model(seed), recording)
    assert answer.spikes.any() and answer.saturated.any()
    wide = deep_model(seed, Widths(weight=9, current=24, membrane=28, decay=9, fraction=1))
    assert not _equal(wide, recording).saturated.any()


@pytest.mark.parametrize("widths", [
    Widths(weight=16, current=32, membrane=32, decay=16, fraction=12),
    Widths(weight=2, current=8, membrane=8, decay=4, fraction=0),
    Widths(weight=16, current=16, membrane=32, decay=4, fraction=0)])
def test_golden_equals_oracle_at_the_ends_of_the_widths(widths):
    for seed in range(3):
        _equal(deep_model(seed, widths), random_recording(seed, 6, 150, rate=1.5))


def _single(weight, threshold, a=0, b=0, delay=None, **widths):
    """One channel, one neuron, one output of weight 1, 4 decay bits and no fraction."""
    network = tiny_network(0, channels=1, hidden=1, outputs=1).with_delays([delay or 1, 0, 0], 0)
    model = nearest_model(network, Widths(), "one")
    widths = Widths(**{"weight": 8, "current": 16, "membrane": 16, "decay": 4, "fraction": 0,
                       **widths})
    hidden, out = model.populations
    hidden = dataclasses.replace(
        hidden, threshold=np.array([threshold]), synaptic_decay=np.array([a]),
        membrane_decay=np.array([b]))
    out = dataclasses.replace(out, threshold=np.array([(1 << widths.membrane - 1) - 1]),
                              synaptic_decay=np.array([0]), membrane_decay=np.array([0]))
    values = [[[0 if delay is None else weight]], [[weight]], [[1]]]
    projections = tuple(dataclasses.replace(p, weights=np.array(value))
                        for p, value in zip(model.projections, values, strict=True))
    return dataclasses.replace(model, widths=widths, populations=(hidden, out),
                               projections=projections)


@pytest.mark.parametrize("threshold, fires", [(9, True), (10, False), (11, False)])
def test_golden_threshold_is_strict(threshold, fires):
    answer = _equal(_single(10, threshold), make_recording([[0], []], 1))
    assert answer.spikes[:, 0].tolist() == [fires, False]
    assert answer.velocity_int[:, 0].tolist() == [int(fires), 0]


@pytest.mark.parametrize("weight, decayed", [
    (10, [5, 3, 2, 1, 1, 1]),           # half of 5 is 2.5 -> 3, of 1 is 0.5 -> 1
    (-10, [-5, -2, -1, 0, 0, 0]),       # half of -5 is -2.5 -> -2, of -1 is -0.5 -> 0
])
def test_golden_rounds_half_up(weight, decayed):
    """A membrane that only decays, with a threshold just below it and one equal to it."""
    for step, value in enumerate(decayed, 1):
        model = _single(weight, 0, b=8)
        out = dataclasses.replace(model.populations[1], membrane_decay=np.array([8]))
        inward = dataclasses.replace(model.projections[1], weights=np.array([[1]]))
        onward = dataclasses.replace(model.projections[2], weights=np.array([[weight]]))
        model = dataclasses.replace(
            model, populations=(model.populations[0], out),
            projections=(model.projections[0], inward, onward))
        answer = _equal(model, make_recording([[0]] + [[]] * 6, 1))
        assert answer.velocity_int[0, 0] == weight
        assert answer.velocity_int[step, 0] == value


@pytest.mark.parametrize("delay", [1, 2, 5])
def test_golden_delay_and_reset_after_a_spike(delay):
    """A spike acts on its neuron after ``delay`` steps. The membrane is 0 in the step after it."""
    answer = _equal(_single(10, 9, delay=delay), make_recording([[0]] + [[]] * 12, 1))
    echo = [t for t in range(13) if t % max(delay, 2) == 0]
    if delay == 1:
        echo = [0]      # the echo falls into the step in which the membrane is held at 0
    assert np.flatnonzero(answer.spikes[:, 0]).tolist() == echo


def test_golden_adds_each_event_of_a_count():
    answer = _equal(_single(10, 29), make_recording([[0, 0], [], [0, 0, 0], []], 1))
    assert answer.spikes[:, 0].tolist() == [False, False, True, False]


def test_golden_saturates_and_tells_until_reset():
    model = _single(127, 254, current=8, membrane=9)
    recording = make_recording([[0], [0, 0, 0], [], [0], []], 1, reset=[3])
    answer = _equal(model, recording)
    assert answer.saturated.tolist() == [False, True, True, False, False]


def test_golden_refuses_a_recording_of_another_network():
    with refused("Recording made n_channels must be 6, as the network has, not 5"):
        run_golden(deep_model(0), make_recording([[0]], 5), CoreConfig())


def test_golden_interpreted_equals_compiled(tmp_path):
    """The interpreter and numba give the same results for golden/core.py."""
    model, network, facts = compile_network(tiny_network(1, channels=8, hidden=9), name="net")
    save_artefact(tmp_path / "model", model, network, facts)
    recording = random_recording(1, 8, 200)
    np.savez(tmp_path / "rec.npz", bin=np.repeat(np.arange(200), np.diff(recording.start)),
             channel=recording.channel, n_bins=200, n_channels=8, dt=4e-3)
    subprocess.run([sys.executable, "-m", "spikewright", "run",
                    tmp_path / "model",
                    tmp_path / "rec.npz", "-o", tmp_path / "out.npz"], check=True,
                   env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True)
    answer = run_golden(model, recording, CoreConfig())
    assert answer.spikes.any()
    with np.load(tmp_path / "out.npz") as file:
        fields = {field.name for field in dataclasses.fields(answer)} - {"values"}
        assert set(file.files) == {*fields, "spikes_hidden", "made_by"}
        for key in fields:
            assert np.array_equal(file[key], getattr(answer, key)), key
        assert np.array_equal(file["spikes_hidden"], answer.spikes)


def test_golden_decodes_ten_minutes_in_ten_seconds():
    model, _, _ = compile_network(tiny_network(0, channels=96, hidden=64, gain=0.5), name="net")
    recording = poisson_recording(96, 4e-3, steps=150_000, rate=10, seed=0)
    start = time.process_time()
    answer = run_golden(model, recording, CoreConfig())
    assert time.process_time() - start < 10
    assert answer.velocity_int.shape == (150_000, 2) and answer.spikes.any()


def test_golden_follows_the_float_model():
    """With wide numbers the integer model fires exactly when the float model does."""
    network = tiny_network(0, channels=20, hidden=30, gain=2)
    recording = random_recording(0, 20, 60, rate=0.05)
    model, early, _ = compile_network(network, name="net", recording=recording, widths=Widths(
        weight=16, current=32, membrane=32, decay=16))
    trace = run_reference(early, recording)
    answer = run_golden(model, recording, CoreConfig())
    assert trace.spikes.sum() > 20
    assert np.array_equal(answer.spikes, trace.spikes)
    assert answer.velocity == pytest.approx(trace.velocity, abs=2e-3 * np.abs(trace.velocity).max())
