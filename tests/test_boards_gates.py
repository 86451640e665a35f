# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""The gates that a board gets - LUTs, RAMs and multipliers of the device - against golden."""

import shutil

import pytest

from boards.netlist import count_cells
from boards.platforms import BOARDS
from golden.config import CoreConfig
from golden.run import run_golden
from hw.params import CoreParams
from ladder.gates import gate_differences, run_gates
from quantize.artefact import load_artefact

from .boards_bench import saved_model
from .networks import random_recording

STEPS = 24


@pytest.mark.parametrize("config, spram", [
    (CoreConfig(lanes=2),                         0),
    (CoreConfig(lanes=3, weight_memory="large"),  2),
], ids=["block", "large"])
def test_gates_equal_golden(tmp_path, config, spram):
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog, which runs the gates, is not installed")
    model, manifest = load_artefact(saved_model(tmp_path / "model"))
    core = CoreParams(model=model, config=config)
    recording = random_recording(3, model.channels, STEPS, rate=0.6, reset=[15])
    expected = run_golden(model, recording, core.config)
    info, steps = run_gates(core, manifest["model_hash"], recording, tmp_path)

    counted = count_cells(tmp_path / "top.json", BOARDS["icebreaker"].family)
    assert sum(block["spram"] for block in counted.values()) == counted["weights"]["spram"] == spram
    assert info.loaded == info.loadable == bool(spram)
    assert info.model_hash.hex() == manifest["model_hash"][:16]
    clock_hz = BOARDS["icebreaker"].clock_hz
    assert (info.clock_hz, info.rows, info.outputs) == (clock_hz, model.rows, model.outputs)
    assert [step.outputs for step in steps] == [tuple(row) for row in expected.velocity_int]
    assert [step.cycles for step in steps] == expected.cycles.tolist()
    assert [step.step for step in steps] == list(range(STEPS))
    assert expected.spikes.sum() > STEPS
    assert gate_differences(expected, steps) == []
