# SPDX-License-Identifier: Apache-2.0
"""Spikes as lines of JSON over UDP, each datagram one line."""

import select
import socket
import struct
import sys
import time
from collections.abc import Iterator

from spikewright.base.errors import InputError

from .lines import MOST_BYTES, LinePackets

__all__ = ["UdpPackets"]

# Bytes of the buffer that the system keeps between two looks.
BUFFER = 1 << 18

# Linux stamps each datagram when it comes: SO_TIMESTAMPNS, which Python does not name.
STAMP = 35 if sys.platform == "linux" else None
_TIMESPEC = struct.Struct("ll")


class UdpPackets(LinePackets):
    """Packets from datagrams, each a line.

    Parameters
    ----------
    host : str
    port : int
    channels, axes, numbered, token
        See `sources.lines.LinePackets`.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    """

    def __init__(self, host: str, port: int, channels: int, axes: int, *, numbered: bool = False,
                 token: str | None = None):
        super().__init__(f"udp:{host}:{port}", channels, axes, numbered=numbered, token=token)
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

    def _received(self) -> Iterator[tuple[bytes, float]]:
        epoch = time.time() - time.perf_counter()
        while True:
            try:        # one byte more, so that a datagram that is too long is not taken for a line
                data, notes, *_ = self._socket.recvmsg(MOST_BYTES + 1, 64)
            except BlockingIOError:
                return
            yield data, _stamp(notes, epoch)

    def wait(self, seconds: float) -> None:
        """Wait until a packet is there, for at most ``seconds``."""
        select.select([self._socket], [], [], seconds)

    def close(self) -> None:
        self._socket.close()


def _stamp(notes: list, epoch: float) -> float:
    """When a datagram came, in seconds of `time.perf_counter`; now, if the system does not say."""
    now = time.perf_counter()
    for level, kind, data in notes:
        if level == socket.SOL_SOCKET and kind == STAMP and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return min(seconds + 1e-9 * nanoseconds - epoch, now)
    return now
