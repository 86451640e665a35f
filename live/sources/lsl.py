# SPDX-License-Identifier: Apache-2.0
"""Spikes from the Lab Streaming Layer (LSL)."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

from spikewright.base.errors import InputError

from ..binner import BACKLOG, Packet

__all__ = ["LslPackets", "liblsl"]

# Seconds that a stream has to be found, and those of them after which the user is told.
FIND, QUICK = 10.0, 1.0

# Hundreds of spikes that LSL keeps between two looks.
BUFFER = 360

# Most spikes of a channel in a whole bin.
MOST_COUNT = (1 << 16) - 1


def liblsl():
    """The package pylsl.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:
        raise InputError("Package pylsl must be installed for LSL, not missing: install "
                         f"spikewright[live] ({error})") from None
    return pylsl


class LslPackets:
    """Packets from a stream.

    Each sample of the stream is a spike: the number of its channel, with its stamp. If the stream
    has whole bins, each sample has the number of spikes of every channel. The stamps of another
    machine are put onto the clock of this one by LSL. A sample out of range is refused.

    Parameters
    ----------
    name : str
        Name of the stream.
    channels : int
        Of the model.
    dt : float
        Seconds per step.
    whole : bool
        Whether each sample is a whole bin.
    notice : function
        Takes a line for the user.

    Raises
    ------
    InputError
        If no stream has this name, or it has another form. Also later, if the stream ends for good.
    """

    def __init__(self, name: str, channels: int, dt: float, notice: Callable[[str], None], *,
                 whole: bool = False, find: float = FIND):
        lsl = liblsl()
        self.title   = f"lsl:{name}"
        self._name   = name
        self.refused = 0
        self._whole, self._channels, self._number = whole, channels, 0
        found = lsl.resolve_byprop("name", name, minimum=1, timeout=min(QUICK, find))
        if not found and find > QUICK:
            notice(f"waiting for an LSL stream {name!r}, up to {find:g} s")
            found = lsl.resolve_byprop("name", name, minimum=1, timeout=find - QUICK)
        if not found:
            raise InputError(f"LSL stream must be one that is sent, not {name!r}: none of this "
                             f"name was found in {find:g} s")
        info, needed = found[0], channels if whole else 1
        if info.channel_count() != needed:
            raise InputError(f"LSL stream {name!r} must have {needed} channels, "
                             + ("one for each of the model" if whole else "the channel of a spike")
                             + f", not {info.channel_count()}")
        if whole != (info.nominal_srate() != lsl.IRREGULAR_RATE):
            wanted = f"{1 / dt:g} samples per second" if whole else "no fixed rate"
            raise InputError(f"LSL stream {name!r} must have {wanted}, not "
                             f"{info.nominal_srate():g}")
        if whole and abs(info.nominal_srate() * dt - 1) > 1e-3:
            raise InputError(f"LSL stream {name!r} must have {1 / dt:g} samples per second, as the "
                             f"model has steps, not {info.nominal_srate():g}")
        if info.channel_format() == lsl.cf_string:
            raise InputError(f"LSL stream {name!r} must hold numbers, not texts")
        flags = lsl.proc_clocksync | (lsl.proc_dejitter if whole else 0)
        # The buffer is in seconds for bins, and in hundreds of samples for spikes.
        self._inlet = lsl.StreamInlet(info, max_buflen=ceil(2 * BACKLOG) if whole else BUFFER,
                                      processing_flags=flags)
        with self._there():
            self._inlet.open_stream(timeout=find)
            # The first comparison of two clocks takes half a second.
            self._inlet.time_correction(timeout=find)
        self._shift = time.perf_counter() - lsl.local_clock()
        self._early: deque = deque()

    def take(self, most: int) -> list[Packet]:
        """The packets that are there, at most ``most``, without waiting; wrong ones left out."""
        with self._there():
            samples, stamps = self._inlet.pull_chunk(timeout=0.0, max_samples=most)
        pairs = [*self._early, *zip(samples, stamps, strict=True)]
        self._early.clear()
        now = time.perf_counter()
        packets = []
        for sample, stamp in pairs:
            channels = self._channels_of(sample)
            if channels is None:
                self.refused += 1
                self._number += self._whole     # the bin is lost
                continue
            packets.append(Packet(time=min(stamp + self._shift, now), channels=channels,
                                  number=self._number if self._whole else None))
            self._number += self._whole
        return packets

    def wait(self, seconds: float) -> None:
        """Wait until a packet is there, for at most ``seconds``."""
        with self._there():
            sample, stamp = self._inlet.pull_sample(timeout=seconds)
        if sample is not None:
            self._early.append((sample, stamp))

    def close(self) -> None:
        self._inlet.close_stream()

    @contextmanager
    def _there(self) -> Iterator[None]:
        """What LSL raises in the block becomes a line for the user."""
        try:
            yield
        except RuntimeError as error:
            raise InputError(f"LSL stream {self._name!r} must stay there, not end: "
                             f"{str(error).rstrip('.')}") from None

    def _channels_of(self, sample: list) -> list[int] | None:
        """Channel of each spike in a sample. None if it is wrong."""
        if not all(value == int(value) if abs(value) < 1e9 else False for value in sample):
            return None
        if not self._whole:
            channel = int(sample[0])
            return [channel] if 0 <= channel < self._channels else None
        if min(sample) < 0 or max(sample) > MOST_COUNT:
            return None
        return [channel for channel, count in enumerate(sample) for _ in range(int(count))]
