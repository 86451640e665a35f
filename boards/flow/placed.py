# SPDX-License-Identifier: Apache-2.0
"""Place-and-route figures: nextpnr's report, read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from spikewright.report.parts.board import Hop

from ..board.family import Family
from .netlist import block_of

__all__ = ["PlacedReport", "read_report"]


# Begin of the part of a name that describes cells.
LIBRARY = re.compile(r"_(?:SB|LUT4|CCU2C|PFUMX|L6MUX21|MULT18X18D|TRELLIS|DP16KD|PDPW16KD)_")


@dataclass(frozen=True, kw_only=True)
class PlacedReport:
    """The report of nextpnr.

    Parameters
    ----------
    used : dict of str to int
        Cells of each kind of the family.
    fmax_hz : float
        Highest clock of the design.
    path : tuple of Hop
        The slowest path from flip-flop to flip-flop.
    """

    used: dict[str, int]
    fmax_hz: float
    path: tuple[Hop, ...]


def read_report(path: Path, family: Family, clock_hz: int) -> PlacedReport:
    """Read the file that nextpnr writes for ``--report``.

    The clock of the design is the one with the constraint ``clock_hz``, and of several the slowest.
    If another clock is too slow for its own constraint, ``fmax_hz`` is lower in proportion.

    Raises
    ------
    RuntimeError
        If no clock has the constraint.
    """
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    clocks = {clock: (1e6 * frequency["achieved"], 1e6 * frequency["constraint"])
              for clock, frequency in report["fmax"].items()}
    own = {clock: achieved for clock, (achieved, wanted) in clocks.items()
           if abs(wanted / clock_hz - 1) < 1e-3}
    if not own:
        aims = ", ".join(f"{wanted / 1e6:g}" for _, wanted in clocks.values())
        raise RuntimeError(f"nextpnr must aim at {clock_hz / 1e6:g} MHz, not at {aims}: "
                           "the constraint of the clock is lost")
    clock = min(own, key=lambda clock: own[clock])
    slow = [clock_hz * achieved / wanted for achieved, wanted in clocks.values()
            if achieved < wanted]
    edge = f"posedge {clock}"
    paths = [found["path"] for found in report["critical_paths"]
             if found["from"] == found["to"] == edge]
    return PlacedReport(
        used={name: report["utilization"].get(cell.placed, {"used": 0})["used"]
              for name, cell in family.cells.items()},
        fmax_hz=min([own[clock], *slow]),
        path=tuple(_hop(hop) for hop in (paths[0] if paths else [])))


def _hop(hop: dict) -> Hop:
    cell = hop["to"]["cell"]
    # Logic without a name is called after a named signal and the cells between.
    signal = LIBRARY.split(hop.get("net", cell))[0]
    return Hop(kind=hop["type"], delay_ns=round(hop["delay"], 3), block=block_of(cell),
               signal=signal)
