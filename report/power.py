# SPDX-License-Identifier: Apache-2.0
"""An estimate of the power of a clock, from published measurements of a chip."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["METHOD", "ClockChoice", "ClockPower", "Currents", "Power", "estimate"]

METHOD = ("still: the core with its clock halted. Clock network: current per MHz, and per MHz and "
          "flip-flop, and that of the PLL or the oscillator in the chip. Work: as if every logic "
          "cell worked like those of a multiplier in each cycle of a step and its frames. Not "
          "counted: block RAMs and large RAMs, pins, a crystal outside the chip, and the net "
          "before a divider")


@dataclass(frozen=True, kw_only=True)
class Currents:
    """Published currents of a chip's core.

    Parameters
    ----------
    source : str
        Who measured them, and where.
    volts : float
        Of the core.
    halted : float
        uA with a halted clock.
    clock : float
        uA per MHz of a clock with few flip-flops.
    flip_flop : float
        uA per MHz and flip-flop.
    work : float
        uA per MHz and logic cell that works in every cycle.
    oscillator : float
        uA of the oscillator in the chip.
    pll : dict of float to float
        uA of the PLL, by its output in MHz.
    """

    source: str
    volts: float
    halted: float
    clock: float
    flip_flop: float
    work: float
    oscillator: float
    pll: Mapping[float, float]


@dataclass(frozen=True, kw_only=True)
class ClockPower:
    """Estimated power of the core of a chip, in mW.

    Parameters
    ----------
    still, clock, work : float
        See `METHOD`.
    """

    still: float
    clock: float
    work: float

    @property
    def total(self) -> float:
        return self.still + self.clock + self.work


@dataclass(frozen=True, kw_only=True)
class Power:
    """Where the estimates of `ClockPower` come from.

    Parameters
    ----------
    source, method : str
    """

    source: str
    method: str


@dataclass(frozen=True, kw_only=True)
class ClockChoice:
    """A clock that the board can make.

    Parameters
    ----------
    purpose : str
    mhz : float
    made : str
        How it is made, in words.
    baud : int
        Bits per second on the serial line.
    recording_ms, frame_ms : float
        Milliseconds from the first byte of a step on the line to the last of its answer: the
        longest of the recording, and the proven worst of a step of one frame.
    power : ClockPower, optional
        None if there are no published currents of the chip.
    """

    purpose: str
    mhz: float
    made: str
    baud: int
    recording_ms: float
    frame_ms: float
    power: ClockPower | None = None


def estimate(currents: Currents, *, megahertz: float, origin: str, flip_flops: int, logic: int,
             busy: float) -> ClockPower:
    """Power of the core of a chip.

    Parameters
    ----------
    currents : Currents
    megahertz : float
    origin : str
        Where the clock comes from: ``crystal``, ``oscillator`` or ``pll``.
    flip_flops, logic : int
        Flip-flops, and logic cells.
    busy : float
        Millions of cycles per second in which it works.
    """
    clock = megahertz * (currents.clock + currents.flip_flop * flip_flops)
    if origin == "oscillator":
        clock += currents.oscillator
    if origin == "pll":
        outputs = sorted(currents.pll)
        clock += float(np.interp(megahertz, outputs, [currents.pll[mhz] for mhz in outputs]))
    return ClockPower(**{name: round(current * currents.volts / 1e3, 4) for name, current in (
        ("still", currents.halted), ("clock", clock), ("work", currents.work * logic * busy))})
