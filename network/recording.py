# SPDX-License-Identifier: Apache-2.0
"""Recordings of spikes, read from .npz files or simulated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spikewright.base.arrays import read_arrays
from spikewright.base.errors import InputError

from .constants import MOST_DT, is_dt
from .graded.network import AnyNetwork

__all__ = ["SIMULATED_SEED", "TARGETS", "Recording", "poisson_recording", "read_recording",
           "recording_of_arrays", "recording_of_counts", "simulated_recording"]

#: Keys that may hold what the subject did. By default, the first of them in the file is read.
TARGETS = ("velocity", "force")
REQUIRED = ("bin", "channel", "n_bins", "n_channels", "dt")
TEXTS = ("unit", "source", "licence", "note")
KEYS = (*REQUIRED, "count", "trial_start_bin", *TARGETS, *TEXTS)

# The rate is in Hz per channel. Recordings of the motor cortex have 6 to 12 Hz per channel, so the
# peaks of the states are too large rather than too small.
SIMULATED_RATE, SIMULATED_STEPS, SIMULATED_SEED = 20.0, 10000, 1

# Fewest and most simulated spikes per channel and step. Other frameworks count time in their own
# unit, so a dt of 1 or of 1e-6 need not be in seconds.
SIMULATED_SPIKES = 0.02, 0.2

# Six days at 4 ms. Without limits, a wrong number could need more memory than the machine has.
MOST_STEPS, MOST_CHANNELS, MOST_EVENTS, MOST_COUNT = 1 << 27, 1 << 16, 1 << 27, (1 << 16) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """Spikes of all steps, as a list of events.

    Parameters
    ----------
    name : str
    channel : ndarray of int64, shape (events,)
        Channel of each event, in the order of steps.
    start : ndarray of int64, shape (steps + 1,)
        Events of step t are ``channel[start[t]:start[t+1]]``.
    channels : int
    dt : float
        Seconds per step.
    reset : ndarray of bool, shape (steps,)
        Whether the state is cleared before the step.
    velocity : ndarray of float64, shape (steps, axes), or None
        What the subject did: its velocity, or another of ``TARGETS``, in units of the recording.
        Unknown values are NaN.
    target : str
        Which of ``TARGETS`` ``velocity`` is.
    unit, source, licence : str
        Unit of ``velocity``, origin of the recording, and its licence. A text that the file does
        not have is empty.
    synthetic : bool
        Whether the file says that nothing in it was measured on a subject.
    """

    name: str
    channel: np.ndarray
    start: np.ndarray
    channels: int
    dt: float
    reset: np.ndarray
    velocity: np.ndarray | None = None
    target: str = TARGETS[0]
    unit: str = ""
    source: str = ""
    licence: str = ""
    synthetic: bool = False

    @property
    def steps(self) -> int:
        return len(self.start) - 1

    @property
    def target_title(self) -> str:
        """The recording and its target, for messages."""
        return f"Recording {self.name} {self.target}"

    def head(self, steps: int) -> "Recording":
        """The first ``steps`` steps."""
        return self.cut(0, min(steps, self.steps))

    def cut(self, first: int, stop: int) -> "Recording":
        """The steps ``first`` to ``stop - 1``."""
        first_event, last_event = self.start[first], self.start[stop]
        return replace(self, channel=self.channel[first_event:last_event],
                       start=self.start[first:stop + 1] - first_event,
                       reset=self.reset[first:stop],
                       velocity=None if self.velocity is None else self.velocity[first:stop])

    def arrays(self) -> dict:
        """What every .npz file of the recording has, in the smallest types that fit the numbers."""
        return {"bin": np.repeat(np.arange(self.steps, dtype=np.int32), np.diff(self.start)),
                "channel": self.channel.astype(np.min_scalar_type(self.channels - 1)),
                "n_bins": self.steps, "n_channels": self.channels, "dt": self.dt}

    def check_fits(self, channels: int, dt: float) -> None:
        """Check that a network with ``channels`` and ``dt`` can take this recording.

        Raises
        ------
        InputError
            If the recording has other channels or another dt.
        """
        if self.channels != channels:
            raise InputError(f"Recording {self.name} n_channels must be {channels}, as the network "
                             f"has, not {self.channels}")
        if not np.isclose(self.dt, dt, rtol=1e-6, atol=0):
            raise InputError(f"Recording {self.name} dt must be {dt} s, as the network has, "
                             f"not {self.dt}")


def read_recording(path: Path, target: str | None = None) -> Recording:
    """Read a recording. docs/contracts.md describes the keys of the file.

    Parameters
    ----------
    path : Path
        An .npz file.
    target : str, optional
        One of ``TARGETS``, to read as the velocity. The file must have this key.

    Raises
    ------
    InputError
        If the file is no recording. The message names the key.
    """
    path = Path(path)
    try:
        data = read_arrays(path, KEYS)
    except ValueError as error:
        hint = "" if path.suffix == ".npz" else "; 'spikewright record import' makes an .npz file"
        raise InputError(f"Recording {path} must be an .npz file of plain arrays, not a file that "
                         f"NumPy refuses: {error}{hint}") from error
    return recording_of_arrays(data, path, target)


def recording_of_arrays(data: Mapping[str, np.ndarray], path: Path,
                        target: str | None = None) -> Recording:
    """The recording whose file ``path`` has, or shall have, the arrays ``data``.

    Raises
    ------
    InputError
        As `read_recording`.
    """
    for key in (*REQUIRED, *([target] if target else [])):
        if key not in data:
            raise InputError(f"Recording {path} must have the key {key!r}, not only "
                             f"{', '.join(sorted(data)) or 'keys that no recording has'}: see "
                             "docs/howto/recording.md")
    steps = _integer(data, path, "n_bins", MOST_STEPS)
    channels = _integer(data, path, "n_channels", MOST_CHANNELS)
    bins, channel, count = _events(data, path, steps, channels)
    reset = np.zeros(steps, bool)
    if "trial_start_bin" in data:
        reset[_integers(data, path, "trial_start_bin", steps)] = True
    dt = data["dt"]
    if dt.ndim != 0 or dt.dtype.kind not in "fiu":
        raise InputError(f"Recording {path} dt must be a number, not {dt.dtype} of shape "
                         f"{dt.shape}")
    if not is_dt(float(dt)):
        raise InputError(f"Recording {path} dt must be seconds between 0 and {MOST_DT}, not "
                         f"{float(dt)}")
    return Recording(name=path.name, channel=np.repeat(channel, count),
                     start=np.searchsorted(np.repeat(bins, count), np.arange(steps + 1)),
                     channels=channels, dt=float(dt), reset=reset,
                     **_velocity(data, path, target, steps), **_texts(data))


def poisson_recording(channels: int, dt: float, *, steps: int, rate: float,
                      seed: int) -> Recording:
    """Simulate ``steps`` steps of independent Poisson spikes.

    Each channel has ``rate`` spikes per second. ``dt`` is in seconds per step.
    """
    counts = np.random.default_rng(seed).poisson(rate * dt, size=(steps, channels))
    return recording_of_counts(
        counts, dt, f"simulated Poisson spikes, {rate:g} Hz per channel, seed {seed}")


def recording_of_counts(counts: np.ndarray, dt: float, name: str) -> Recording:
    """A recording without a reset, with ``counts``, int64 (steps, channels), of spikes."""
    step, channel = np.nonzero(counts)
    return Recording(name=name, channel=np.repeat(channel, counts[step, channel]),
                     start=np.concatenate([[0], np.cumsum(counts.sum(axis=1))]),
                     channels=counts.shape[1], dt=dt, reset=np.zeros(len(counts), bool))


def simulated_recording(network: AnyNetwork, seed: int = SIMULATED_SEED) -> Recording:
    """Simulated spikes for a network without a recording. A ``seed`` always gives the same."""
    low, high = (spikes / network.dt for spikes in SIMULATED_SPIKES)
    return poisson_recording(network.channels, network.dt, steps=SIMULATED_STEPS,
                             rate=min(max(SIMULATED_RATE, low), high), seed=seed)


def _events(data, path, steps, channels):
    bins = _integers(data, path, "bin", steps)
    channel = _integers(data, path, "channel", channels)
    count = (_integers(data, path, "count", MOST_COUNT + 1) if "count" in data
             else np.ones_like(bins))
    if not len(bins) == len(channel) == len(count):
        raise InputError(f"Recording {path} bin, channel and count must have equal length, "
                         f"not {len(bins)}, {len(channel)}, {len(count)}")
    if (np.diff(bins) < 0).any():
        event = int(np.argmax(np.diff(bins) < 0)) + 1
        raise InputError(f"Recording {path} bin must be ascending, not {int(bins[event])} after "
                         f"{int(bins[event - 1])} at event {event}")
    if count.sum() > MOST_EVENTS:
        raise InputError(f"Recording {path} count must add up to at most {MOST_EVENTS}, "
                         f"not {int(count.sum())}")
    return bins, channel, count


def _velocity(data, path, target, steps):
    key = target or next((key for key in TARGETS if key in data), None)
    if key is None:
        return {}
    velocity = data[key]
    if velocity.ndim != 2 or len(velocity) != steps or velocity.dtype.kind not in "fiu":
        raise InputError(f"Recording {path} {key} must be numbers of shape ({steps}, axes), "
                         f"not {velocity.dtype} of shape {velocity.shape}")
    if np.isinf(velocity).any():
        row = int(np.argwhere(np.isinf(velocity))[0, 0])
        raise InputError(f"Recording {path} {key} must be finite, or NaN where it is not known, "
                         f"not {velocity[row].tolist()} in row {row}")
    return {"velocity": velocity.astype(np.float64), "target": key}


def _texts(data):
    texts = {key: str(data[key]) if key in data and data[key].ndim == 0 else "" for key in TEXTS}
    note = texts.pop("note")
    return texts | {"synthetic": "synthetic" in note.lower()
                    or texts["source"].startswith("simulated")}


def _integer(data, path, key, most):
    value = data[key]
    if value.ndim != 0 or value.dtype.kind not in "iu":
        raise InputError(f"Recording {path} {key} must be an integer, not {value.dtype} of shape "
                         f"{value.shape}")
    if not 1 <= value <= most:
        raise InputError(f"Recording {path} {key} must be between 1 and {most}, not {int(value)}")
    return int(value)


def _integers(data, path, key, limit):
    array = data[key]
    if array.ndim != 1 or array.dtype.kind not in "iu":
        whole = array.dtype.kind == "f" and (array == np.rint(array)).all()
        raise InputError(f"Recording {path} {key} must be a list of integers, not {array.dtype} "
                         f"of shape {array.shape}"
                         f"{': convert it with .astype(int)' if whole else ''}")
    array = array.astype(np.int64)
    bad = np.flatnonzero((array < 0) | (array >= limit))
    if len(bad):
        raise InputError(f"Recording {path} {key} must be between 0 and {limit - 1}, not "
                         f"{int(array[bad[0]])} at entry {int(bad[0])}")
    return array
