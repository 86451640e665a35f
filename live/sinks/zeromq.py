# SPDX-License-Identifier: Apache-2.0
"""Velocities as lines of JSON, from a ZeroMQ publisher."""

from spikewright.base.errors import InputError

from ..bins import Answer
from ..sources.zeromq import endpoint, pyzmq

__all__ = ["ZmqSink"]

# Messages that wait for a subscriber, and milliseconds that they have at the end.
MOST_WAITING, LINGER = 1000, 100


class ZmqSink:
    """Publishes (PUB) each velocity as a message with a line of JSON.

    Parameters
    ----------
    host : str
    port : int
        Where it listens for subscribers.

    Raises
    ------
    InputError
        If this machine cannot listen there.
    """

    def __init__(self, host: str, port: int):
        self._zmq   = zmq = pyzmq()
        self.title  = f"zmq:{host}:{port}"
        self.counts = {"messages not sent": 0}
        self._socket = zmq.Context.instance().socket(zmq.PUB)
        self._socket.setsockopt(zmq.IPV6, 1)
        self._socket.setsockopt(zmq.SNDHWM, MOST_WAITING)
        self._socket.setsockopt(zmq.XPUB_NODROP, 1)     # a message that does not fit is an error
        try:
            self._socket.bind(endpoint(host, port))
        except zmq.ZMQError as error:
            self._socket.close(linger=0)
            raise InputError(f"ZeroMQ sink must be an address of this machine that is free, not "
                             f"{host}:{port}: {zmq.strerror(error.errno)}") from None

    def send(self, answer: Answer) -> None:
        """Publish an answer. Without a subscriber, it is lost."""
        try:
            self._socket.send(answer.line, self._zmq.NOBLOCK)
        except self._zmq.Again:
            self.counts["messages not sent"] += 1

    def note(self, facts: dict) -> None:
        """Publish nothing: a message is a velocity."""

    def close(self) -> None:
        self._socket.close(linger=LINGER)
