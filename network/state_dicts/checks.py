# SPDX-License-Identifier: Apache-2.0
"""Checks of the keys and shapes of a state dict."""

from collections.abc import Mapping

import numpy as np

__all__ = ["PAGE", "Keys", "check_keys", "check_tensors", "given", "listed"]

# The page for users about the tensors of a checkpoint.
PAGE = "docs/howto/checkpoint.md"

# Key and shape of each tensor. A letter is a size that the tensors have in common, and a number is
# one that they must have.
Keys = Mapping[str, tuple[str, ...]]


def listed(keys: Keys) -> str:
    """``keys`` with their shapes, as text."""
    return ", ".join(f"{key} ({', '.join(axes)})" if axes else key for key, axes in keys.items())


def given(tensors: Mapping[str, np.ndarray]) -> str:
    """The first keys of ``tensors``, as text."""
    keys = sorted(tensors)
    shown = ", ".join(keys[:8]) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")
    return shown or "nothing"


def check_keys(tensors: Mapping[str, np.ndarray], keys: Keys, others: Mapping | set) -> None:
    """Check that ``tensors`` has all of ``keys``, and apart from them only some of ``others``.

    Raises
    ------
    ValueError
        If a key is missing or unknown. The message names the key.
    """
    missing = {key: axes for key, axes in keys.items() if key not in tensors}
    if missing:
        raise ValueError(f"Checkpoint must have {listed(missing)}, not only {given(tensors)}: "
                         f"see {PAGE}")
    for key in tensors:
        if key not in keys and key not in others:
            raise ValueError(f"Checkpoint must have only {listed(keys)}, not {key!r}: see {PAGE}")


def check_tensors(tensors: Mapping[str, np.ndarray], keys: Keys) -> dict[str, int]:
    """Check that the tensors of ``keys`` are finite and fit together. Return the common sizes.

    Raises
    ------
    ValueError
        If a tensor is not finite, or has a wrong shape. The message names the key.
    """
    sizes: dict[str, int] = {}
    for key, axes in keys.items():
        array = tensors[key]
        if array.ndim != len(axes) or 0 in array.shape:
            raise ValueError(f"{key} must have {len(axes)} non-empty axes, "
                             f"not shape {array.shape}")
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, int(axis) if axis.isdigit() else size) != size:
                wanted = tuple(sizes.get(a, s) for a, s in zip(axes, array.shape, strict=True))
                raise ValueError(f"{key} must have shape {wanted} to fit the other tensors, "
                                 f"not {array.shape}")
        if not np.isfinite(array).all():
            index = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(f"{key} must be finite, not {float(array[tuple(index)])!r} at {index}")
    return sizes
