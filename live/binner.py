# SPDX-License-Identifier: Apache-2.0
"""Bins from packets of spikes: by a clock of the binner's own, or as the sender has cut them."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from .bins import Bin

__all__ = ["BACKLOG", "Binner", "Packet", "Packets", "SentBins", "most_spikes"]

# A bin that has waited for longer is dropped. In seconds.
BACKLOG = 1.0

# The time between two looks at the packets: a socket has room for those of a few milliseconds.
LOOK = 2e-3

# The time after which a source without a packet gives None.
IDLE = 0.1

# A neuron needs a millisecond after a spike before it can fire again.
REFRACTORY = 1e-3


def most_spikes(channels: int, dt: float) -> int:
    """The most spikes of a bin, and the most packets. A bin with more comes from a flood."""
    return channels * (1 + ceil(dt / REFRACTORY))


@dataclass(frozen=True, kw_only=True, eq=False)
class Packet:
    """Spikes that came together.

    Parameters
    ----------
    time : float
        Stamp in seconds of `time.perf_counter`.
    channels : list of int
        Channel of each spike.
    reset : bool
        Whether the state is cleared before the step.
    truth : list of float, optional
        What the subject does.
    number : int, optional
        Number of the bin, if the packet is a whole bin.
    """

    time: float
    channels: list[int]
    reset: bool = False
    truth: list[float] | None = None
    number: int | None = None


class Packets(Protocol):
    """Gives the packets of a connection; their sizes and ranges were checked.

    Members
    -------
    refused : int
        Packets that were wrong, and dropped.
    """

    title: str
    refused: int

    def take(self, most: int) -> list[Packet]:
        """The packets that are there, at most ``most``, without waiting; wrong ones left out."""

    def wait(self, seconds: float) -> None:
        """Wait until a packet is there, for at most ``seconds``."""

    def close(self) -> None:
        """Close the connection."""


class Binner:
    """Bins of equal length, by a clock of its own.

    A bin has the spikes whose stamps lie in it, even if the loop is late: it is never longer than a
    step. A spike that comes after its bin was given goes into the next one. Memory is bounded: of a
    bin with more than `most_spikes` spikes or packets, all spikes are dropped, and a bin that has
    waited for `BACKLOG` seconds is dropped. All this is counted. A reset in a dropped bin takes
    effect in the next bin.

    Parameters
    ----------
    packets : Packets
    dt : float
        Seconds of a bin.
    channels : int
    clock, sleep : function
        Replaced in tests.
    """

    def __init__(self, packets: Packets, dt: float, channels: int,
                 clock: Callable[[], float] = time.perf_counter,
                 sleep: Callable[[float], None] = time.sleep):
        self.title = packets.title
        self._packets, self._dt = packets, dt
        self._most = most_spikes(channels, dt)
        self._clock, self._sleep = clock, sleep
        self._waiting: deque[Packet] = deque()
        self._reset = False                 # a packet that was dropped had a reset
        self._counts = {"late spikes": 0, "flooded bins": 0, "dropped bins": 0}

    @property
    def counts(self) -> dict[str, int]:
        return self._counts | {"refused packets": self._packets.refused}

    def bins(self) -> Iterator[Bin]:
        """One bin after another, without an end."""
        began, number = self._clock(), 0
        while True:
            behind = int((self._clock() - began - BACKLOG) / self._dt) - number
            if behind > 0:
                self._counts["dropped bins"] += behind
                number += behind
                self._drop(began + number * self._dt)
            begin = began + number * self._dt
            number += 1
            yield self._bin(begin, began + number * self._dt)

    def close(self) -> None:
        self._packets.close()

    def _bin(self, begin: float, end: float) -> Bin:
        while True:
            left = end - self._clock()
            if left > 0:
                self._sleep(min(left, LOOK))
            # Packets come in the order of their stamps. If so many wait, those of this bin are
            # among them, or it is flooded: the rest of a flood stays in the socket, which drops
            # what comes on top.
            if len(self._waiting) <= self._most:
                self._waiting.extend(self._packets.take(self._most + 1))
            if left <= 0:
                return self._close(begin, end)

    def _close(self, begin: float, end: float) -> Bin:
        channels: list[int] = []
        packets, late, last, truth = 0, 0, None, None
        reset, self._reset = self._reset, False
        while self._waiting and self._waiting[0].time < end:
            packet = self._waiting.popleft()
            packets += 1
            if len(channels) <= self._most:
                channels += packet.channels
            if packet.channels:
                last = packet.time
                late += len(packet.channels) * (packet.time < begin)
            reset |= packet.reset
            truth = packet.truth or truth
        if max(packets, len(channels)) > self._most:
            self._counts["flooded bins"] += 1
            channels, last, late = [], None, 0
        self._counts["late spikes"] += late
        return Bin(channels=channels, due=end, last=last, reset=reset, truth=truth)

    def _drop(self, begin: float) -> None:
        """Drop what belongs to bins that were dropped."""
        for _ in range(2):
            while self._waiting and self._waiting[0].time < begin:
                self._reset |= self._waiting.popleft().reset
            self._waiting.extend(self._packets.take(self._most))


class SentBins:
    """Bins as the sender has cut them: each packet is one, and has its number.

    A number that is left out is a lost bin, and becomes a bin without spikes. A number of the past
    is refused, unless the sender has begun anew. A bin that has waited for `BACKLOG` seconds is
    dropped. All this is counted. A reset in a dropped bin takes effect in the next bin.
    """

    def __init__(self, packets: Packets, dt: float, channels: int,
                 clock: Callable[[], float] = time.perf_counter):
        self.title = packets.title
        self._packets, self._clock = packets, clock
        self._gap  = max(round(BACKLOG / dt), 1)
        self._most = most_spikes(channels, dt)
        self._next: int | None = None
        self._reset = False                 # the next bin begins from zero state
        self._counts = {"lost bins": 0, "old bins": 0, "flooded bins": 0, "dropped bins": 0}

    @property
    def counts(self) -> dict[str, int]:
        return self._counts | {"refused packets": self._packets.refused}

    def bins(self) -> Iterator[Bin | None]:
        """One bin after another, without an end; None where none came for a while."""
        while True:
            self._packets.wait(IDLE)
            packets = self._packets.take(self._gap)
            if not packets:
                yield None
            for packet in packets:
                yield from self._bins(packet)

    def close(self) -> None:
        self._packets.close()

    def _bins(self, packet: Packet) -> Iterator[Bin]:
        assert packet.number is not None
        if self._next is None:
            self._next = packet.number
        missing, begun = packet.number - self._next, False
        if missing < 0 and (packet.number == 0 or -missing > self._gap):
            missing, begun = 0, True
        if missing < 0:
            self._counts["old bins"] += 1
            return
        self._next = packet.number + 1
        self._counts["lost bins"] += missing
        self._reset |= packet.reset or begun or missing > self._gap
        if self._clock() - packet.time > BACKLOG:
            self._counts["dropped bins"] += 1
            return
        for _ in range(missing if missing <= self._gap else 0):
            yield Bin(channels=[], due=packet.time)
        flooded = len(packet.channels) > self._most
        self._counts["flooded bins"] += flooded
        channels = [] if flooded else packet.channels
        reset, self._reset = self._reset, False
        yield Bin(channels=channels, due=packet.time, last=packet.time if channels else None,
                  reset=reset, truth=packet.truth)
