# SPDX-License-Identifier: Apache-2.0
"""Spikes as lines of JSON from a ZeroMQ publisher."""

import socket
import time
from collections.abc import Iterator

from spikewright.base.errors import InputError

from .lines import LinePackets

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


class ZmqPackets(LinePackets):
    """Packets from a publisher (PUB) of lines of JSON.

    Each message is a line; one of several parts is refused. ZeroMQ connects again by itself if the
    publisher was away, or sent more than `MOST_TAKEN` bytes at once. It stamps no message, so a
    packet has the time at which it is taken.

    Parameters
    ----------
    host : str
    port : int
        Where the publisher is.
    channels, axes, numbered, token
        See `sources.lines.LinePackets`.

    Raises
    ------
    InputError
        If this machine does not know the host.
    """

    def __init__(self, host: str, port: int, channels: int, axes: int, *, numbered: bool = False,
                 token: str | None = None):
        self._zmq    = zmq = pyzmq()
        super().__init__(f"zmq:{host}:{port}", channels, axes, numbered=numbered, token=token)
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

    def _received(self) -> Iterator[tuple[bytes, float]]:
        while True:
            try:
                parts = self._socket.recv_multipart(self._zmq.NOBLOCK)
            except self._zmq.Again:
                return
            yield parts[0] if len(parts) == 1 else b"", time.perf_counter()

    def wait(self, seconds: float) -> None:
        """Wait until a packet is there, for at most ``seconds``."""
        self._socket.poll(1000 * seconds)

    def close(self) -> None:
        self._socket.close(linger=0)
