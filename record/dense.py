# SPDX-License-Identifier: Apache-2.0
"""Dense counts: a row for each step, a column for each channel, as .npy or .csv."""

import warnings
from pathlib import Path

import numpy as np

from spikewright.base.arrays import refusal
from spikewright.base.errors import InputError

__all__ = ["SUFFIXES", "read_table"]

SUFFIXES = (".npy", ".csv")


def read_table(path: Path) -> np.ndarray:
    """Numbers of ``path``, float64 (rows, columns); a first line of a .csv with names is skipped.

    Raises
    ------
    InputError
        If the file holds anything else than a table of numbers.
    """
    try:
        if path.suffix == ".npy":
            table = np.load(path, allow_pickle=False)
        else:
            with open(path, encoding="utf-8") as stream:
                first = stream.readline()
            names = not _is_numbers(first)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")         # that there are no rows
                table = np.loadtxt(path, delimiter=",", ndmin=2, skiprows=int(names))
            if not table.size:
                raise InputError(f"{path} must be a table of numbers, but it is empty")
    except InputError:
        raise
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} must be a table of numbers, not a file that NumPy refuses: "
                         f"{refusal(error)}") from error
    if table.dtype.kind not in "fiub":
        raise InputError(f"{path} must hold numbers, not {table.dtype}")
    return table.astype(np.float64)


def _is_numbers(line: str) -> bool:
    try:
        [float(part) for part in line.split(",")]
    except ValueError:
        return False
    return True
