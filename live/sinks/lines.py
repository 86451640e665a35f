# SPDX-License-Identifier: Apache-2.0
"""Velocities as lines of JSON, over UDP."""

import socket

from spikewright.base.errors import InputError

from ..bins import Answer

__all__ = ["UdpSink"]


class UdpSink:
    """Sends each velocity as a datagram with a line of JSON.

    Parameters
    ----------
    host : str
    port : int

    Raises
    ------
    InputError
        If this machine does not know the host.
    """

    def __init__(self, host: str, port: int):
        self.title = f"udp:{host}:{port}"
        self.counts = {"datagrams not sent": 0}
        try:
            family, kind, _, _, there = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError) as error:        # the last is of a name that is too long
            raise InputError(f"UDP sink must be an address that this machine knows, not "
                             f"{host}:{port}: {getattr(error, 'strerror', error)}") from None
        self._address = there
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)

    def send(self, answer: Answer) -> None:
        """Send an answer. Without a listener, it is lost, as UDP has it."""
        try:
            self._socket.sendto(answer.line, self._address)
        except OSError:
            self.counts["datagrams not sent"] += 1

    def note(self, facts: dict) -> None:
        """Send nothing: a datagram is a velocity."""

    def close(self) -> None:
        self._socket.close()
