# SPDX-License-Identifier: Apache-2.0
"""Spikes over UDP: what is taken, what is refused, and what a flood costs."""

import json
import socket
import threading
import time
import tracemalloc
from itertools import islice

import numpy as np
import pytest

from spikewright.live.binner import Binner
from spikewright.live.sinks.lines import UdpSink
from spikewright.live.sources.lines import MOST_BYTES
from spikewright.live.sources.udp import UdpPackets
from tests.networks import refused

from .test_loop import answer_of


@pytest.fixture
def udp():
    """Make a source for 6 channels and 2 axes, and the function that sends to it."""
    opened = []

    def make(**options):
        packets = UdpPackets("127.0.0.1", 0, 6, 2, **options)
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.extend((packets, sender))

        def send(found):
            data = found if isinstance(found, bytes) else json.dumps(found).encode()
            sender.sendto(data, ("127.0.0.1", packets.port))
        return packets, send
    yield make
    for each in opened:
        each.close()


def test_what_a_datagram_may_say(udp):
    packets, send = udp()
    before = time.perf_counter()
    send({"spikes": [0, 5, 5], "velocity": [1, -2.5], "reset": True, "bin": 3, "more": "ignored"})
    send({"spikes": []})
    packets.wait(1)
    first, second = packets.take(10)
    assert (first.channels, first.truth, first.reset, first.number) == ([0, 5, 5], [1, -2.5], True,
                                                                        3)
    assert (second.channels, second.truth, second.reset, second.number) == ([], None, False, None)
    assert before - 1e-3 <= first.time <= second.time <= time.perf_counter()
    assert packets.take(10) == [] and packets.refused == 0


@pytest.mark.parametrize("found", [
    b"", b"\xff", b"[", b"[" * 5000, b"[1, 2]", b'"spikes"', {}, {"spikes": 3}, {"spikes": [6]},
    {"spikes": [-1]}, {"spikes": [1.0]}, {"spikes": [True]}, {"spikes": ["1"]}, {"spikes": [1e400]},
    {"spikes": [[1]]}, {"spikes": [1], "velocity": [1]}, {"spikes": [1], "velocity": [1, None]},
    {"spikes": [1], "velocity": [1, float("nan")]}, {"spikes": [1], "velocity": 2},
    {"spikes": [1], "velocity": [1, 10 ** 400]},
    {"spikes": [1], "reset": 1}, {"spikes": [1], "bin": -1}, {"spikes": [1], "bin": 1.5},
    {"spikes": [1], "bin": 2 ** 60}, {"spikes": [1] * MOST_BYTES}])
def test_a_wrong_datagram_is_refused_whole(udp, found):
    packets, send = udp()
    send(found)
    send({"spikes": [1]})
    packets.wait(1)
    assert [each.channels for each in packets.take(10)] == [[1]] and packets.refused == 1


def test_a_whole_bin_must_have_its_number(udp):
    packets, send = udp(numbered=True)
    send({"spikes": [1]})
    send({"spikes": [1], "bin": 0})
    packets.wait(1)
    assert [each.number for each in packets.take(10)] == [0] and packets.refused == 1


def test_a_datagram_without_the_token_is_refused(udp):
    packets, send = udp(token="0123456789abcdef")
    for token in ("0123456789abcdeF", 5, None, "\ud800"):
        send({"spikes": [1], "token": token})
    send({"spikes": [2], "token": "0123456789abcdef"})
    packets.wait(1)
    assert [each.channels for each in packets.take(10)] == [[2]] and packets.refused == 4


def test_an_address_that_is_taken(udp):
    packets, _ = udp()
    with refused("UDP source must be an address of this machine that is free, not "
                 f"127.0.0.1:{packets.port}: Address already in use"):
        UdpPackets("127.0.0.1", packets.port, 6, 2)


def test_a_flood_drops_bins_and_does_not_grow(udp):
    packets, send = udp()
    ending = threading.Event()

    def flood():
        while not ending.is_set():
            send(b'{"spikes":[1,2,3]}')
    sender = threading.Thread(target=flood)
    source = Binner(packets, 4e-3, 6)
    bins = source.bins()
    next(bins)
    sender.start()
    tracemalloc.start()
    for _ in islice(bins, 100):
        pass
    ending.set()
    sender.join()
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert source.counts["flooded bins"] > 10 and grown < 1_000_000
    # It recovers.
    for _ in islice(bins, 50):
        pass
    before = source.counts["flooded bins"]
    assert all(each.channels == [] for each in islice(bins, 5))
    send({"spikes": [4]})
    # The loop may be late: the bin of this moment comes after some others.
    assert any(each.channels == [4] for each in islice(bins, 500))
    assert source.counts["flooded bins"] == before


def test_velocities_leave_as_lines():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        sink = UdpSink(*listener.getsockname())
        sink.note({"model": "tiny"})
        sink.send(answer_of(np.array([1.5, -2.0])))
        assert json.loads(listener.recv(1000)) == {"step": 0, "time": 101.0,
                                                   "velocity": [1.5, -2.0], "delay_ms": 1.0}
        sink.close()
        sink.send(answer_of(np.array([1.5, -2.0])))
        assert sink.counts == {"datagrams not sent": 1}
