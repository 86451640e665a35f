# SPDX-License-Identifier: Apache-2.0
"""Simulated reaches, and the spikes of tuned units during them; NumPy only.

Movement: minimum-jerk reaches between targets in a square workspace (Flash and Hogan, J. Neurosci.
5, 1985), with pauses. Units: Poisson, rate linear in the velocity along a preferred direction and
in the speed (Moran and Schwartz, J. Neurophysiol. 82, 1999), a lead time before the movement.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikewright.base.arrays import write_arrays
from spikewright.network.constants import DT
from spikewright.network.recording import Recording

from .recording import target_velocity

__all__ = ["TASKS", "Reaches", "Units", "default_sessions", "minimum_jerk", "save_session",
           "simulate"]

TASKS = ("random_target", "centre_out")


@dataclass(frozen=True, kw_only=True)
class Reaches:
    """Movements of the subject. Lengths in mm, times in seconds; pairs bound a uniform draw."""
    task: str = "random_target"
    workspace: float = 160.0                        # side of the square, or diameter of the circle
    shortest: float = 40.0                          # distance between successive random targets
    duration: tuple[float, float] = (0.5, 1.2)
    pause: tuple[float, float] = (0.1, 0.5)

    def __post_init__(self):
        if self.task not in TASKS:
            raise ValueError(f"Reaches task must be one of {', '.join(TASKS)}, not {self.task!r}")
        if not 0 <= self.shortest <= self.workspace / 2:
            raise ValueError(f"Reaches shortest must be between 0 and half the workspace, "
                             f"not {self.shortest!r}")


@dataclass(frozen=True, kw_only=True)
class Units:
    """Tuning of a population, drawn from a seed: the same seed is the same subject.

    Parameters
    ----------
    channels : int
        Units; each is one channel.
    seed : int
        Seed of the draws.
    day : int
        Tuning drifts from day to day, as a random walk in direction and depth.
    """
    channels: int = 96
    seed: int = 0
    day: int = 0

    # Bounds of the uniform draws; rates in spikes per second at a speed of 200 mm/s.
    baseline   = (3.0, 15.0)
    modulation = (0.0, 16.0)
    speed_gain = (-1.0, 5.0)
    lead       = (0.05, 0.15)                       # seconds
    speed_unit = 200.0                              # mm/s
    drift      = (0.2, 0.1)                         # radians, and share of the depth, in a day

    def __post_init__(self):
        if not 1 <= self.channels <= 65536:
            raise ValueError(f"Units channels must be between 1 and 65536, not {self.channels!r}")
        if self.day < 0:
            raise ValueError(f"Units day must be 0 or more, not {self.day!r}")

    def rates(self, velocity: np.ndarray, dt: float = DT) -> np.ndarray:
        """Rates during a movement.

        ``max(0, baseline + modulation (v . direction) / unit + speed_gain |v| / unit)``, with the
        velocity one lead time later, or at rest after the end.

        Parameters
        ----------
        velocity : float64, (steps, 2)
            Velocity, in mm/s.

        Returns
        -------
        rates : float64, (steps, channels)
            Spikes per second.
        """
        rng = np.random.default_rng([self.seed, 1])
        base, depth, gain, lead = (rng.uniform(*bounds, self.channels) for bounds in (
            self.baseline, self.modulation, self.speed_gain, self.lead))
        angle  = rng.uniform(0, 2 * np.pi, self.channels)
        for _ in range(self.day):
            angle += rng.normal(0, self.drift[0], self.channels)
            depth *= np.exp(rng.normal(0, self.drift[1], self.channels))
        v      = np.concatenate([velocity, np.zeros((1, 2))]) / self.speed_unit
        tuned  = depth * (v @ np.stack([np.cos(angle), np.sin(angle)]))
        tuned += gain * np.linalg.norm(v, axis=1)[:, None]
        later  = np.arange(len(velocity))[:, None] + np.rint(lead / dt).astype(int)
        return np.maximum(0, base + np.take_along_axis(tuned, np.minimum(later, len(velocity)), 0))


def minimum_jerk(fraction: np.ndarray) -> np.ndarray:
    """Part of the path that is done, 0 to 1, at a fraction of the duration, clipped to 0 to 1."""
    f = np.clip(fraction, 0, 1)
    return f**3 * (10 - 15 * f + 6 * f**2)


def _targets(reaches: Reaches, count: int, rng: np.random.Generator) -> np.ndarray:
    """Successive targets, in mm: float64, (count, 2); the first is where the session starts."""
    half = reaches.workspace / 2
    if reaches.task == "centre_out":
        angle = rng.integers(8, size=count) * np.pi / 4
        ring  = half * np.stack([np.cos(angle), np.sin(angle)], 1)
        return np.where(np.arange(count)[:, None] % 2, ring, 0.0)
    targets = np.zeros((count, 2))
    for i in range(1, count):
        targets[i] = targets[i - 1]
        while np.linalg.norm(targets[i] - targets[i - 1]) < max(reaches.shortest, 1e-9):
            targets[i] = rng.uniform(-half, half, 2)
    return targets


def _move(reaches: Reaches, n_bins: int, dt: float, rng: np.random.Generator
          ) -> tuple[np.ndarray, np.ndarray]:
    """Mean velocity of each bin, mm/s: float64, (n_bins, 2); and the bin of each pause's start."""
    seconds = n_bins * dt
    count   = int(seconds / (reaches.duration[0] + reaches.pause[0])) + 2
    pause, duration = rng.uniform(*reaches.pause, count), rng.uniform(*reaches.duration, count)
    stop    = np.cumsum(pause + duration)
    targets = _targets(reaches, count + 1, rng)
    edge    = np.arange(n_bins + 1) * dt
    now     = np.searchsorted(stop, edge, side="right")
    done    = minimum_jerk((edge - stop[now] + duration[now]) / duration[now])[:, None]
    position = targets[now] + done * (targets[now + 1] - targets[now])
    pauses  = np.ceil((stop - duration - pause) / dt).astype(int)
    return np.diff(position, axis=0) / dt, pauses[pauses < n_bins]


def simulate(*, n_bins: int, seed: int, units: Units | None = None, reaches: Reaches | None = None,
             dt: float = DT, trials: int = 1) -> Recording:
    """Simulate one session.

    Parameters
    ----------
    n_bins : int
        Steps of the session.
    seed : int
        Seed of movement and spikes; the tuning has its own, in ``units``.
    units, reaches : optional
        The population and the behaviour; the defaults of their classes if left out.
    dt : float
        Seconds per step.
    trials : int
        Number of runs into which the session is cut. Each starts at a pause, and all have about
        equal length.

    Returns
    -------
    recording : Recording
        At most one spike per unit and bin. The velocity is the mean of the bin in mm/s, rounded
        to float32 as in a file.
    """
    if n_bins < 1:
        raise ValueError(f"Session n_bins must be at least 1, not {n_bins!r}")
    if not 0 < dt < float("inf"):
        raise ValueError(f"Session dt must be positive seconds, not {dt!r}")
    units, reaches = units or Units(), reaches or Reaches()
    velocity, pauses = _move(reaches, n_bins, dt, np.random.default_rng([seed, 2]))
    if not 1 <= trials <= len(pauses):
        raise ValueError(f"Session trials must be between 1 and its {len(pauses)} reaches, "
                         f"not {trials!r}")
    starts = {int(pauses[np.abs(pauses - k * n_bins / trials).argmin()]) for k in range(trials)}

    rng   = np.random.default_rng([seed, 3])
    fired = rng.random((n_bins, units.channels)) < -np.expm1(-dt * units.rates(velocity, dt))
    reset = np.zeros(n_bins, bool)
    reset[sorted(starts)] = True
    return Recording(
        name=f"SYNTHETIC, simulated by this project: minimum-jerk {reaches.task} reaches, Poisson "
             f"units with cosine tuning; velocity in mm/s; seed {seed}, units' seed {units.seed}",
        channel=np.nonzero(fired)[1], start=np.concatenate([[0], np.cumsum(fired.sum(axis=1))]),
        channels=units.channels, dt=dt, reset=reset,
        velocity=velocity.astype(np.float32).astype(np.float64))


def default_sessions(seed: int = 0) -> tuple[Recording, Recording]:
    """Two sessions of one subject: 10 minutes to train on, and 40 s in 3 runs to score on."""
    units = Units(seed=seed)
    return (simulate(n_bins=150_000, seed=2 * seed, units=units),
            simulate(n_bins=10_000, seed=2 * seed + 1, units=units, trials=3))


def save_session(path: Path, session: Recording) -> None:
    """Write a simulated session to a compressed .npz file, with a note that it is simulated.

    The file appears whole or not at all.
    """
    write_arrays(path, {
        **session.arrays(),
        "trial_start_bin": np.flatnonzero(session.reset).astype(np.int32),
        "velocity": target_velocity(session).astype(np.float32), "unit": "mm/s",
        "source": "simulated: spikewright reaches", "licence": "Apache-2.0", "note": session.name},
        simulated=True)
