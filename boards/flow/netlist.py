# SPDX-License-Identifier: Apache-2.0
"""The cells of a netlist, in all and block by block."""

import json
import re
from collections import Counter
from pathlib import Path

from spikewright.report.names import BLOCKS

from ..board.family import Family

__all__ = ["block_of", "count_blocks", "count_cells"]


def block_of(cell: str) -> str:
    """Name of the block of a cell of the flat netlist.

    After synthesis a cell has the name of the signal that it drives, with its path.
    Logic that is shared across a border counts for one side.
    """
    # Amaranth appends a number if a submodule and a signal have the same name.
    path = re.sub(r"\$\d+\.", ".", cell)
    return next(name for prefix, name, _ in BLOCKS if path.startswith(prefix))


def count_blocks(netlist: Path, family: Family) -> dict[str, dict[str, int]]:
    """Cells of each kind of ``family`` in each block, from the netlist that nextpnr wrote."""
    kinds = {cell.placed: kind for kind, cell in family.cells.items()}
    counts = _none(family)
    for name, facts in _cells(netlist).items():
        if facts["type"] in kinds:
            counts[block_of(name)][kinds[facts["type"]]] += 1
    return counts


def count_cells(netlist: Path, family: Family) -> dict[str, dict[str, int]]:
    """Cells of each kind in each block, from the netlist that Yosys wrote, before placement.

    The counts are exact except for logic: nextpnr takes a few cells more. In a family whose
    flip-flops share a logic cell with a LUT, each LUT needs a cell, and so does each flip-flop
    whose input is not a LUT of its own.
    """
    cells = _cells(netlist)
    kinds = {name: (kind, number) for kind, cell in family.cells.items()
             for name, number in cell.synthesized.items()}
    counts = _none(family)
    for name, facts in cells.items():
        if facts["type"] in kinds:
            kind, number = kinds[facts["type"]]
            counts[block_of(name)][kind] += number
    for name in _unshared(cells, family) if family.sharing else ():
        counts[block_of(name)][family.logic] += 1
    return counts


def _unshared(cells: dict[str, dict], family: Family) -> list[str]:
    """Flip-flops whose input is not a LUT of their own."""
    luts = family.cells[family.logic].synthesized
    users = Counter(bit for facts in cells.values() for port, bits in facts["connections"].items()
                    if facts["port_directions"].get(port) == "input" for bit in bits)
    lut_made = {facts["connections"]["O"][0] for facts in cells.values() if facts["type"] in luts}
    given = {name: facts["connections"]["D"][0] for name, facts in cells.items()
             if facts["type"].startswith(family.sharing)}
    return [name for name, bit in given.items() if bit not in lut_made or users[bit] > 1]


def _none(family: Family) -> dict[str, dict[str, int]]:
    return {name: dict.fromkeys(family.cells, 0) for _, name, _ in BLOCKS}


def _cells(netlist: Path) -> dict[str, dict]:
    modules = json.loads(Path(netlist).read_text(encoding="utf-8"))["modules"]
    return modules["top"]["cells"]
