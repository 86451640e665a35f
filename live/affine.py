# SPDX-License-Identifier: Apache-2.0
"""An affine map of the decoded velocity, such as a gain, a turn of the axes or a constant drift."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

__all__ = ["Affine"]


@dataclass(frozen=True, eq=False)
class Affine:
    """``matrix @ velocity + offset``.

    Parameters
    ----------
    matrix : ndarray of float64, shape (axes out, axes)
    offset : ndarray of float64, shape (axes out,)
    """

    matrix: np.ndarray
    offset: np.ndarray

    @classmethod
    def read(cls, path: Path, axes: int) -> "Affine":
        """Read a .json file with ``matrix`` and, if it is not 0, ``offset``.

        ``axes`` is the number of axes that the model decodes.

        Raises
        ------
        InputError
            If the file has another form, or is for another number of axes.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            matrix = np.array(found["matrix"], np.float64)
            offset = np.array(found.get("offset", [0.0] * len(matrix)), np.float64)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError,
                RecursionError) as error:
            raise InputError(f"Affine map {path} must be a .json file with lists of numbers as "
                             f"'matrix' and 'offset', not one that fails: {error!r}") from None
        if matrix.ndim != 2 or matrix.shape[1] != axes or not len(matrix):
            raise InputError(f"Affine map {path} matrix must have {axes} columns, as the model has "
                             f"axes, not the shape {matrix.shape}")
        if offset.shape != (len(matrix),):
            raise InputError(f"Affine map {path} offset must have {len(matrix)} numbers, as the "
                             f"matrix has rows, not the shape {offset.shape}")
        if not (np.isfinite(matrix).all() and np.isfinite(offset).all()):
            raise InputError(f"Affine map {path} must hold finite numbers, not NaN or an infinity")
        return cls(matrix, offset)

    def __call__(self, velocity: np.ndarray) -> np.ndarray:
        """Map one velocity."""
        return self.matrix @ velocity + self.offset
