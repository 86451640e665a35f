# SPDX-License-Identifier: Apache-2.0
"""Readers and writers of .npz files with plain arrays."""

from collections.abc import Container
from pathlib import Path

import numpy as np

from .files import check_input, check_output, signature, written_file

__all__ = ["read_arrays", "refusal", "write_arrays"]


def read_arrays(path: Path, keys: Container[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays in ``keys`` from an .npz file. By default, read all arrays.

    Other arrays are not unpacked, because a small file may have a large array that is not needed.

    Raises
    ------
    InputError
        If ``path`` is a FIFO or a device.
    ValueError
        If the file is damaged, has another format, or has Python objects in it.
    OSError
        If the file cannot be opened.
    """
    check_input(Path(path))
    with open(path, "rb") as stream:
        try:
            loaded = np.load(stream, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                raise TypeError("it has one array without a name")
            with loaded as file:
                return {key: file[key] for key in file.files if keys is None or key in keys}
        except Exception as error:  # a damaged zip file raises a dozen kinds
            raise ValueError(refusal(error)) from error


def refusal(error: Exception) -> str:
    """Why NumPy does not read a file, without its advice to run what may be in the file."""
    text = str(error) or type(error).__name__
    if text.startswith("Object arrays"):
        return "it has Python objects"
    return "it has another format" if "pickle" in text else text


def write_arrays(path: Path, arrays: dict, *, simulated: bool = False) -> None:
    """Write an .npz file, whole or not at all, with the program's name and version in it.

    ``simulated`` is for simulated recordings, see `base.files.check_output`.

    Raises
    ------
    InputError
        If `base.files.check_output` refuses ``path``.
    """
    check_output(path, (".npz",), simulated=simulated)
    with written_file(path) as temporary:
        np.savez_compressed(temporary, **arrays | signature())
