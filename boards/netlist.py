# SPDX-License-Identifier: Apache-2.0
"""What a netlist takes of a device, in all and block by block."""

import json
import re
from collections import Counter
from pathlib import Path

__all__ = ["BLOCKS", "RESOURCES", "block_of", "count_blocks", "count_cells"]

# Kinds of cells that are counted: as nextpnr calls them once packed, and as Yosys calls them.
RESOURCES = {"lc": "ICESTORM_LC", "ebr": "ICESTORM_RAM", "spram": "ICESTORM_SPRAM",
             "dsp": "ICESTORM_DSP"}
_SYNTHESIZED = {"SB_RAM40_4K": "ebr", "SB_SPRAM256KA": "spram", "SB_MAC16": "dsp"}

# Blocks by the start of their cells' names, most particular first, and what each is for.
BLOCKS = (
    ("decoder.core.rows.weights.", "weights",   "holds the synapses"),
    ("decoder.core.rows.",         "rows",      "adds the synapses of a spike"),
    ("decoder.core.neurons.",      "neurons",   "lets neurons decay and fire"),
    ("decoder.core.currents.",     "currents",  "holds the synaptic currents"),
    ("decoder.core.spikes.",       "spikes",    "remembers who fired"),
    ("decoder.core.sequencer.",    "sequencer", "leads through a step"),
    ("decoder.core.",              "core",      "joins these blocks, keeps the result"),
    ("decoder.link.",              "link",      "talks to the host"),
    ("",                           "board",     "clock, reset, pins, constants"),
)


def block_of(cell: str) -> str:
    """Name of the block that a cell of the flat netlist belongs to.

    After synthesis a cell is called after the signal that it makes, with the path of that signal.
    Logic that is shared across a border counts for one side.
    """
    # Amaranth numbers a submodule that is called as a signal beside it.
    path = re.sub(r"\$\d+\.", ".", cell)
    return next(name for prefix, name, _ in BLOCKS if path.startswith(prefix))


def count_blocks(netlist: Path) -> dict[str, dict[str, int]]:
    """Cells of each kind of ``RESOURCES`` in each block, from the netlist that nextpnr wrote."""
    kinds = {kind: name for name, kind in RESOURCES.items()}
    counts = {name: dict.fromkeys(RESOURCES, 0) for _, name, _ in BLOCKS}
    for cell, facts in _cells(netlist).items():
        if facts["type"] in kinds:
            counts[block_of(cell)][kinds[facts["type"]]] += 1
    return counts


def count_cells(netlist: Path) -> dict[str, dict[str, int]]:
    """The same from the netlist that Yosys wrote, before anything is placed.

    Exact but for ``lc``, of which nextpnr takes a few more: each LUT needs one, and each flip-flop
    whose input is not a LUT of its own.
    """
    cells = _cells(netlist)
    users = Counter(bit for facts in cells.values() for port, bits in facts["connections"].items()
                    if facts["port_directions"].get(port) == "input" for bit in bits)
    lut_made = {facts["connections"]["O"][0] for facts in cells.values()
                if facts["type"] == "SB_LUT4"}
    counts = {name: dict.fromkeys(RESOURCES, 0) for _, name, _ in BLOCKS}
    for cell, facts in cells.items():
        block = counts[block_of(cell)]
        if facts["type"] in _SYNTHESIZED:
            block[_SYNTHESIZED[facts["type"]]] += 1
        elif facts["type"] == "SB_LUT4":
            block["lc"] += 1
        elif facts["type"].startswith("SB_DFF"):
            given = facts["connections"]["D"][0]
            block["lc"] += given not in lut_made or users[given] > 1
    return counts


def _cells(netlist: Path) -> dict[str, dict]:
    modules = json.loads(Path(netlist).read_text())["modules"]
    return modules["top"]["cells"]
