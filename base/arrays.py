# SPDX-License-Identifier: Apache-2.0
"""Files of plain arrays, whole or refused."""

from collections.abc import Container
from pathlib import Path

import numpy as np

from .files import check_input, check_output, signature, written_file

__all__ = ["read_arrays", "write_arrays"]


def read_arrays(path: Path, keys: Container[str] | None = None) -> dict[str, np.ndarray]:
    """Arrays of an .npz file: those that ``keys`` names, or all where None.

    The others are not unpacked: a small file may hold a large array that nobody needs.

    Raises
    ------
    ValueError
        If the file is damaged, is of another kind, or holds Python objects.
    OSError
        If it cannot be opened.
    """
    check_input(Path(path))
    with open(path, "rb") as stream:
        try:
            with np.load(stream, allow_pickle=False) as file:
                return {key: file[key] for key in file.files if keys is None or key in keys}
        except Exception as error:  # a damaged zip file raises a dozen kinds
            raise ValueError(str(error) or type(error).__name__) from error


def write_arrays(path: Path, arrays: dict) -> None:
    """Write an .npz file, whole or not at all, with the program's name and version in it.

    Raises
    ------
    InputError
        If `base.files.check_output` refuses ``path``.
    """
    check_output(path, (".npz",))
    with written_file(path) as temporary:
        np.savez_compressed(temporary, **arrays | signature())
