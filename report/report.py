# SPDX-License-Identifier: Apache-2.0
"""The report of a build. Its JSON form is report.json."""

import json
import reprlib
from dataclasses import dataclass
from pathlib import Path

from spikewright.base.errors import InputError, refused_files
from spikewright.base.files import as_path, check_output, written_file
from spikewright.network.graded.operations import Operations
from spikewright.plan.config import CoreConfig

from .form import as_form, from_form
from .names import BLOCKS
from .parts.accuracy import Accuracy, Measured
from .parts.board import BoardFacts, Cells, CriticalPath, Idle
from .parts.model import Calibration, Checkpoint, Dropped, Maker, ModelFacts, TablePart
from .parts.times import Latency, Line, Microseconds, StepCycles
from .power import ClockChoice, Power

__all__ = ["SCHEMA", "Report"]

SCHEMA = 1

# Name of the report in the folder of a build.
FILE = "report.json"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The report of a build. Each field is an entry of report.json, beside ``schema``.

    Parameters
    ----------
    model_hash, network_hash : str
        SHA-256 of the integer model and of its network, in hex.
    checkpoint : Checkpoint or None
        None if the network was not read from a file.
    model : ModelFacts
    board : BoardFacts
    seed : int
        Random seed of place and route.
    lanes : int
        Synapses per cycle.
    config : CoreConfig
    idle : Idle
    baud : int
        Bits per second on the serial line.
    clock_mhz, fmax_mhz : float
        The clock, and the fastest that the placement allows, in MHz.
    resources : dict of str to Cells
        Area by kind of cell. The first kind is the logic.
    blocks : dict of str to dict of str to int
        Cells of each kind in each block of `report.names.BLOCKS`.
    critical_path : CriticalPath
    cycles : StepCycles
    latency : Latency
    microseconds : Microseconds
    lead_steps : int
        Steps by which the outputs come earlier than the published code gives them.
    lead_ms : float
        The same in milliseconds.
    table_bits : int
        Bits of all weight tables.
    line : Line
    memory : tuple of TablePart
        The weight table of each projection.
    recording : Measured
    accuracy : Accuracy
    calibration : Calibration or None
        None if the manifest of the model does not say it.
    dropped : Dropped or None
        None if the manifest of the model does not say it.
    warnings : tuple of str
        Warnings of the quantizer, one line each.
    tools : dict of str to str
        Versions of Python and of the packages that made the bitstream.
    made_by : Maker
    clocks : tuple of ClockChoice, optional
        The clock, and the lowest ones of the board that keep up.
    power : Power, optional
        None if no currents of the chip are published.
    operations : Operations, optional
        Effective operations of a step of the network over the recording, as NeuroBench counts them.
        Older reports lack it.

    Raises
    ------
    ValueError
        If a block is missing, or does not count the kinds of cells of ``resources``.
    """

    model_hash: str
    network_hash: str
    checkpoint: Checkpoint | None
    model: ModelFacts
    board: BoardFacts
    seed: int
    lanes: int
    config: CoreConfig
    idle: Idle
    baud: int
    clock_mhz: float
    fmax_mhz: float
    resources: dict[str, Cells]
    blocks: dict[str, dict[str, int]]
    critical_path: CriticalPath
    cycles: StepCycles
    latency: Latency
    microseconds: Microseconds
    lead_steps: int
    lead_ms: float
    table_bits: int
    line: Line
    memory: tuple[TablePart, ...]
    recording: Measured
    accuracy: Accuracy
    calibration: Calibration | None
    dropped: Dropped | None
    warnings: tuple[str, ...]
    tools: dict[str, str]
    made_by: Maker
    clocks: tuple[ClockChoice, ...] = ()
    power: Power | None = None
    operations: Operations | None = None

    def __post_init__(self) -> None:
        for _, block, _ in BLOCKS:
            if self.blocks.get(block, {}).keys() != self.resources.keys():
                raise ValueError(f"blocks.{block} must have the entries "
                                 f"{', '.join(self.resources)}, not "
                                 f"{', '.join(self.blocks.get(block, {})) or 'none'}")

    @classmethod
    @refused_files()
    def load(cls, path: str | Path) -> "Report":
        """Read a report.

        Parameters
        ----------
        path : path
            The folder of a build, or its report.json under any name.

        Raises
        ------
        InputError
            If there is no report, it has another schema, or an entry is missing or wrong.
        """
        path = as_path(path)
        file = path if path.is_file() else path / FILE
        if not file.is_file():
            raise InputError(f"Report must be a folder made by 'spikewright build', not "
                             f"{str(path)!r}: it has no {FILE}")
        try:
            form = json.loads(file.read_text(encoding="utf-8"))
            schema = form["schema"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{file} must be the report of a build, not a damaged file"
                             ) from error
        if type(schema) is not int or schema != SCHEMA:
            raise InputError(f"{file} schema must be {SCHEMA}, not {reprlib.repr(schema)}: build "
                             "again")
        try:
            return from_form(cls, form)
        except ValueError as error:
            raise InputError(f"{file} {error}: build again") from error

    @refused_files()
    def save(self, path: str | Path) -> None:
        """Write report.json, or a file with another name, whole or not at all.

        Raises
        ------
        InputError
            If `base.files.check_output` refuses ``path``.
        """
        path = as_path(path)
        check_output(path, (".json",))
        with written_file(path) as temporary:
            temporary.write_text(json.dumps({"schema": SCHEMA, **as_form(self)}, indent=2,
                                            allow_nan=False) + "\n", encoding="utf-8")

    @property
    def logic(self) -> str:
        """The kind of cell that holds the logic."""
        return next(iter(self.resources))

    def __str__(self) -> str:
        from .summary import summary
        return summary(self)
