# SPDX-License-Identifier: Apache-2.0
"""NWB files: the units table, a series of positions or velocities, the trials table."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from .session import Motion, Session

__all__ = ["read_nwb"]


def read_nwb(path: Path, series: str | None) -> Session:
    """The session in ``path``: a channel for each row of its units table.

    ``series`` names a time series of positions or velocities anywhere in the file. Where None, it
    is the only one whose name contains ``vel``, if there is one.
    """
    from pynwb import NWBHDF5IO, TimeSeries
    with ExitStack() as opened:
        try:
            file = opened.enter_context(NWBHDF5IO(path, "r")).read()
        except Exception as error:      # another or a damaged file raises a dozen kinds
            raise InputError(f"{path} must be an NWB file, not one that pynwb refuses: "
                             f"{str(error).splitlines()[0] if str(error) else error!r}") from error
        if file.units is None or "spike_times" not in file.units.colnames:
            raise InputError(f"{path} must hold a units table with spike_times, not none")
        spikes = [np.asarray(times, np.float64) for times in file.units["spike_times"][:]]
        named = {item.name: item for item in file.objects.values() if isinstance(item, TimeSeries)}
        motion = _motion(path, named, series)
        trials = None if file.trials is None else np.asarray(file.trials["start_time"][:])
        last = max([0.0, *(times.max() for times in spikes if len(times)),
                    *(motion.times[-1:] if motion else [])])
        return Session(spikes=spikes, start=0.0, stop=last, motion=motion, trials=trials,
                       source=f"{path.name}: {file.session_description}")


def _motion(path: Path, named: dict, series: str | None) -> Motion | None:
    velocities = [name for name in named if "vel" in name.lower()]
    name = series or (velocities[0] if len(velocities) == 1 else None)
    if name is None:
        if velocities:
            raise InputError(f"{path} holds several velocities: choose one of "
                             f"{', '.join(sorted(velocities))} with --series")
        return None
    if name not in named:
        raise InputError(f"{path} must hold the series {name!r}, not only "
                         f"{', '.join(sorted(named)) or 'none'}")
    item = named[name]
    data = np.asarray(item.data)
    if data.dtype.kind not in "fiu":
        raise InputError(f"{path} series {name!r} must hold numbers, not {data.dtype}")
    values = data.astype(np.float64) * item.conversion
    values = values[:, None] if values.ndim == 1 else values
    times = (np.asarray(item.timestamps, np.float64) if item.timestamps is not None
             else item.starting_time + np.arange(len(values)) / item.rate)
    moves = "vel" in name.lower()
    unit = item.unit if item.unit not in ("unknown", "n/a") else ""
    return Motion(times=times, values=values, is_velocity=moves,
                  unit=unit if moves or not unit else f"{unit}/s")
