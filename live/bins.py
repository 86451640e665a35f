# SPDX-License-Identifier: Apache-2.0
"""What goes through the live loop: bins of spikes in, answers out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

__all__ = ["Answer", "Bin", "Sink", "Source", "to_line"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Bin:
    """The spikes of one step.

    Parameters
    ----------
    channels : list of int
        Channel of each spike; a channel with two spikes comes twice.
    due : float
        When the bin was over, in seconds of `time.perf_counter`.
    last : float, optional
        When its last spike was stamped, in the same seconds. None without a spike.
    reset : bool
        Whether to clear the state before the step.
    truth : list of float, optional
        What the subject did in this step; NaN where it is not known.
    """

    channels: list[int]
    due: float
    last: float | None = None
    reset: bool = False
    truth: list[float] | None = None


class Source(Protocol):
    """Gives the bins of a live loop.

    Members
    -------
    title : str
        Where the spikes come from.
    """

    title: str

    @property
    def counts(self) -> dict[str, int]:
        """What went wrong so far, by name."""

    def bins(self) -> Iterator[Bin | None]:
        """One bin after another, each when it is over. None where none came for 0.1 seconds."""

    def close(self) -> None:
        """Close the file or the connection."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """The answer to a bin.

    Parameters
    ----------
    step : int
        Steps before this one.
    bin : Bin
    velocity : ndarray of float64, shape (axes,)
    answered : float
        When the velocity was there, in seconds of `time.perf_counter`.
    epoch : float
        Seconds from the start of that clock to that of `time.time`, to be added.
    late : bool
        The velocity came more than a step after the bin was over.
    reset : bool
        The state was cleared before the step.
    cycles : int
    saturated : bool
        A state has saturated since the last reset.
    """

    step: int
    bin: Bin
    velocity: np.ndarray
    answered: float
    epoch: float
    late: bool
    reset: bool
    cycles: int
    saturated: bool

    @property
    def delay(self) -> float:
        """Seconds from the end of the bin to the velocity."""
        return self.answered - self.bin.due

    @property
    def from_spike(self) -> float | None:
        """Seconds from the last spike of the bin to the velocity. None without a spike."""
        return None if self.bin.last is None else self.answered - self.bin.last

    @cached_property
    def line(self) -> bytes:
        """The velocity as a line of JSON."""
        return to_line(self._velocity)

    @cached_property
    def record(self) -> bytes:
        """The spikes and the velocity as a line of JSON."""
        facts = self._velocity | {"spikes": self.bin.channels, "cycles": self.cycles}
        if self.from_spike is not None:
            facts["spike_ms"] = round(1e3 * self.from_spike, 3)
        facts |= {name: True for name in ("late", "reset", "saturated") if getattr(self, name)}
        if self.bin.truth is not None:
            facts["truth"] = [None if np.isnan(value) else value for value in self.bin.truth]
        return to_line(facts)

    @property
    def _velocity(self) -> dict[str, Any]:
        return {"step": self.step, "time": round(self.bin.due + self.epoch, 6),
                "velocity": self.velocity.tolist(), "delay_ms": round(1e3 * self.delay, 3)}


class Sink(Protocol):
    """Takes the answers of a live loop. It must not wait: a sink that cannot take one drops it.

    Members
    -------
    title : str
        Where the answers go.
    """

    title: str

    @property
    def counts(self) -> dict[str, int]:
        """What went wrong so far, by name."""

    def send(self, answer: Answer) -> None:
        """Take an answer."""

    def note(self, facts: dict) -> None:
        """Take facts about the loop: at its start, and whenever the model has changed."""

    def close(self) -> None:
        """Finish what was begun, and close the file or the connection."""


def to_line(facts: dict) -> bytes:
    """``facts`` as a line of JSON."""
    return json.dumps(facts, separators=(",", ":"), allow_nan=False).encode() + b"\n"
