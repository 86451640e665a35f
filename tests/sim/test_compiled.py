# SPDX-License-Identifier: Apache-2.0
"""Compiled RTL against golden, every value and every cycle, on small networks."""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.compare import differences
from spikewright.golden.run import run_golden
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.model.integers import Widths
from spikewright.network.network import CONSTANT, INPUT
from spikewright.sim.compiled import run_compiled
from tests.designs import BUILD, CORES, equal_answer, plan_of, published_form
from tests.hw.test_networks import random_plan
from tests.networks import (
    MIXED,
    deep_model,
    make_network,
    make_recording,
    nearest_model,
    random_recording,
    refused,
    tiny_network,
)

STEPS = 300

LANES, SERIAL = {"neurons": "lanes"}, {"multiplier": "serial"}


@pytest.mark.parametrize("lanes", [1, 3, 4, 8, 64])
def test_compiled_deep_equals_golden(lanes):
    """Two recurrent populations, delays 0 to 5, repeated events, saturation and resets."""
    model = deep_model(lanes)
    answer = equal_answer(model, random_recording(lanes, 6, STEPS, reset=[0, 70, 71, 200]), lanes)
    assert answer.spikes[:, :7].any() and answer.spikes[:, 7:].any()
    assert answer.saturated.any() and not answer.saturated[[0, 70, 71]].any()
    assert len(np.unique(answer.cycles)) > 10


@pytest.mark.parametrize("tables, lanes", [
    ("bitmap", 1), ("bitmap", 4), ("bitmap", 8), ("rows", 1), ("rows", 4), ("smallest", 4)])
def test_compiled_tables(tables, lanes):
    """Every format of the weight tables, and two at once."""
    recording = random_recording(lanes, 6, STEPS, reset=[0, 70, 71, 200])
    model = deep_model(7)
    answer = equal_answer(model, recording, lanes, tables=tables)
    assert answer.saturated.any() and len(np.unique(answer.cycles)) > 10
    if tables == "smallest":
        assert len(plan_of(model, lanes, tables=tables).layout.memories) == 2


@pytest.mark.parametrize("tables, lanes, choices", [
    ("dense", 1, SERIAL), ("dense", 4, LANES), ("bitmap", 4, {}), ("rows", 3, {}),
    ("smallest", 4, {})])
def test_compiled_mixed_widths(tables, lanes, choices):
    """Projections of three widths, each with its largest and smallest possible weights."""
    model = deep_model(7, None, MIXED)
    for projection in model.projections:
        most = (1 << projection.bits - 1) - 1
        projection.weights[0], projection.weights[1] = most, -most - 1
        projection.weights[3:, 1:] = 0
    rows = core_params(plan_of(model, lanes, tables=tables, **choices)).rows
    assert {memory.shift for memory in rows.memories} == {0, 2, 4} and rows.row_shift == 2
    assert len(rows.memories) == (4 if tables == "smallest" else 3)
    answer = equal_answer(model, random_recording(7, 6, STEPS, reset=[0, 70, 71, 200]), lanes,
                          tables=tables, **choices)
    assert answer.spikes[:, :7].any() and answer.spikes[:, 7:].any()
    assert answer.saturated.any() and not answer.saturated[[0, 70, 71]].any()


@pytest.mark.parametrize("lanes, choices", [
    (1, LANES), (3, LANES), (4, LANES), (4, LANES | {"tables": "rows"}),
    (4, LANES | {"tables": "bitmap"}), (16, LANES), (17, LANES), (1, SERIAL), (3, SERIAL)])
def test_compiled_neurons(lanes, choices):
    """The same with a neuron unit per lane, and with a serial multiplier."""
    recording = random_recording(lanes, 6, STEPS, reset=[70, 71, 200])
    answer = equal_answer(deep_model(4), recording, lanes, **choices)
    assert answer.spikes[:, :7].any() and answer.spikes[:, 7:].any()
    assert answer.saturated.any() and not answer.saturated[[70, 71]].any()


def test_compiled_listed_rows_after_others():
    """A listed row may begin where the row before it, of another format, ended."""
    model = deep_model(6)
    projections = []
    for p in model.projections:
        weights = np.where(p.weights == 0, 1, p.weights)
        if p.source == "input":
            weights = weights * (np.arange(weights.shape[1]) == weights.shape[1] - 1)
        projections.append(dataclasses.replace(p, weights=weights))
    model = dataclasses.replace(model, projections=tuple(projections))
    formats = {name for _, name in plan_of(model, 1, tables="smallest").layout.memories}
    assert "rows" in formats and len(formats) > 1
    answer = equal_answer(model, random_recording(3, 6, STEPS), 1, tables="smallest")
    assert answer.spikes.any()


@pytest.mark.parametrize("rate", [0.0, 0.02, 3.0])
def test_compiled_rates(rate):
    """Silence, steps mostly without events, and bursts that keep the adder busy."""
    answer = equal_answer(deep_model(4), random_recording(9, 6, STEPS, rate), 4)
    assert (answer.cycles.max() > 100) == (rate > 1)


def test_compiled_burst_of_every_channel():
    every = list(range(6))
    recording = make_recording([every, every * 9, [], every[::-1]] * 20, 6)
    answer = equal_answer(deep_model(4), recording)
    assert answer.saturated.any()


def test_compiled_reset_before_every_step():
    """From zero state, equal steps give equal answers."""
    answer = equal_answer(deep_model(4), make_recording([[0, 2, 3, 5]] * 20, 6, reset=range(20)))
    assert (answer.velocity_int == answer.velocity_int[0]).all()
    assert len(set(answer.cycles)) == len(set(answer.latency)) == 1


def test_compiled_same_event_twice():
    """The second row of the same channel reads what the first has written."""
    once, twice = (equal_answer(deep_model(8), make_recording([[2] * n, [], []], 6), 8)
                   for n in (1, 2))
    assert (once.velocity_int != twice.velocity_int).any()


@pytest.mark.parametrize("widths", [
    Widths(weight=2, current=8, membrane=8, decay=4, fraction=0),
    Widths(weight=16, current=32, membrane=32, decay=16, fraction=12),
    Widths(weight=3, current=11, membrane=13, decay=7, fraction=5),
], ids=["least", "most", "odd"])
def test_compiled_widths(widths):
    answer = equal_answer(deep_model(11, widths), random_recording(11, 6, STEPS))
    assert answer.spikes.any()


@pytest.mark.parametrize("seed, sizes, lanes", [
    (1, {}, 4),
    (2, {"channels": 9, "hidden": 13, "outputs": 3}, 5),
    (3, {"channels": 1, "hidden": 1, "outputs": 1}, 1),
    (11, {"channels": 2, "hidden": 1, "outputs": 1}, 9),
    (5, {"channels": 9, "hidden": 40}, 20),
])
def test_compiled_published_form(seed, sizes, lanes):
    model = published_form(tiny_network(seed, **sizes))
    recording = random_recording(seed, model.channels, STEPS, rate=0.5, reset=[100])
    assert equal_answer(model, recording, lanes).velocity_int.any()


def test_compiled_feed_forward_chain():
    model = published_form(make_network(0, {"a": 6, "b": 5, "c": 4, "out": 2}, [
        ("input", "a", 1), ("a", "b", 1), ("b", "c", 2), ("c", "out", 0)]))
    answer = equal_answer(model, random_recording(0, 4, STEPS, rate=1.0), 3)
    assert (answer.spikes.sum(axis=0) > 0).sum() > 8


@pytest.mark.parametrize("choices", [{}, {"neurons": "lanes", "tables": "bitmap"}], ids=str)
def test_compiled_without_recurrence(choices):
    """Recurrent weights that are all zero take no operation."""
    network = tiny_network(7, channels=9, hidden=13)
    network.projections[0].weights[:] = 0
    model = published_form(network)
    assert [p.title for p in model.projections] == ["input->hidden", "hidden->readout"]
    assert equal_answer(model, random_recording(7, 9, STEPS, rate=0.5, reset=[100]),
                        **choices).spikes.any()


def test_compiled_several_outputs():
    """Outputs of two populations leave in the order of the populations."""
    model = deep_model(2)
    second = dataclasses.replace(model.populations[2], name="more", kept=np.array([0]), size=1,
                                 **{key: getattr(model.populations[2], key)[1:] for key in
                                    ("synaptic_decay", "membrane_decay", "threshold")})
    extra = dataclasses.replace(model.projections[-1], target="more",
                                weights=model.projections[-1].weights[:, :1])
    model = dataclasses.replace(model, populations=(*model.populations, second),
                                projections=(*model.projections, extra),
                                readout=np.diag([0.5, 0.25, 2.0]), offset=np.zeros(3))
    answer = equal_answer(model, random_recording(2, 6, STEPS), 2)
    assert answer.velocity_int.any(axis=0).tolist() == [True] * 3


def test_compiled_runs_from_configuration_each_time():
    model, recording = deep_model(4), random_recording(4, 6, 50)
    first, second = (equal_answer(model, recording) for _ in range(2))
    assert np.array_equal(first.velocity_int, second.velocity_int)


def test_compiled_refuses_other_recording():
    with refused("Recording made n_channels must be 6, as the network has, not 5"):
        run_compiled(plan_of(deep_model(4)), random_recording(4, 5, 5), BUILD)


def feed_forward_model(seed=3):
    """No spikes reach the first population: a step begins with the input."""
    network = make_network(seed, {"hidden": 13, "out": 2},
                           [(INPUT, "hidden", 0), ("hidden", "out", 0)], channels=5)
    return nearest_model(network, Widths(), "feed-forward")


@pytest.mark.parametrize("rate", [0.6, 0.05], ids=["busy", "silent_steps"])
@pytest.mark.parametrize("choices", CORES, ids=str)
def test_step_that_begins_with_the_input(choices, rate):
    """A step begins while currents may decay."""
    answer = equal_answer(feed_forward_model(),
                          random_recording(1, 5, 300, rate=rate, reset=[50, 51, 200]), **choices)
    assert answer.spikes.any()


@pytest.mark.parametrize("model", [feed_forward_model(), deep_model(4)],
                         ids=["feed_forward", "deep"])
@pytest.mark.parametrize("choices", CORES, ids=str)
def test_stalls_and_rst_change_no_value(choices, model):
    """Tokens and results wait for random cycles; `rst` comes in any cycle of a step."""
    recording = random_recording(2, model.channels, 60, rate=0.5, reset=[0, 31])
    plan = plan_of(model, **choices)
    golden = run_golden(model, recording, plan.config)
    assert golden.spikes.any()
    text = convert(Core(core_params(plan)))

    def check(**moment):
        got = run_compiled(plan, recording, BUILD, text, **moment)
        assert differences(golden, dataclasses.replace(got, latency=golden.latency)) == [], moment

    for stalls in range(1, 6):
        check(stalls=stalls)
    for rst_at in range(0, 400, 9):
        check(rst_at=rst_at, stalls=rst_at % 2 * (rst_at + 1))


def test_step_that_begins_before_the_weights_are_there():
    """Of this network, the bias is added before the input is taken. The host brings its weights."""
    plan = random_plan(267)
    assert plan.large and plan.program.operations[0].span.population.name == CONSTANT
    recording = random_recording(267, plan.model.channels, 12, rate=0.2)
    found = run_compiled(plan, recording, BUILD)
    assert differences(run_golden(plan.model, recording, plan.config), found) == []


@pytest.mark.parametrize("choices", [{"lanes": lanes, "neurons": neurons} for lanes in (1, 2, 5)
                                     for neurons in ("shared", "lanes")], ids=str)
def test_full_spike_list(choices):
    """Every neuron fires in one step, so the spike list is full; rows have several words."""
    model = deep_model(4)
    populations = tuple(
        dataclasses.replace(p, threshold=p.threshold * 0, membrane_decay=p.membrane_decay * 0)
        if p.spiking else p for p in model.populations)
    projections = tuple(
        dataclasses.replace(p, weights=np.full_like(p.weights, (1 << p.bits - 1) - 1))
        for p in model.projections)
    model = dataclasses.replace(model, populations=populations, projections=projections)
    recording = make_recording([[0, 1, 2, 3, 4, 5]] * 40, 6)
    answer = equal_answer(model, recording, **choices)
    # The reset of a spike takes the whole step after it.
    neurons = sum(p.neurons for p in populations if p.spiking)
    assert (answer.spikes.sum(axis=1) == neurons).sum() > 10
