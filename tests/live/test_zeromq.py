# SPDX-License-Identifier: Apache-2.0
"""Spikes from a ZeroMQ publisher, and velocities to subscribers."""

import json
import socket
import sys
import time

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.live.binner import Binner, SentBins
from spikewright.live.endpoints import open_sink, open_source
from spikewright.live.sinks.zeromq import ZmqSink
from spikewright.live.sources.zeromq import ZmqPackets, endpoint
from tests.networks import refused

from .conftest import free_port
from .test_loop import answer_of

zmq = pytest.importorskip("zmq")


@pytest.fixture
def publisher():
    """A publisher, and its port."""
    socket = zmq.Context.instance().socket(zmq.PUB)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    yield socket, port
    socket.close(linger=0)


def joined(publisher, packets):
    """Publish until a message has come: a subscriber misses what was sent before it was there."""
    deadline = time.perf_counter() + 20
    while time.perf_counter() < deadline:
        publisher.send(b'{"spikes":[]}')
        packets.wait(0.05)
        if packets.take(1000):
            time.sleep(0.1)
            packets.take(1000)
            return
    raise AssertionError("nothing came in 20 s")


def test_messages_are_lines_of_spikes(publisher):
    socket, port = publisher
    packets = ZmqPackets("127.0.0.1", port, 6, 2, numbered=False)
    joined(socket, packets)
    before = time.perf_counter()
    socket.send(json.dumps({"spikes": [3, 5, 5], "velocity": [1, -2], "reset": True}).encode())
    socket.send(b'{"spikes":[6]}')                          # a channel that is not there
    socket.send_multipart([b"topic", b'{"spikes":[1]}'])
    socket.send(b'{"spikes":[2]}' + b" " * 20_000)          # more than 16,384 bytes
    socket.send(b'{"spikes":[0]}')
    found, deadline = [], before + 10
    while len(found) < 2 and time.perf_counter() < deadline:
        packets.wait(0.1)
        found += packets.take(10)
    packets.close()
    assert [each.channels for each in found] == [[3, 5, 5], [0]] and packets.refused == 3
    assert (found[0].truth, found[0].reset) == ([1, -2], True)
    assert before < found[0].time <= found[1].time <= time.perf_counter()
    assert packets.title == f"zmq:127.0.0.1:{port}"


def test_subscribers_get_velocities():
    port = free_port()
    sink = ZmqSink("127.0.0.1", port)
    subscriber = zmq.Context.instance().socket(zmq.SUB)
    subscriber.subscribe(b"")
    subscriber.connect(f"tcp://127.0.0.1:{port}")
    answer, deadline = answer_of(np.array([1.5, -2.0])), time.perf_counter() + 20
    while not subscriber.poll(50) and time.perf_counter() < deadline:
        sink.send(answer)
    assert json.loads(subscriber.recv())["velocity"] == [1.5, -2.0]
    subscriber.close(linger=0)
    assert sink.counts == {"messages not sent": 0} and sink.title == f"zmq:127.0.0.1:{port}"
    with refused(f"ZeroMQ sink must be an address of this machine that is free, not "
                 f"127.0.0.1:{port}: Address already in use"):
        ZmqSink("127.0.0.1", port)
    sink.close()


def test_names_on_the_command_line(model):
    for name, made in (("zmq", Binner), ("zmq-bins", SentBins)):
        source = open_source(f"{name}:{free_port()}", model, print)
        assert isinstance(source, made)
        source.close()
    sink = open_sink(f"zmq:{free_port()}", 2, "ab", print)
    assert isinstance(sink, ZmqSink)
    sink.close()
    assert endpoint("::1", 9000) == "tcp://[::1]:9000"
    assert endpoint("lab", 9000) == "tcp://lab:9000"


def test_publishers_that_nobody_knows(monkeypatch):
    with pytest.raises(InputError, match=r"^ZeroMQ source must be an address that this machine "
                       r"knows, not \*:9000: Invalid argument"):
        ZmqPackets("*", 9000, 6, 2)

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with refused("ZeroMQ source must be an address that this machine knows, not lba.example:9000: "
                 "Name or service not known"):
        ZmqPackets("lba.example", 9000, 6, 2)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "zmq", None)
    with refused("Package pyzmq must be installed for ZeroMQ, not missing: install "
                 "spikewright[live] (import of zmq halted; None in sys.modules)"):
        ZmqSink("127.0.0.1", 9000)
