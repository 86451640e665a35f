# SPDX-License-Identifier: Apache-2.0
"""Spikes as a line of JSON, from anyone: every size and range is checked."""

import hmac
import json
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..binner import Packet

__all__ = ["MOST_BYTES", "LinePackets"]

# Bytes of a line.
MOST_BYTES = 16_384

# The largest number of a bin that JSON's numbers hold exactly.
MOST_NUMBER = 1 << 53


class LinePackets:
    """Packets from lines of spikes. Subclasses receive the lines.

    A line is an object with ``spikes``, a list of channels. It may have ``velocity``, what the
    subject does; ``reset``, whether the state is cleared; ``bin``, the number of a whole bin; and
    ``token``. A line with a wrong form or more than `MOST_BYTES` is refused, whole, and counted.

    Parameters
    ----------
    title : str
        What the source is called.
    channels, axes : int
        Of the model.
    numbered : bool
        Whether each line is a whole bin, and must have its number.
    token : str, optional
        Text that each line must have as its ``token``.
    """

    def __init__(self, title: str, channels: int, axes: int, *, numbered: bool = False,
                 token: str | None = None):
        self.title   = title
        self.refused = 0
        self._channels, self._axes, self._numbered, self._token = channels, axes, numbered, token

    def take(self, most: int) -> list[Packet]:
        """The packets that are there, at most ``most``, without waiting; wrong ones left out."""
        packets = []
        for data, stamp in islice(self._received(), most):
            packet = self._packet(data, stamp)
            if packet is None:
                self.refused += 1
            else:
                packets.append(packet)
        return packets

    def _received(self) -> Iterator[tuple[bytes, float]]:
        """The lines that are there, each with the time at which it came."""
        raise NotImplementedError

    def _packet(self, data: bytes, stamp: float) -> Packet | None:
        """The packet in a line that came at ``stamp``. None if the line is wrong."""
        if len(data) > MOST_BYTES:
            return None
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if type(found) is not dict or not self._is_known(found.get("token")):
            return None
        spikes, truth = found.get("spikes"), found.get("velocity")
        reset, number = found.get("reset", False), found.get("bin")
        if type(spikes) is not list or \
                not all(type(channel) is int and 0 <= channel < self._channels
                        for channel in spikes):
            return None
        if truth is not None and not self._is_velocity(truth):
            return None
        if type(reset) is not bool or (number is not None or self._numbered) and \
                not (type(number) is int and 0 <= number <= MOST_NUMBER):
            return None
        return Packet(time=stamp, channels=spikes, reset=reset, truth=truth, number=number)

    def _is_known(self, token: Any) -> bool:
        if self._token is None:
            return True
        return type(token) is str and hmac.compare_digest(token.encode(errors="replace"),
                                                          self._token.encode())

    def _is_velocity(self, truth: Any) -> bool:
        return type(truth) is list and len(truth) == self._axes and \
            all(type(value) in (int, float) and abs(value) < 1e9 and math.isfinite(value)
                for value in truth)
