# SPDX-License-Identifier: Apache-2.0
"""Recordings: spikes in bins, and the velocity to decode from them; ``docs/contracts.md``."""

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .files import replacing

__all__ = ["Recording", "load_recording", "save_recording"]

_REQUIRED = ("bin", "channel", "n_bins", "n_channels", "dt")
_MOST     = 2**31               # spike counts held at once, one byte each


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """One session.

    Parameters
    ----------
    bin, channel : int array, (events,)
        Step, ascending, and channel of each event.
    count : int array, (events,), optional
        Spikes of the event's channel in its bin; 1 where absent.
    n_bins, n_channels : int
        Steps and channels of the session.
    dt : float
        Seconds per step.
    trial_start_bin : int array, (trials,), optional
        The state is reset before these steps; ascending.
    velocity : float array, (n_bins, 2), optional
        What the subject did; mm/s in simulated sessions.
    source, licence, note : str
        Where the session comes from; may be empty.
    """
    bin: np.ndarray
    channel: np.ndarray
    n_bins: int
    n_channels: int
    dt: float
    count: np.ndarray | None = None
    trial_start_bin: np.ndarray | None = None
    velocity: np.ndarray | None = None
    source: str = ""
    licence: str = ""
    note: str = ""

    def __post_init__(self):
        for name in ("n_bins", "n_channels"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"Recording {name} must be at least 1, not {value!r}")
        if self.n_bins * self.n_channels > _MOST:
            raise ValueError(f"Recording n_bins x n_channels must be at most {_MOST}, "
                             f"not {self.n_bins * self.n_channels}")
        if not 0 < self.dt < float("inf"):
            raise ValueError(f"Recording dt must be positive seconds, not {self.dt!r}")

        events = (self.bin.size,)
        _check("bin", self.bin, events, 0, self.n_bins - 1)
        _check("channel", self.channel, events, 0, self.n_channels - 1)
        _check_ascending("bin", self.bin, strict=False)
        if self.count is not None:
            _check("count", self.count, events, 1, 255)
        if self.trial_start_bin is not None:
            _check("trial_start_bin", self.trial_start_bin, (self.trial_start_bin.size,),
                   0, self.n_bins - 1)
            _check_ascending("trial_start_bin", self.trial_start_bin, strict=True)
        if self.velocity is not None:
            if self.velocity.dtype.kind not in "fiu" or self.velocity.shape != (self.n_bins, 2):
                raise ValueError(f"Recording velocity must be numbers of shape ({self.n_bins}, 2), "
                                 f"not {self.velocity.dtype} of shape {self.velocity.shape}")
            bad = np.flatnonzero(~np.isfinite(self.velocity).all(1))
            if bad.size:
                raise ValueError(f"Recording velocity in row {bad[0]} must be finite, "
                                 f"not {self.velocity[bad[0]].tolist()}")

    def dense(self) -> np.ndarray:
        """Spikes of each channel in each bin: uint8, (n_bins, n_channels); at most 255."""
        spikes = np.zeros((self.n_bins, self.n_channels), np.int32)
        np.add.at(spikes, (self.bin, self.channel), 1 if self.count is None else self.count)
        return np.minimum(spikes, 255).astype(np.uint8)

    def cut(self, start: int, stop: int) -> "Recording":
        """Steps ``[start, stop)`` as a recording of its own, which begins with a reset."""
        events = slice(*np.searchsorted(self.bin, (start, stop)))
        resets = [max(first, start) - start for first, last in self.trials()
                  if last > start and first < stop]
        return replace(
            self, bin=self.bin[events] - start, channel=self.channel[events], n_bins=stop - start,
            count=None if self.count is None else self.count[events],
            trial_start_bin=np.array(resets, np.int32),
            velocity=None if self.velocity is None else self.velocity[start:stop])

    def trials(self) -> list[tuple[int, int]]:
        """Steps ``[start, stop)`` of each run between two resets; together, the whole session."""
        starts = [] if self.trial_start_bin is None else self.trial_start_bin.tolist()
        edges  = sorted({0, *starts, self.n_bins})
        return list(zip(edges, edges[1:], strict=False))


def _check(name: str, array: np.ndarray, shape: tuple, low: int, high: int) -> None:
    if array.dtype.kind not in "iu":
        raise TypeError(f"Recording {name} must be integers, not {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"Recording {name} must be of shape {shape}, not {array.shape}")
    bad = np.flatnonzero((array < low) | (array > high))
    if bad.size:
        raise ValueError(f"Recording {name} in row {bad[0]} must be between {low} and {high}, "
                         f"not {array[bad[0]]}")


def _check_ascending(name: str, array: np.ndarray, *, strict: bool) -> None:
    before, after = array[:-1], array[1:]
    bad = np.flatnonzero(after <= before if strict else after < before)
    if bad.size:
        raise ValueError(f"Recording {name} in row {bad[0] + 1} must be "
                         f"{'above' if strict else 'at least'} the row before it, "
                         f"{before[bad[0]]}, not {after[bad[0]]}")


def load_recording(path: str | Path) -> Recording:
    """Recording of a .npz file; ValueError or TypeError, naming file and key, if it is not one."""
    try:
        with open(path, "rb") as stream:
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise TypeError
            known = Recording.__dataclass_fields__
            data: dict[str, Any] = {key: file[key] for key in file.files if key in known}
    except (TypeError, ValueError, EOFError, zipfile.BadZipFile):
        raise ValueError(f"{path} must be a recording (.npz), not another kind of file") from None
    try:
        for key in _REQUIRED:
            if key not in data:
                raise ValueError(f"Recording must hold {', '.join(_REQUIRED)}, not miss {key!r}")
        for key, kinds, convert in (("n_bins", "iu", int), ("n_channels", "iu", int),
                                    ("dt", "fiu", float), ("source", "U", str),
                                    ("licence", "U", str), ("note", "U", str)):
            if key in data:
                if data[key].ndim or data[key].dtype.kind not in kinds:
                    raise TypeError(f"Recording {key} must be one {convert.__name__}, "
                                    f"not {data[key].dtype} of shape {data[key].shape}")
                data[key] = convert(data[key])
        return Recording(**data)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from None


def save_recording(path: str | Path, recording: Recording) -> None:
    """Write a compressed .npz file, which appears whole or not at all. Keys that are None stay out.

    Steps are int32, channels the smallest unsigned kind that holds them, velocity float32.
    """
    small: dict[str, Any] = {
        "bin":             np.int32,
        "channel":         np.min_scalar_type(recording.n_channels - 1),
        "count":           np.uint8,
        "trial_start_bin": np.int32,
        "velocity":        np.float32,
    }
    data: dict[str, Any] = {
        key: np.asarray(getattr(recording, key), small.get(key))
        for key in Recording.__dataclass_fields__ if getattr(recording, key) is not None}
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **data)
