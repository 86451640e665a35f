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


def read_mat(path: Path, position: str | None) -> Session:
    """The session in ``path``; the units of a channel count together.

    ``position`` is one of ``POSITIONS``; the first that the file has where None.
    """
    import h5py
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path} must be a MATLAB file of version 7.3, not one that h5py refuses: "
                         f"{error}: save it in MATLAB with -v7.3") from error
    with file:
        for key in ("spikes", "t"):
            if key not in file:
                raise InputError(f"{path} must hold {key!r}, not only {', '.join(sorted(file))}")
        name = position or next((key for key in POSITIONS if key in file), None)
        if name is not None and name not in file:
            raise InputError(f"{path} must hold {name!r}, not only {', '.join(sorted(file))}")
        times = np.asarray(file["t"], np.float64).ravel()
        cells = file["spikes"]
        if cells.ndim != 2 or len(times) < 2:
            raise InputError(f"{path} spikes must be a cell array of channels and units, and t of "
                             f"samples, not of shape {cells.shape} and {len(times)} samples")
        # MATLAB's first axis is the last one here.
        spikes = [_channel(file, cells[:, channel]) for channel in range(cells.shape[1])]
        motion = None
        if name is not None:
            values = np.asarray(file[name], np.float64).T
            if name == "finger_pos":    # z, -x, -y, and in some sessions three angles
                values = -values[:, 1:3]
            motion = Motion(times=times, values=values, is_velocity=False, unit=POSITIONS[name])
        targets = np.asarray(file["target_pos"], np.float64).T if "target_pos" in file else None
    return Session(spikes=spikes, start=times[0], stop=times[-1], motion=motion, targets=targets,
                   source=path.name)


def _channel(file, references) -> np.ndarray:
    """Spike times of all units of a channel; an empty cell holds its shape, such as (0, 0)."""
    units = [file[reference] for reference in references]
    return np.concatenate([np.zeros(0), *(
        np.asarray(unit, np.float64).ravel() for unit in units
        if not unit.attrs.get("MATLAB_empty", 0))])
