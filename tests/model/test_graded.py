# SPDX-License-Identifier: Apache-2.0
"""Models with graded populations: what they may hold, their bounds, and their folder."""

import dataclasses

import numpy as np
import pytest

from spikewright.command.costs import cost_rows
from spikewright.golden.run import run_golden
from spikewright.model.artefact import load_model, model_hash, save_artefact
from spikewright.model.graded import largest_sum, pool_room, sum_limits, window_room
from spikewright.model.integers import IntegerProjection, Widths
from spikewright.model.model import IntegerModel
from spikewright.model.summary import summary
from spikewright.network.network import INPUT
from spikewright.plan.config import CoreConfig
from spikewright.quantize.graded.integer import quantize_graded
from tests.graded import graded_network, random_counts, recording_of
from tests.hybrid import hybrid_model, hybrid_network
from tests.networks import deep_model, random_recording
from tests.units import graded_model, units_of


def small(projections=None, **changes):
    """A model of two rectified units over a window of 3 steps, and an output."""
    facts = {
        "name": "small", "dt": 4e-3, "channels": 2, "channel_row": np.array([0, 1]),
        "readout": np.eye(1), "lead_steps": 0,
        "widths": Widths(weight=4, current=16, membrane=16, fraction=0),
        "populations": (units_of("units", 2, bits=5, factor=np.array([4, 3])),
                        units_of("out", 1, output=True)),
        "projections": projections or (window([[7, -8], [3, 0]]), synapses([[5], [-6]]))}
    return IntegerModel(**(facts | changes))


def window(weights, delay=0, until=3, **changes):
    return IntegerProjection(**({"source": INPUT, "target": "units", "delay": delay, "until": until,
                                "bits": 4, "weights": np.array(weights)} | changes))


def synapses(weights, **changes):
    return IntegerProjection(**({"source": "units", "target": "out", "delay": 0, "bits": 4,
                                "weights": np.array(weights)} | changes))


def test_limits_of_sums():
    """A window has at most the 64 events of its log, and a value is at most 15."""
    model = small()
    units, out = model.populations
    assert model.window_room == window_room(2) == 64 and model.graded and model.value_bits == 5
    least, most = sum_limits(model, units)
    assert (least.tolist(), most.tolist()) == ([0, -512], [448, 0])
    assert [side.tolist() for side in sum_limits(model, out)] == [[-90], [75]]
    assert largest_sum(model, units) == 512 and largest_sum(model, out) == 90
    biased = dataclasses.replace(units, bias=np.array([10, -10]))
    assert largest_sum(model, biased) == 522


def test_limits_of_windows_that_overlap():
    """An event is in both windows at the ages 2 and 3, and in one at any other age."""
    first, second = window([[7, 1], [1, 1]], until=4), window([[2, 3], [6, -1]], delay=2, until=9)
    least, most = sum_limits(model := small((first, second, synapses([[1], [1]]))),
                             model.populations[0])
    assert (least.tolist(), most.tolist()) == ([0, -64], [9 * 64, 4 * 64])


def test_room_of_the_log():
    assert [window_room(rows) for rows in (1, 4, 5, 96, 192)] == [64, 64, 128, 2048, 4096]


def test_the_log_of_pools_has_room_for_their_taps():
    """The published form has 9 taps. Half an event a step and row, from 9 to 32 taps."""
    assert [pool_room(taps - 1) for taps in (2, 9, 10, 30, 32, 33, 64)] == [4, 4, 5, 15, 16, 16, 16]
    assert [hybrid_model(0, channels=24, taps=(taps, 4)).window_room for taps in (9, 30)] == [
        128, 512]


@pytest.mark.parametrize("seed", range(6))
def test_folder_holds_a_graded_model(seed, tmp_path):
    model = graded_model(seed)
    network = graded_network("ANN", 1, channels=model.channels, outputs=model.outputs)
    save_artefact(tmp_path / "model", model, network, {"values": {
        "bits": 11, "margin": 1.25, "source": "made", "simulated": False}})
    again, read, manifest = load_model(tmp_path / "model")
    assert model_hash(again) == model_hash(model) == manifest["model_hash"]
    assert [type(stage) for stage in read.stages] == [type(stage) for stage in network.stages]
    assert (again.fill_steps, again.silent_steps) == (model.fill_steps, model.silent_steps)
    recording = random_recording(1, model.channels, 30)
    assert np.array_equal(run_golden(again, recording, CoreConfig()).velocity_int,
                          run_golden(model, recording, CoreConfig()).velocity_int)


def changed(index, **changes):
    """The populations of `small`, one of them changed."""
    populations = list(small().populations)
    populations[index] = dataclasses.replace(populations[index], **changes)
    return {"populations": tuple(populations)}


@pytest.mark.parametrize("changes, message", [
    (changed(0, kind="max"), "units kind must be one of rectify, sum, pool, normalize, not 'max'"),
    (changed(0, bits=17), "units bits must be between 2 and 16, not 17"),
    (changed(1, bits=5), "out bits must be between 0 and 0, not 5"),
    (changed(0, factor=np.array([4, 1 << 15])),
     "units factor must be between 0 and 32767, not 32768"),
    (changed(0, shift=np.array([0, 1])), "units shift must be between 1 and 40, not 0"),
    (changed(0, bias=np.zeros(3, int)), "units bias must have shape (2,), not (3,)"),
    (changed(0, bias=np.array([32700, 0])),
     ("units sums must be from -32767 to 32767, so that they fit 16 bits, not up to 33148")),
    ({"projections": (window([[1, 1], [1, 1]], until=None), synapses([[1], [1]]))},
     "input->units until must be from 1 to 64, not None"),
    ({"projections": (window([[1, 1], [1, 1]], until=65), synapses([[1], [1]]))},
     "input->units until must be from 1 to 64, not 65"),
    ({"projections": (window([[1, 1], [1, 1]], shift=1), synapses([[1], [1]]))},
     "input->units shift must be 0, because it adds to sums, not 1"),
    ({"projections": (window([[1, 1], [1, 1]]), synapses([[1], [1]], delay=1))},
     ("units->out delay must be 0, and until missing, because it does not come from the input, "
     "not 1 and None")),
    ({"projections": (window([[1], [1]], target="out"), window([[1, 1], [1, 1]]),
                      synapses([[1], [1]]))},
     "Projections from the input must go to one population, not to out, units"),
    ({"projections": (window([[1, 1], [1, 1]]), window([[1, 1], [1, 1]], until=4),
                      synapses([[1], [1]]))},
     "Projections from the input with delay 0 must be 1 at most, not 2"),
    ({"fill_steps": 2}, "Projections from the input with delay 0 must be 0 at most, not 1"),
    ({"silent_steps": 64}, "silent_steps must be between 0 and 63, not 64"),
    ({"silent_steps": 4}, "silent_steps must be at most 3, the longest look of a window, not 4"),
    ({"fill_steps": -1}, "fill_steps must be between 0 and 63, not -1"),
])
def test_refused_models(changes, message):
    with pytest.raises(ValueError) as error:
        small(**changes)
    assert str(error.value) == message


def test_graded_units_behind_neurons_are_refused():
    model = deep_model(1)
    with pytest.raises(ValueError, match=r"^out must come before all populations that are not "
                                         r"graded$"):
        dataclasses.replace(model, populations=(*model.populations[:2],
                                                units_of("out", 2, output=True)))


def test_pools_that_look_at_no_earlier_step_are_refused():
    """Their log would never lose an event again."""
    model = hybrid_model(0)
    with pytest.raises(ValueError, match=r"^Projections from the input to pool1 must have a delay "
                                         r"of 1 or more among them, not only 0$"):
        dataclasses.replace(model, projections=tuple(
            p for p in model.projections if p.source != INPUT or not p.delay))


def test_windows_of_neurons_are_refused():
    model = deep_model(1)
    with pytest.raises(ValueError, match=r"^input->first until must be missing, because it "
                                         r"does not go to graded units, not 5$"):
        dataclasses.replace(model, projections=tuple(
            dataclasses.replace(p, until=5 if p.source == INPUT else None)
            for p in model.projections))


def test_a_network_of_another_form_is_refused(tmp_path):
    model = graded_model(1)
    network = graded_network("ANN", 1, channels=model.channels, outputs=model.outputs + 1)
    save_artefact(tmp_path / "model", model, network, {})
    with pytest.raises(Exception, match="its axes must be"):
        load_model(tmp_path / "model")


def test_lines_about_a_hybrid_network(tmp_path):
    """Projections that differ in their delays alone share a line. There is none about the source of
    biases in the shape.
    """
    model = hybrid_model(0)
    manifest = save_artefact(tmp_path / "model", model, hybrid_network(0), {})
    lines = dict(line.split("  ", 1) for line in summary(manifest, cost_rows(model)).splitlines())
    lines = {title: told.strip() for title, told in lines.items()}
    assert lines["shape"] == ("6 channels -> 5 pool1 -> 4 pool2 -> 6 lif1 (recurrent) -> 5 lif2 "
                              "(recurrent) -> 2 fc3 (output)")
    assert lines["shifts"].startswith("weights to the left, in bits: lif1->lif1 ")
    assert [lines[title] for title in ("input->pool1", "pool1->pool2", "pool2->lif1", "lif1->lif1",
                                       "constant->lif1", "lif2->fc3")] == [
        "input, 8 bits, delays 0, 1 and 2", "8 bits, delays 0, 2, 4 and 6", "8 bits, delay 0",
        "recurrent, 8 bits, delay 4", "bias, 8 bits, delay 0", "output, 8 bits, delays 0, 4 and 8"]
    used = sum(np.count_nonzero(p.weights) for p in model.projections if p.target == "pool1")
    assert lines["input->pool1 tables"] == (
        f"3 of 6 x 5, {used} non-zeros; dense 1152 bits, 2 cycles a row, bitmap "
        f"{3 * 6 * (8 + 9) + 8 * used} bits, 2 cycles a row, rows 1728 bits, 2 cycles a row")
    assert lines["pool2->lif1 table"].startswith("4 x 6, 23 non-zeros; dense 256 bits, 2 cycles a ")


def test_lines_about_a_window(tmp_path):
    network = graded_network("ANN_Flat", 1)
    model = quantize_graded(network, recording_of(random_counts(1, 80, 6)), name="made")
    lines = summary(save_artefact(tmp_path / "model", model, network, {})).splitlines()
    assert lines[-3] == ("input->fc1  input, 8 bits, delays 43, 36, .. 1, each subtracted 7 steps "
                         "later")
    network = graded_network("ANN", 1)
    model = quantize_graded(network, recording_of(random_counts(1, 80, 6)), name="made")
    lines = summary(save_artefact(tmp_path / "model", model, network, {})).splitlines()
    assert lines[-3:] == ["input->fc1  input, 8 bits, delay 0, subtracted after 50 steps",
                          "fc1->fc2    8 bits, delay 0", "fc2->fc3    output, 8 bits, delay 0"]
