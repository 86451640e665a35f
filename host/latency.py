# SPDX-License-Identifier: Apache-2.0
"""From the last spike of a step to its velocity: how long it takes, and where."""

from dataclasses import dataclass

import numpy as np

from spikewright.base.errors import InputError
from spikewright.plan.frames import (
    answer_cycles,
    events_max,
    request_cycles,
    step_answer_bytes,
    step_request_bytes,
)

from .decode import Decoded
from .serial_port import LINE_BITS

__all__ = ["PERCENTILES", "Latency", "check_events", "latency_of", "lines_of"]

PERCENTILES = 50, 95, 99, 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Latency:
    """Seconds of each step, ndarrays of shape (steps,).

    Parameters
    ----------
    total : ndarray
        From the call with the events of a step to its velocity, as measured.
    line : ndarray
        Bits of request and answer on the serial line, computed.
    board : ndarray
        Cycles of the core, as the board counts them, and those of its link, computed.
    """

    total: np.ndarray
    line: np.ndarray
    board: np.ndarray

    @property
    def host(self) -> np.ndarray:
        """The rest: this program, the operating system, and the USB serial chip."""
        return self.total - self.line - self.board


def check_events(events: np.ndarray, rows: int) -> None:
    """Check that each step is one frame, as `latency_of` needs it.

    Raises
    ------
    InputError
        If a step needs several frames.
    """
    if events.max(initial=0) > events_max(rows):
        raise InputError(f"Events of a step must be {events_max(rows)} or fewer, so that each step "
                         f"is one frame, not {events.max()}")


def latency_of(answer: Decoded, events: np.ndarray, *, rows: int, outputs: int, baud: int,
               clock_hz: int) -> Latency:
    """Split the time of each step of ``answer``.

    Parameters
    ----------
    answer : Decoded
    events : ndarray of int, shape (steps,)
        Events of each step, see `check_events`.
    rows, outputs : int
        Of the device.
    baud, clock_hz : int
    """
    request = np.array([step_request_bytes(rows, int(count)) for count in events])
    link = [request_cycles(rows, int(count)) + answer_cycles(outputs) for count in events]
    return Latency(total=answer.round_trip,
                   line=LINE_BITS * (request + step_answer_bytes(outputs)) / baud,
                   board=(answer.cycles + np.array(link)) / clock_hz)


def lines_of(latency: Latency) -> list[str]:
    """A line for the total, and one for each part: percentiles in milliseconds."""
    parts = {
        "last spike to velocity": latency.total,
        "host": latency.host,
        "line": latency.line,
        "board": latency.board,
    }
    lines = []
    for name, seconds in parts.items():
        values = 1e3 * np.percentile(seconds, PERCENTILES)
        lines.append(f"{name:<24}" + ", ".join(
            f"{'longest' if percent == 100 else f'p{percent}'} {value:.3f} ms"
            for percent, value in zip(PERCENTILES, values, strict=True)))
    return lines
