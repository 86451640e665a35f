# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""The gates that a board gets - LUTs, RAMs and multipliers of the device - against golden."""

import shutil

import pytest

from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.netlist import count_cells
from spikewright.golden.run import run_golden
from spikewright.model.artefact import load_artefact
from spikewright.plan.config import CoreConfig
from spikewright.plan.framing import FrameReader
from spikewright.plan.plan import Plan
from spikewright.verify.gates import top
from spikewright.verify.gates.simulate import GatesFault
from spikewright.verify.gates.top import gate_differences, run_gates
from tests.boards.boards_bench import saved_model
from tests.networks import make_recording, random_recording


# Eight cycles a bit: few to simulate. The sizes put the tables into block RAM on an ECP5 as well.
@pytest.mark.parametrize("name, megahertz, baud, steps, sizes, config, spram", [
    ("icebreaker", 24, 3_000_000, 24, {}, CoreConfig(lanes=2), 0),
    ("icebreaker", 24, 3_000_000, 24, {}, CoreConfig(lanes=3, weight_memory="large"), 2),
    ("icebreaker", 2, 250_000, 24, {}, CoreConfig(lanes=2, neurons="lanes"), 0),
    ("ulx3s_25f", 12.5, 1_562_500, 4, {"channels": 12, "hidden": 40}, CoreConfig(lanes=2), 0),
], ids=["block", "large", "lanes_divided_clock", "ecp5"])
def test_gates_equal_golden(name, megahertz, baud, steps, sizes, config, spram, tmp_path):
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog, which runs the gates, is not installed")
    model, manifest = load_artefact(saved_model(tmp_path / "model", **sizes))
    plan = Plan(model=model, config=config)
    recording = random_recording(3, model.channels, steps, rate=0.6, reset=[steps * 5 // 8])
    expected = run_golden(model, recording, plan.config)
    info, told = run_gates(plan, manifest["model_hash"], recording, tmp_path, board_name=name,
                           megahertz=megahertz, baud=baud)

    counted = count_cells(tmp_path / "top.json", BOARDS[name].family)
    assert sum(block.get("spram", 0) for block in counted.values()) == spram
    assert counted["weights"].get("spram", 0) == spram
    assert info.loaded == info.loadable == bool(spram)
    assert info.model_hash.hex() == manifest["model_hash"][:16]
    clock_hz, _ = BOARDS[name].clock(megahertz)
    assert (info.clock_hz, info.rows, info.outputs) == (clock_hz, model.rows, model.outputs)
    assert [step.outputs for step in told] == [tuple(row) for row in expected.velocity_int]
    assert [step.cycles for step in told] == expected.cycles.tolist()
    assert [step.step for step in told] == list(range(steps))
    assert expected.spikes.sum() > steps
    assert gate_differences(expected, told) == []


def test_gates_get_large_steps_in_parts(tmp_path, monkeypatch):
    """An event of a model with more than 256 rows takes two bytes, and 109 of them fill a frame."""
    model, manifest = load_artefact(saved_model(tmp_path / "model", channels=300, gain=0.5))
    assert model.rows == 300
    sent = []

    def simulate(folder, data, baud, family):
        sent.extend(FrameReader().feed(data))
        raise GatesFault("enough")

    monkeypatch.setattr(top, "synthesize", lambda *_: None)
    monkeypatch.setattr(top, "simulate_gates", simulate)
    recording = make_recording([[299] * 110, [0]], 300, reset=[0])
    with pytest.raises(GatesFault, match="^enough$"):
        run_gates(Plan(model=model, config=CoreConfig()), manifest["model_hash"], recording,
                  tmp_path)
    row = (299).to_bytes(2, "little")
    assert sent == [b"\x01\x00", b"\x02\x01\x03" + 109 * row, b"\x02\x02\x00" + row,
                    b"\x02\x03\x00\x00\x00"]
