# SPDX-License-Identifier: Apache-2.0
"""Place-and-route figures: nextpnr's report, read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from spikewright.report.parts import Hop

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
    fmax_hz, wanted_hz : float
        Highest clock of the design, and the constraint.
    path : tuple of Hop
        The slowest path from flip-flop to flip-flop.
    """

    used: dict[str, int]
    fmax_hz: float
    wanted_hz: float
    path: tuple[Hop, ...]


def read_report(path: Path, family: Family) -> PlacedReport:
    """Read the file that nextpnr writes for ``--report``.

    If there are several clocks, the one counts that is slowest relative to its constraint.
    """
    report = json.loads(Path(path).read_text(encoding="utf-8"))
    clock, frequency = min(report["fmax"].items(),
                           key=lambda item: item[1]["achieved"] / item[1]["constraint"])
    edge = f"posedge {clock}"
    paths = [found["path"] for found in report["critical_paths"]
             if found["from"] == found["to"] == edge]
    return PlacedReport(
        used={name: report["utilization"].get(cell.placed, {"used": 0})["used"]
              for name, cell in family.cells.items()},
        fmax_hz=1e6 * frequency["achieved"], wanted_hz=1e6 * frequency["constraint"],
        path=tuple(_hop(hop) for hop in (paths[0] if paths else [])))


def _hop(hop: dict) -> Hop:
    cell = hop["to"]["cell"]
    # Logic without a name is called after a named signal and the cells between.
    signal = LIBRARY.split(hop.get("net", cell))[0]
    return Hop(kind=hop["type"], delay_ns=round(hop["delay"], 3), block=block_of(cell),
               signal=signal)
