# SPDX-License-Identifier: Apache-2.0
"""Files of plain arrays, whole or refused."""

from pathlib import Path

import numpy as np

__all__ = ["read_arrays"]


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
