# SPDX-License-Identifier: Apache-2.0
"""MATLAB files (v7.3) in the layout of the public "Nonhuman Primate Reaching" sessions.

``spikes`` is a cell array of spike times in seconds, (channels, units); ``t`` the times of the
samples in seconds; ``cursor_pos`` in mm and ``finger_pos`` in cm are positions at these times, and
``target_pos`` those of the target (O'Doherty et al., 2017, doi 10.5281/zenodo.583331).
"""

from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from .session import Motion, Session

__all__ = ["POSITIONS", "read_mat"]

#: Positions that a file may have, with the unit of their velocity.
POSITIONS = {"cursor_pos": "mm/s", "finger_pos": "cm/s"}

# Axes of each position.
AXES = {"cursor_pos": (2,), "finger_pos": (3, 6), "target_pos": (2,)}


def read_mat(path: Path, position: str | None, *, targets: bool = False) -> Session:
    """The session in ``path``; the units of a channel count together.

    ``position`` is one of ``POSITIONS``; the first that the file has where None. The session has
    the positions of the target only with ``targets``.

    Raises
    ------
    InputError
        If the file is no such session.
    """
    import h5py
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path} must be a MATLAB file of version 7.3, not one that h5py refuses: "
                         f"{error}: save it in MATLAB with -v7.3") from error
    with file:
        name = position or next((key for key in POSITIONS if key in file), None)
        for key in ("spikes", "t", name, "target_pos" if targets else None):
            if key is not None and key not in file:
                raise InputError(f"{path} must hold {key!r}, not only {', '.join(sorted(file))}")
        times = _numbers(file["t"], f"{path} t").ravel()
        if len(times) < 2:
            raise InputError(f"{path} t must be 2 times or more, not {len(times)}")
        apart = np.diff(times)
        wrong = np.flatnonzero(~((apart > 0) & (apart < np.inf)))
        if len(wrong):
            raise InputError(f"{path} t must ascend, not be {times[wrong[0] + 1]:g} s after "
                             f"{times[wrong[0]]:g} s")
        spikes = _spikes(file, path)
        motion = None
        if name is not None:
            values = _positions(file, name, len(times), path)
            if name == "finger_pos":    # z, -x, -y, and in some sessions three angles
                values = -values[:, 1:3]
            motion = Motion(times=times, values=values, is_velocity=False, unit=POSITIONS[name])
        goals = _positions(file, "target_pos", len(times), path) if targets else None
    return Session(spikes=spikes, start=times[0], stop=times[-1], motion=motion, targets=goals,
                   source=path.name)


def _spikes(file, path: Path) -> list[np.ndarray]:
    """Spike times of all units of each channel; an empty cell holds its shape, such as (0, 0)."""
    import h5py
    cells = file["spikes"]
    if not (isinstance(cells, h5py.Dataset) and _refers(cells)
            and cells.ndim == 2 and cells.size):
        raise InputError(f"{path} spikes must be a cell array of 1 channel or more, and of 1 unit "
                         f"or more, not {_form(cells)}")
    spikes = []
    for channel in range(cells.shape[1]):   # MATLAB's first axis is the last one here
        times = [np.zeros(0)]
        for unit, reference in enumerate(cells[:, channel]):
            title = f"{path} spikes of channel {channel}, unit {unit}"
            try:
                cell = file[reference]
            except (KeyError, ValueError):
                raise InputError(f"{title} must be in the file, not missing") from None
            if not cell.attrs.get("MATLAB_empty", 0):
                times.append(_numbers(cell, title).ravel())
        spikes.append(np.concatenate(times))
    return spikes


def _positions(file, key: str, samples: int, path: Path) -> np.ndarray:
    """Positions of each of the ``samples`` of t: float64, (samples, axes)."""
    values = _numbers(file[key], f"{path} {key}")
    if values.shape not in [(axes, samples) for axes in AXES[key]]:
        raise InputError(f"{path} {key} must be {' or '.join(map(str, AXES[key]))} axes of "
                         f"{samples} samples, as t has, not of shape {values.shape}")
    return values.T


def _numbers(item, title: str) -> np.ndarray:
    """The matrix ``item`` of the file, float64; ``title`` is its name in a message."""
    import h5py
    if not (isinstance(item, h5py.Dataset) and item.ndim == 2 and item.dtype.kind in "iuf"
            and item.attrs.get("MATLAB_class") != b"char"):
        raise InputError(f"{title} must be a matrix of numbers, not {_form(item)}")
    return np.asarray(item, np.float64)


def _form(item) -> str:
    """What an item of the file is, for a message."""
    import h5py
    if not isinstance(item, h5py.Dataset):
        return "a group"
    text = item.attrs.get("MATLAB_class") == b"char" or h5py.check_string_dtype(item.dtype)
    kind = "text" if text else "cells" if _refers(item) else item.dtype
    return f"{kind} of shape {item.shape}"


def _refers(item) -> bool:
    """Whether the elements of a dataset are references, as cells are."""
    import h5py
    return h5py.check_ref_dtype(item.dtype) is h5py.Reference
