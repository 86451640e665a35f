# SPDX-License-Identifier: Apache-2.0
"""Spikes as lines of JSON from a ZeroMQ publisher."""

import socket
import time

from spikewright.base.errors import InputError

from ..binner import Packet
from .lines import MOST_BYTES, Lines

__all__ = ["ZmqPackets", "endpoint", "pyzmq"]

# Messages that wait between two looks; ZeroMQ drops further ones.
MOST_WAITING = 1000

# Bytes of a message, at which ZeroMQ closes the connection; shorter ones are refused one by one.
MOST_TAKEN = 1 << 20


def pyzmq():
    """The package zmq.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import zmq
    except ImportError as error:
        raise InputError("Package pyzmq must be installed for ZeroMQ, not missing: install "
                         f"spikewright[live] ({error})") from None
    return zmq


def endpoint(host: str, port: int) -> str:
    """The address as ZeroMQ writes it."""
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


class ZmqPackets:
    """Packets from a publisher (PUB) of lines of JSON.

    A message of several parts, or one that is no line of spikes, is refused, whole. ZeroMQ connects
    again by itself if the publisher was away, or sent more than `MOST_TAKEN` bytes at once. It
    stamps no message, so a packet has the time at which it is taken.

    Parameters
    ----------
    host : str
    port : int
        Where the publisher is.
    channels, axes, numbered, token
        See `sources.lines.Lines`.

    Raises
    ------
    InputError
        If this machine does not know the host.
    """

    def __init__(self, host: str, port: int, channels: int, axes: int, *, numbered: bool = False,
                 token: str | None = None):
        self._zmq    = zmq = pyzmq()
        self.title   = f"zmq:{host}:{port}"
        self.refused = 0
        self._lines  = Lines(channels, axes, numbered=numbered, token=token)
        self._socket = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.IPV6, 1)
        self._socket.setsockopt(zmq.RCVHWM, MOST_WAITING)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MOST_TAKEN)
        self._socket.subscribe(b"")
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._socket.connect(endpoint(host, port))
        except (OSError, UnicodeError, zmq.ZMQError) as error:      # Unicode: a name too long
            self.close()
            raise InputError(f"ZeroMQ source must be an address that this machine knows, not "
                             f"{host}:{port}: {getattr(error, 'strerror', error)}") from None

    def take(self, most: int) -> list[Packet]:
        """The packets that are there, at most ``most``, without waiting; wrong ones left out."""
        packets = []
        for _ in range(most):
            try:
                parts = self._socket.recv_multipart(self._zmq.NOBLOCK)
            except self._zmq.Again:
                break
            packet = None
            if len(parts) == 1 and len(parts[0]) <= MOST_BYTES:
                packet = self._lines.packet(parts[0], time.perf_counter())
            if packet is None:
                self.refused += 1
            else:
                packets.append(packet)
        return packets

    def wait(self, seconds: float) -> None:
        """Wait until a packet is there, for at most ``seconds``."""
        self._socket.poll(1000 * seconds)

    def close(self) -> None:
        self._socket.close(linger=0)
