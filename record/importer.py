# SPDX-License-Identifier: Apache-2.0
"""Which reader takes which file."""

from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from . import dense
from .lines import read_lines
from .mat import POSITIONS, read_mat
from .neo import read_neo
from .nwb import read_nwb
from .session import Session, arrays_of_counts, arrays_of_session

__all__ = ["import_recording"]


def import_recording(path: Path, dt: float, *, series: str | None = None,
                     velocity: Path | None = None, unit: str = "") -> dict[str, np.ndarray]:
    """Arrays of a recording in steps of ``dt`` seconds, from the file of another program.

    Parameters
    ----------
    path : Path
        .npy or .csv with counts (steps, channels), .mat of version 7.3, .nwb, .jsonl of
        ``spikewright live``, or what Neo reads.
    dt : float
        Seconds per step.
    series : str, optional
        Name of the position in a .mat, or of the series in an .nwb.
    velocity : Path, optional
        .npy or .csv with the velocity (steps, axes), only beside counts.
    unit : str
        Of the velocity, in the place of the one that the file says.

    Raises
    ------
    InputError
        If the file is not of its kind, or an option does not go with it.
    """
    if not path.is_file():
        raise InputError(f"Session must be a file, not {str(path)!r}")
    kind = path.suffix.lower()
    if kind == ".npz":
        raise InputError(f"Session must be of a format to import, not {path.name!r}: recordings "
                         "are .npz files, and 'spikewright show' says whether it is one")
    if velocity is not None and kind not in dense.SUFFIXES:
        raise InputError(f"Velocity must come with counts ({' or '.join(dense.SUFFIXES)}), not "
                         f"with {path.name!r}: --series names the one in the file")
    if series is not None and kind not in (".mat", ".nwb"):
        raise InputError(f"Series must be of a .mat or .nwb file, not of {path.name!r}")
    try:
        arrays = _arrays(path, kind, dt, series, velocity)
    except ImportError as error:
        raise InputError(f"Reading {path.name} needs {error.name}: install spikewright[record]"
                         ) from None
    if unit:
        if "velocity" not in arrays:
            raise InputError(f"Unit must be that of a velocity, but {path.name} has none")
        arrays["unit"] = np.array(unit)
    return arrays


def _arrays(path: Path, kind: str, dt: float, series: str | None,
            velocity: Path | None) -> dict[str, np.ndarray]:
    if kind in dense.SUFFIXES:
        moved = None if velocity is None else dense.read_table(velocity)
        return arrays_of_counts(dense.read_table(path), moved, dt, path.name)
    if kind == ".jsonl":
        return read_lines(path, dt)
    return arrays_of_session(_session(path, kind, series), dt, path.name)


def _session(path: Path, kind: str, series: str | None) -> Session:
    if kind == ".mat":
        if series is not None and series not in POSITIONS:
            raise InputError(f"Series must be one of {', '.join(POSITIONS)}, not {series!r}")
        return read_mat(path, series)
    return read_nwb(path, series) if kind == ".nwb" else read_neo(path)
