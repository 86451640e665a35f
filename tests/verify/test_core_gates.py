# SPDX-License-Identifier: Apache-2.0
"""The core's gates, compiled, against golden; the whole top's are in test_gates.

``SPIKEWRIGHT_STEPS=5000`` in the environment runs the gates of every neuron, of NIR graphs, of
graded values, of inner steps and of the hybrid network, too.
"""

import dataclasses

import numpy as np
import pytest

from spikewright.base.errors import CoreFault
from spikewright.boards.board.platforms import BOARDS
from spikewright.command.commands import run_words
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.model.model import IntegerModel
from spikewright.plan.plan import Plan
from spikewright.verify.gates.core import check_gates, core_gates
from tests.boards.boards_bench import saved_model
from tests.designs import BUILD, plan_of
from tests.graded import random_counts, recording_of
from tests.hybrid import hybrid_model
from tests.network.nir.corpus import OF_RESET, needs_corpus
from tests.networks import deep_model, model_of_all_parts, random_recording, refused
from tests.sim.test_graphs import STEPS, graph_plan
from tests.units import graded_model, inner_model


# The gates of a core with neurons in lanes are also those of test_gates.
@pytest.mark.parametrize("lanes, choices", [
    (2, {"tables": "bitmap"}), (1, {"weight_memory": "large"}),
    *([(4, {"neurons": "lanes"})] if STEPS > 500 else [])])
def test_gates_equal_golden(lanes, choices):
    plan = plan_of(deep_model(6), lanes, **choices)
    recording = random_recording(5, 6, 400, reset=[0, 90])
    assert check_gates(plan, BOARDS["icebreaker"], recording, BUILD) == []


@pytest.mark.parametrize("choices", [{}, {"neurons": "lanes"}] if STEPS > 500 else [])
def test_gates_of_every_neuron_equal_golden(choices):
    model, _ = model_of_all_parts()
    recording = random_recording(5, 5, 400, reset=[0, 90])
    assert check_gates(plan_of(model, **choices), BOARDS["icebreaker"], recording, BUILD) == []


@needs_corpus
@pytest.mark.parametrize("name", OF_RESET if STEPS > 500 else [])
def test_gates_of_graphs_equal_golden(name):
    plan, recording = graph_plan(name, 1000)
    assert check_gates(plan, BOARDS["icebreaker"], recording, BUILD) == []


@pytest.mark.skipif(STEPS <= 500, reason="takes minutes: SPIKEWRIGHT_STEPS=5000 runs it")
def test_gates_of_graded_values_equal_golden():
    """A window that fills, products of values, and factors of several shifts."""
    model = graded_model(76, rows=5, longest=50)
    recording = random_recording(5, model.channels, 400, rate=0.4, reset=[0, 90])
    assert check_gates(plan_of(model, 2), BOARDS["icebreaker"], recording, BUILD) == []


@pytest.mark.skipif(STEPS <= 500, reason="takes minutes: SPIKEWRIGHT_STEPS=5000 runs it")
@pytest.mark.parametrize("model", [graded_model(76, rows=5, longest=50), hybrid_model(1)],
                         ids=["units", "hybrid"])
def test_gates_without_multipliers_equal_golden(model):
    """A row for each digit of a value, on a chip without multipliers."""
    recording = random_recording(5, model.channels, 300, rate=0.4, reset=[0, 90])
    plan = plan_of(model, 2, multiplier="serial")
    assert check_gates(plan, BOARDS["ice40_hx8k_b_evn"], recording, BUILD) == []


@pytest.mark.skipif(STEPS <= 500, reason="takes minutes: SPIKEWRIGHT_STEPS=5000 runs it")
def test_gates_of_a_normalized_window_equal_golden():
    """Events leave the window again."""
    model = inner_model(0)
    recording = random_recording(5, model.channels, 200, rate=0.2, reset=[0, 90])
    assert check_gates(plan_of(model, 2), BOARDS["icebreaker"], recording, BUILD) == []


@pytest.mark.skipif(STEPS <= 500, reason="takes minutes: SPIKEWRIGHT_STEPS=5000 runs it")
@pytest.mark.parametrize("seed", [0, 1])
def test_gates_of_a_hybrid_network_equal_golden(seed):
    """A flood that the log has no room for, and resets in both phases of a pool."""
    model = hybrid_model(seed)
    counts = np.concatenate([random_counts(seed, 200, 6, rate=0.5), np.full((30, 6), 3),
                             random_counts(seed + 1, 70, 6)])
    recording = recording_of(counts)
    recording.reset[[50, 103, 206]] = True
    assert check_gates(plan_of(model), BOARDS["icebreaker"], recording, BUILD) == []


def test_gates_of_another_model_are_told(monkeypatch):
    """Other thresholds are seen."""
    plan = plan_of(deep_model(6), 1)
    recording = random_recording(5, 6, 400)

    def wrong(plan: Plan, *_):
        first, *rest = plan.model.populations
        first = dataclasses.replace(first, threshold=first.threshold // 2)
        model: IntegerModel = dataclasses.replace(plan.model, populations=(first, *rest))
        return convert(Core(core_params(dataclasses.replace(plan, model=model))))

    monkeypatch.setattr("spikewright.verify.gates.core.core_gates", wrong)
    assert check_gates(plan, BOARDS["icebreaker"], recording, BUILD)


def test_gates_that_hang_are_told(tmp_path, monkeypatch):
    def hangs(*_):
        raise CoreFault("The core hangs at step 3")

    monkeypatch.setattr("spikewright.verify.gates.core.core_gates", lambda *_: "")
    monkeypatch.setattr("spikewright.verify.gates.core.run_compiled", hangs)
    plan = plan_of(deep_model(6), 1)
    assert check_gates(plan, BOARDS["icebreaker"], random_recording(5, 6, 4), tmp_path) == [
        "The core hangs at step 3"]


def test_runs_side_by_side_have_a_folder_each(tmp_path, monkeypatch):
    folders = []

    def tool(*_, folder, title):
        folders.append(folder)
        (folder / "gates.il").write_text(f"gates of {folder}")

    monkeypatch.setattr("spikewright.verify.gates.core.run_tool", tool)
    texts = [core_gates(plan_of(deep_model(6), 1), BOARDS["icebreaker"], tmp_path)
             for _ in range(2)]
    assert texts == [f"gates of {folder}" for folder in folders[::2]]
    assert len(set(folders)) == 2 and list(tmp_path.iterdir()) == []


def test_gates_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    saved_model(tmp_path / "model")
    recording = random_recording(1, 6, 5)
    np.savez("rec.npz", bin=np.repeat(np.arange(5), np.diff(recording.start)),
             channel=recording.channel, n_bins=5, n_channels=6, dt=recording.dt)
    calls = []
    monkeypatch.setattr("spikewright.verify.gates.core.check_gates",
                        lambda *a: calls.append(a) or ["step 3"])
    with pytest.raises(SystemExit) as stop:
        run_words(["check", "model", "rec.npz", "--gates", "--steps", "4"])
    assert stop.value.code == 1 and calls[0][2].steps == 4
    assert capsys.readouterr().err == "mismatch: step 3\n"


def test_gates_of_another_family_are_refused(tmp_path):
    with refused("Board must be one with an iCE40 chip to simulate its gates, not ulx3s_25f"):
        check_gates(plan_of(deep_model(1)), BOARDS["ulx3s_25f"], None, tmp_path)
