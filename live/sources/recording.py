# SPDX-License-Identifier: Apache-2.0
"""A recording as a source: played as it was recorded, or as fast as the decoder answers."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikewright.base.arrays import write_arrays
from spikewright.network.recording import Recording, read_recording
from spikewright.record.importer import import_recording

from ..bins import Bin

__all__ = ["Player", "open_recording"]


def open_recording(path: Path, dt: float) -> Recording:
    """Read a recording (.npz), or in steps of ``dt`` seconds the file of another program.

    Raises
    ------
    InputError
        If the file is neither.
    """
    if path.suffix == ".npz":
        return read_recording(path)
    arrays = import_recording(path, dt)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{path.stem}.npz"
        write_arrays(file, arrays)
        return read_recording(file)


class Player:
    """Plays a recording.

    A step that is late is played as soon as the one before is answered. No step is left out.

    Parameters
    ----------
    recording : Recording
    fast : bool
        Play each step as soon as the one before is answered.
    repeat : bool
        Begin again after the last step, without an end.
    """

    def __init__(self, recording: Recording, *, fast: bool = False, repeat: bool = False):
        self.title = recording.name
        self.counts: dict[str, int] = {}
        self._recording, self._fast, self._repeat = recording, fast, repeat

    def bins(self) -> Iterator[Bin]:
        """One bin after another, each when it is over."""
        began, played = time.perf_counter(), 0
        while True:
            for t in range(self._recording.steps):
                played += 1
                now, due = time.perf_counter(), began + played * self._recording.dt
                if self._fast:
                    due = now
                elif due > now:
                    time.sleep(due - now)
                yield self._bin(t, due)
            if not self._repeat:
                return

    def close(self) -> None:
        pass

    def _bin(self, t: int, due: float) -> Bin:
        played = self._recording
        channels = played.channel[played.start[t]:played.start[t + 1]].tolist()
        truth = None if played.velocity is None or np.isnan(played.velocity[t]).all() else \
            played.velocity[t].tolist()
        return Bin(channels=channels, due=due, last=due if channels else None,
                   reset=t == 0 or bool(played.reset[t]), truth=truth)
