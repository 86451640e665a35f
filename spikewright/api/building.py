# SPDX-License-Identifier: Apache-2.0
"""Make the bitstream of a model."""

from pathlib import Path

from spikewright.base.errors import InputError, refused_files
from spikewright.base.files import as_path
from spikewright.model.saved import Model, check_model
from spikewright.report.report import Report

__all__ = ["Report", "build"]

MOST_SEED = 1 << 30


@refused_files()
def build(model: Model, *, board: str, out: str | Path, preset: str = "balanced",
          megahertz: float | None = None, baud: int | None = None, seed: int = 1,
          recording: str | Path | None = None, **core) -> Report:
    """Make the bitstream and the report of a model for a board.

    Parameters
    ----------
    model : Model
    board : str
        Name of the board, as ``spikewright boards`` lists it.
    out : path
        Folder to write: bitstream, report.html, report.json and logs. If the build fails, only
        the logs are written, to the folder ``out`` with ``-failed`` at its end.
    preset, **core
        As in `run`. Options of the preset are replaced where the chip cannot support them, and
        where the weight tables do not fit otherwise. A line on stderr says so.
    megahertz : float, optional
        Clock of the decoder, in MHz. None for the clock of the board.
    baud : int, optional
        Bits per second on the serial line. By default, 1,000,000, or an eighth of the clock where
        that is less.
    seed : int
        Random seed of place and route. Another seed gives another layout, and may reach another
        clock frequency.
    recording : path, optional
        Recording for the figures of the report. None for simulated spikes.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        If an argument is wrong, the design does not fit, or ``out`` contains other files.
    """
    from spikewright.boards.board.platforms import find_board
    from spikewright.boards.flow.build import build as build_board
    from spikewright.boards.flow.room import fitting_config
    check_model(model)
    chip = find_board(board)
    if type(seed) is not int or not 1 <= seed <= MOST_SEED:
        raise InputError(f"Seed must be a whole number from 1 to {MOST_SEED}, not {seed!r}")
    config, note = fitting_config(chip, model.integers, preset, core)
    return build_board(model, chip, as_path(out), config=config, megahertz=megahertz, baud=baud,
                       seed=seed, recording=None if recording is None else as_path(recording),
                       note=note)
