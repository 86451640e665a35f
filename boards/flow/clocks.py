# SPDX-License-Identifier: Apache-2.0
"""The clocks of a board that are fast enough for a decoder, and the power of each, estimated."""

from dataclasses import dataclass

import numpy as np

from spikewright.plan.config import line_baud
from spikewright.plan.frames import (
    PART_FIELDS,
    answer_bytes,
    answer_cycles,
    events_max,
    request_cycles,
    row_bytes,
    step_answer_bytes,
    step_request_bytes,
)
from spikewright.report.power import ClockChoice, estimate

from ..board.board import Board

__all__ = ["Work", "clock_choices", "work_of"]

LINE_BITS = 10      # of a byte

# The oscillator in an iCE40UP5K is specified to 10 %: its slowest clock, and with it its baud rate.
OSCILLATOR_SLOWEST = 0.9


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What each of some steps takes, one after another.

    Parameters
    ----------
    bits : ndarray of int
        Bits on the line of all frames of the step, and of their answers.
    cycles : ndarray of int
        Clock cycles between the last byte of the request and the first of the answer.
    """

    bits: np.ndarray
    cycles: np.ndarray

    def longest(self, clock_hz: int, baud: int) -> float:
        """Seconds from the first byte of a step to the last of its answer, of the longest step."""
        return float((self.bits / baud + self.cycles / clock_hz).max(initial=0))


def work_of(events: np.ndarray, cycles: np.ndarray, *, rows: int, outputs: int) -> Work:
    """Work of steps with so many events, for which the core takes so many cycles."""
    frames = np.maximum(-(-events // events_max(rows)), 1)
    data = (step_request_bytes(rows, 0) * frames + row_bytes(rows) * events
            + step_answer_bytes(outputs) + answer_bytes(PART_FIELDS) * (frames - 1))
    link = (request_cycles(rows, 0) * frames + request_cycles(rows, 1) * events
            - request_cycles(rows, 0) * events + answer_cycles(outputs) * frames)
    return Work(bits=LINE_BITS * data, cycles=link + cycles)


def clock_choices(board: Board, recording: Work, frame: Work, *, dt: float, clock_hz: int,
                  baud: int, fmax_hz: float, flip_flops: int,
                  logic: int) -> tuple[ClockChoice, ...]:
    """The clock of a build, and the lowest ones that keep up with ``dt``.

    The host sends a step when the one before is answered. So a clock keeps up if a step, from its
    first byte on the line to the last of its answer, is not longer than ``dt``. The times of a
    clock from the oscillator in the chip are those of its slowest.

    Parameters
    ----------
    board : Board
    recording, frame : Work
        Of the steps of a recording, and of the worst step of one frame.
    dt : float
        Seconds per step.
    clock_hz, baud : int
        Of the build.
    fmax_hz : float
        Highest clock of the design.
    flip_flops, logic : int
        Of the design.
    """
    clocks = board.clocks()
    busy = float(recording.cycles.mean()) / dt / 1e6
    slowest = 1 if board.crystal else OSCILLATOR_SLOWEST

    def seconds(work: Work, hertz: int, bits: int) -> float:
        return work.longest(hertz, bits) / slowest

    def choice(purpose: str, hertz: int, bits: int) -> ClockChoice:
        return ClockChoice(
            purpose=purpose, mhz=hertz / 1e6, made=board.made(clocks[hertz]), baud=bits,
            recording_ms=round(1e3 * seconds(recording, hertz, bits), 3),
            frame_ms=round(1e3 * seconds(frame, hertz, bits), 3),
            power=None if board.chip.currents is None else estimate(
                board.chip.currents, megahertz=hertz / 1e6, origin=board.origin(clocks[hertz]),
                flip_flops=flip_flops, logic=logic, busy=busy))

    found = [choice("this build", clock_hz, baud)]
    for purpose, work in (("lowest for every step of one frame", frame),
                          ("lowest for every step of the recording", recording)):
        enough = [hertz for hertz in clocks if hertz <= fmax_hz
                  and seconds(work, hertz, line_baud(None, hertz)) <= dt]
        if enough:
            found.append(choice(purpose, min(enough), line_baud(None, min(enough))))
    return tuple(found)
