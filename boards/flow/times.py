# SPDX-License-Identifier: Apache-2.0
"""What the stages of a build usually take, in seconds, and how far a tool is by its log.

The times were measured with the default network, on eight cores for iCE40 and ECP5. Another machine
is slower or faster, so the log corrects them while a tool runs.
"""

import re

from spikewright.base.tools import Usual
from spikewright.plan.plan import Plan

from ..board.board import Board
from ..board.family import ICE40
from .room import block_rams

__all__ = ["PACKING", "REPORT", "usual_placement", "usual_synthesis"]

PACKING = Usual(seconds=1)
REPORT = 4.0

# Yosys: seconds per cell of the design, and the share of them that is before the block RAMs. Each
# block RAM with contents of its own is mapped alone. Apart from the weights, there are a few.
CELL, BEFORE = 4.5e-3, 0.35
CONTENTS = 4
MAPPED = re.compile(r"Using template \S+(?:RAM4K|DP16KD)_ for")

# nextpnr: cells that are placed and routed in so many seconds, and how the time grows with them.
PLACED, SECONDS, GROWTH = 1300, 11.0, 1.5
# Share of the time that has passed at the beginning of each part.
PARTS = {"Creating initial analytic placement": 0.07, "Running simulated annealing": 0.26,
         "Routing..": 0.52, "Routing complete": 0.95}
ARCS = re.compile(r"Routing (\d+) arcs")
ARCS_LEFT = re.compile(r"\|\s*(\d+)\|\s*[\d.]+\s+[\d.]+\|$", re.MULTILINE)


def usual_synthesis(board: Board, plan: Plan, design: str) -> Usual:
    """What Yosys takes for ``design``, the text of top.il."""
    rams = block_rams(plan, board)["weights"] + CONTENTS
    mapping = rams * (0.75 if board.family is ICE40 else 0.3)
    logic = CELL * design.count("\n  cell ")
    whole = logic + mapping

    def share(log: str) -> float:
        if "MEMORY_LIBMAP" not in log:
            return 0.0
        mapped = 1.0 if "MEMORY_MAP" in log else min(len(MAPPED.findall(log)) / rams, 1.0)
        return (BEFORE * logic + mapped * mapping) / whole

    return Usual(seconds=whole, share=share)


def usual_placement(cells: int) -> Usual:
    """What nextpnr takes to place and route a design with so many cells of logic."""
    return Usual(seconds=SECONDS * (cells / PLACED) ** GROWTH, share=_placement_share)


def _placement_share(log: str) -> float:
    share = max((at for part, at in PARTS.items() if part in log), default=0.0)
    arcs, left = ARCS.search(log), ARCS_LEFT.findall(log)
    if arcs and left and share < PARTS["Routing complete"]:
        routed = 1 - min(int(left[-1]) / int(arcs[1]), 1.0)
        share += routed * (PARTS["Routing complete"] - PARTS["Routing.."])
    return share
