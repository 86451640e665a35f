# SPDX-License-Identifier: Apache-2.0
"""Checks of the keys, shapes and numbers of a state dict."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

__all__ = ["PAGE", "Keys", "check_keys", "check_neurons", "check_rule", "check_tensors", "given",
           "listed", "one_of", "written"]

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
        If a tensor is not finite, or has a wrong shape. The message names the key. For a wrong
        shape it has those of all keys, because the wrong tensor may be another one.
    """
    sizes: dict[str, int] = {}
    shapes = f": the shapes are {listed(keys)}, see {PAGE}"
    for key, axes in keys.items():
        array = tensors[key]
        if array.ndim != len(axes) or 0 in array.shape:
            if not axes:
                raise ValueError(f"{key} must be one number, not shape {array.shape}")
            raise ValueError(f"{key} must have {len(axes)} non-empty axes, not shape "
                             f"{array.shape}{shapes}")
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, int(axis) if axis.isdigit() else size) != size:
                wanted = tuple(sizes.get(a, s) for a, s in zip(axes, array.shape, strict=True))
                raise ValueError(f"{key} must have shape {wanted} to fit the other tensors, "
                                 f"not {array.shape}{shapes}")
        check_rule(key, array, np.isfinite(array), "finite")
    return sizes


def check_rule(key: str, array: np.ndarray, holds: np.ndarray, rule: str) -> None:
    """Check that ``holds``, bool of the shape of ``array``, is true everywhere.

    Raises
    ------
    ValueError
        If it is not. The message has ``rule``, and the first number that breaks it.
    """
    if not holds.all():
        index = np.argwhere(~holds)[0].tolist()
        raise ValueError(f"{key} must be {rule}, not {written(array[tuple(index)])}"
                         f"{f' at {index}' if index else ''}")


def check_neurons(tensors: Mapping[str, np.ndarray], modules: Iterable[str]) -> None:
    """Check the range of beta and of the threshold of the neurons ``modules``, if they have them.

    Raises
    ------
    ValueError
        If a number is not finite, or out of its range. The message names the key.
    """
    for module in modules:
        for name in ("beta", "threshold"):
            key = f"{module}.{name}"
            array = np.asarray(tensors.get(key, 0.5))
            check_rule(key, array, np.isfinite(array), "finite")
            if name == "beta":
                check_rule(key, array, (array >= 0) & (array < 1), "0 or more and below 1")
            else:
                check_rule(key, array, array > 0, "above 0")


def one_of(tensors: Mapping[str, np.ndarray], key: str, default: int, choices: Collection[int],
           rule: str) -> int:
    """The number that is the tensor ``key``, or ``default`` where there is none.

    Raises
    ------
    ValueError
        If it is not one of ``choices``, as ``rule`` says.
    """
    array = tensors.get(key, np.array(default))
    if array.size != 1 or array.item() not in choices:
        number = written(array.item()) if array.size == 1 else f"shape {array.shape}"
        raise ValueError(f"{key} must be {rule}, not {number}")
    return int(array.item())


def written(number: float) -> str:
    """A number as a user writes it: the shortest that gives it in the format of the file."""
    value = float(number)
    with np.errstate(over="ignore"):
        formats = [np.float64(value).astype(kind) for kind in (np.float16, np.float32, np.float64)]
    shortest = next(found for found in formats if float(found) == value or np.isnan(value))
    return str(shortest).removesuffix(".0")
