# SPDX-License-Identifier: Apache-2.0
"""Files that Neo reads: Blackrock, Plexon, Open Ephys, SpikeGLX, Intan, TDT, Trodes and others."""

from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError

from .session import Session

__all__ = ["read_neo"]


def read_neo(path: Path) -> Session:
    """The spike trains of the first segment in ``path``: a channel for each train."""
    import neo
    try:
        reader = neo.io.get_io(str(path))
    except Exception as error:          # each format raises errors of its own
        raise InputError(f"{path} must be a file of a format that Neo knows, not "
                         f"{path.suffix or 'one without an extension'}: 'spikewright record import "
                         "--help' lists what is read") from error
    try:
        segment = reader.read_block().segments[0]
    except Exception as error:          # each format raises errors of its own
        raise InputError(f"{path} must be a file that Neo reads, not one that it refuses: "
                         f"{str(error).splitlines()[0] if str(error) else error!r}") from error
    trains = segment.spiketrains
    if not trains:
        raise InputError(f"{path} must hold spike trains, not none: sort or threshold it first")
    return Session(
        spikes=[np.asarray(train.rescale("s").magnitude, np.float64) for train in trains],
        start=min(float(train.t_start.rescale("s")) for train in trains),
        stop=max(float(train.t_stop.rescale("s")) for train in trains), source=path.name)
