# SPDX-License-Identifier: Apache-2.0
"""The parts of a report about time: cycles, microseconds, the serial line."""

from dataclasses import dataclass

__all__ = ["CycleTimes", "Latency", "Line", "LineTimes", "Microseconds", "StepCycles", "StepTimes"]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Clock cycles from the last event of a step to its result.

    Parameters
    ----------
    mean : float
        Mean over the recording.
    largest_seen : int
        Most over the recording.
    worst : int
        Most over all inputs, proven.
    worst_is : str
        What ``worst`` is proven for.
    """

    mean: float
    largest_seen: int
    worst: int
    worst_is: str


@dataclass(frozen=True, kw_only=True)
class StepCycles(Latency):
    """Clock cycles of a step.

    Parameters
    ----------
    budget : int
        Cycles until the next step begins.
    worst_events : int
        Events of a full frame.
    """

    budget: int
    worst_events: int


@dataclass(frozen=True, kw_only=True)
class CycleTimes:
    """The figures of `Latency` in microseconds."""

    mean: float
    largest_seen: float
    worst: float


@dataclass(frozen=True, kw_only=True)
class StepTimes(CycleTimes):
    """The figures of `StepCycles` in microseconds."""

    budget: float


@dataclass(frozen=True, kw_only=True)
class Microseconds:
    """Clock cycles as times.

    Parameters
    ----------
    cycles : StepTimes
    latency : CycleTimes
    """

    cycles: StepTimes
    latency: CycleTimes


@dataclass(frozen=True, kw_only=True)
class LineTimes:
    """Microseconds of the requests of a step on the serial line.

    Parameters
    ----------
    mean : float
        Mean over the recording, of all frames of a step.
    worst : float
        The longest frame.
    """

    mean: float
    worst: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """Times on the serial line.

    Parameters
    ----------
    request_us : LineTimes
    answer_us : float
        Microseconds of an answer.
    """

    request_us: LineTimes
    answer_us: float
