# SPDX-License-Identifier: Apache-2.0
"""Dense counts: a row for each step, a column for each channel, as .npy or .csv."""

import warnings
from itertools import chain
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
        table = (np.load(path, allow_pickle=False) if path.suffix.lower() == ".npy"
                 else _read_text(path))
    except InputError:
        raise
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} must be a table of numbers, not a file that NumPy refuses: "
                         f"{refusal(error)}") from error
    if table.dtype.kind not in "fiub":
        raise InputError(f"{path} must hold numbers, not {table.dtype}")
    return table.astype(np.float64)


def _read_text(path: Path) -> np.ndarray:
    with open(path, encoding="utf-8-sig") as stream:    # spreadsheets begin a file with a mark
        first = next((line for line in stream if line.strip() and not line.startswith("#")), "")
        cells = [cell.strip() for cell in first.split(",")]
        numbers = [_is_number(cell) for cell in cells]
        mark = next((mark for mark in ";\t" if mark in first), None)
        if mark:
            raise InputError(f"{path} must have commas between its columns, not {mark!r}")
        if first and not cells[0]:
            raise InputError(f"{path} must have a name for its first column, not an empty one: "
                             "leave out row numbers, as pandas does with index=False")
        if first and ("" in cells or any(numbers) and not all(numbers)):
            raise InputError(f"{path} must begin with a line of numbers or a line of names, not "
                             f"with {first.strip()[:40]!r}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")             # that there are no rows
            table = np.loadtxt(chain([first] if all(numbers) else [], stream), delimiter=",",
                               ndmin=2)
    if not table.size:
        raise InputError(f"{path} must be a table of numbers, but it is empty")
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
