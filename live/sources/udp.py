# SPDX-License-Identifier: Apache-2.0
"""Spikes as lines of JSON over UDP, each datagram one line."""

import hmac
import json
import math
import select
import socket
import struct
import sys
import time
from typing import Any

from spikewright.base.errors import InputError

from ..binner import Packet

__all__ = ["UdpPackets"]

# Bytes of a datagram, and of the buffer that the system keeps between two looks.
MOST_BYTES, BUFFER = 16_384, 1 << 18

# The largest number of a bin that JSON's numbers hold exactly.
MOST_NUMBER = 1 << 53

# Linux stamps each datagram when it comes: SO_TIMESTAMPNS, which Python does not name.
STAMP = 35 if sys.platform == "linux" else None
_TIMESPEC = struct.Struct("ll")


class UdpPackets:
    """Packets from datagrams.

    A datagram is an object with ``spikes``, a list of channels. It may have ``velocity``, what the
    subject does; ``reset``, whether the state is cleared; ``bin``, the number of a whole bin; and
    ``token``. Another one is refused, whole.

    Parameters
    ----------
    host : str
    port : int
    channels, axes : int
        Of the model.
    numbered : bool
        Whether each datagram is a whole bin, and must have its number.
    token : str, optional
        Text that each datagram must have as its ``token``.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    """

    def __init__(self, host: str, port: int, channels: int, axes: int, *, numbered: bool = False,
                 token: str | None = None):
        self.title   = f"udp:{host}:{port}"
        self.refused = 0
        self._channels, self._axes, self._numbered, self._token = channels, axes, numbered, token
        try:
            family, kind, _, _, there = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            if STAMP is not None:
                self._socket.setsockopt(socket.SOL_SOCKET, STAMP, 1)
            try:
                self._socket.bind(there)
            except OSError:
                self._socket.close()
                raise
        except (OSError, UnicodeError) as error:        # the last is of a name that is too long
            raise InputError(f"UDP source must be an address of this machine that is free, not "
                             f"{host}:{port}: {getattr(error, 'strerror', error)}") from None
        self._socket.setblocking(False)

    @property
    def port(self) -> int:
        """The port: another one than was given, if that was 0."""
        return self._socket.getsockname()[1]

    def take(self, most: int) -> list[Packet]:
        """The packets that are there, at most ``most``, without waiting; wrong ones left out."""
        packets = []
        epoch = time.time() - time.perf_counter()
        for _ in range(most):
            try:
                data, notes, flags, _ = self._socket.recvmsg(MOST_BYTES, 64)
            except BlockingIOError:
                break
            packet = None if flags & socket.MSG_TRUNC else self._packet(data, _stamp(notes, epoch))
            if packet is None:
                self.refused += 1
            else:
                packets.append(packet)
        return packets

    def wait(self, seconds: float) -> None:
        """Wait until a packet is there, for at most ``seconds``."""
        select.select([self._socket], [], [], seconds)

    def close(self) -> None:
        self._socket.close()

    def _packet(self, data: bytes, stamp: float) -> Packet | None:
        """The packet in a datagram. None if it is wrong."""
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


def _stamp(notes: list, epoch: float) -> float:
    """When a datagram came, in seconds of `time.perf_counter`; now, if the system does not say."""
    now = time.perf_counter()
    for level, kind, data in notes:
        if level == socket.SOL_SOCKET and kind == STAMP and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return min(seconds + 1e-9 * nanoseconds - epoch, now)
    return now
