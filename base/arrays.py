# SPDX-License-Identifier: Apache-2.0
"""Files of plain arrays, whole or refused."""

from pathlib import Path

import numpy as np

from .files import written_file

__all__ = ["read_arrays", "write_arrays"]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of an .npz file.

    Raises
    ------
    ValueError
        If the file is damaged, is of another kind, or holds Python objects.
    OSError
        If it cannot be opened.
    """
    with open(path, "rb") as stream:
        try:
            with np.load(stream, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except Exception as error:  # a damaged zip file raises a dozen kinds
            raise ValueError(str(error) or type(error).__name__) from error


def write_arrays(path: Path, arrays: dict) -> None:
    """Write an .npz file under exactly the name of ``path``, whole or not at all."""
    # An open file, since NumPy adds .npz to a name without it.
    with written_file(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)
