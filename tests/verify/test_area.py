# SPDX-License-Identifier: Apache-2.0
"""Logic of a core with a long step program, beside what it took with a state for each phase."""

import json

import pytest

from spikewright.base.progress import quietly
from spikewright.base.tools import run_tool
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.model.integers import Widths
from spikewright.network.network import INPUT
from tests.designs import BUILD, plan_of
from tests.networks import make_network, nearest_model

SIZES = {"first": 24, "second": 16, "third": 8, "out": 2}
EDGES = [(INPUT, "first", 0), ("first", "first", 1), ("second", "first", 2), ("third", "first", 3),
         ("first", "second", 0), ("second", "second", 1), ("third", "second", 1),
         ("second", "third", 0), ("third", "third", 2), ("third", "out", 0), ("first", "out", 1)]


def luts_of(plan, folder):
    """LUTs of the core alone, as synthesis for an iCE40UP5K makes them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "core.il").write_text(convert(Core(core_params(plan))))
    with quietly():
        run_tool("yosys", "-p", "read_rtlil core.il; synth_ice40 -dsp -abc9 -device u -top top; "
                 "write_json core.json", folder=folder, title="synthesis")
    cells = json.loads((folder / "core.json").read_text())["modules"]["top"]["cells"]
    return sum(cell["type"] == "SB_LUT4" for cell in cells.values())


# The figures of the sequencer that had states of its own for each phase, with the same tools.
@pytest.mark.parametrize("tables, before", [("dense", 919), ("bitmap", 1780)])
def test_fifteen_operations_take_less_logic_than_states(tables, before):
    model = nearest_model(make_network(1, SIZES, EDGES, channels=16), Widths(), "deep")
    plan = plan_of(model, tables=tables)
    assert len(plan.program.operations) == 15
    luts = luts_of(plan, BUILD / "area" / tables)
    print(f"{tables}: {luts} LUTs, {before} before")
    assert luts < before
