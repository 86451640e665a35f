# SPDX-License-Identifier: Apache-2.0
"""Spikes and velocities over the Lab Streaming Layer, on this machine."""

import time
import uuid

import numpy as np
import pytest

lsl = pytest.importorskip("pylsl", reason="LSL needs the package pylsl of the extra 'live'")

from spikewright.live.sinks.lsl import LslSink  # noqa: E402
from spikewright.live.sources.lsl import LslPackets, liblsl  # noqa: E402
from tests.networks import refused  # noqa: E402

from .test_loop import answer_of  # noqa: E402


def outlet(channels=1, rate=0.0, form=lsl.cf_int32, source_id=None):
    """A stream with a name of its own, which is also its source id."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    source_id = name if source_id is None else source_id
    return name, lsl.StreamOutlet(lsl.StreamInfo(name, "Spikes", channels, rate, form, source_id))


def taken(packets, number, seconds=10):
    found, deadline = [], time.perf_counter() + seconds
    while len(found) < number and time.perf_counter() < deadline:
        packets.wait(0.1)
        found += packets.take(100)
    return found


def test_each_sample_is_a_spike():
    name, sender = outlet()
    packets = LslPackets(name, 6, 4e-3, print)
    before = time.perf_counter()
    for channel in (3, 5, 6, -1, 0):
        sender.push_sample([channel])
    found = taken(packets, 3)
    after = time.perf_counter()
    packets.close()
    assert [each.channels for each in found] == [[3], [5], [0]] and packets.refused == 2
    assert all(before - 1e-3 < each.time <= after and each.number is None for each in found)
    assert packets.title == f"lsl:{name}"


def test_a_stamp_of_the_future_is_now():
    name, sender = outlet()
    packets = LslPackets(name, 6, 4e-3, print)
    sender.push_sample([1], lsl.local_clock() + 1e6)
    found = taken(packets, 1)
    packets.close()
    assert found[0].time <= time.perf_counter()


def test_each_sample_is_a_bin():
    name, sender = outlet(channels=3, rate=250.0, form=lsl.cf_float32)
    packets = LslPackets(name, 3, 4e-3, print, whole=True)
    for counts in ([0, 2, 1], [0, 0, 0], [0, -1, 0], [0, 0.5, 0], [0, float("nan"), 0],
                   [0, 0, 70_000], [1, 0, 0]):
        sender.push_sample(counts)
    found = taken(packets, 3)
    packets.close()
    # A bin that is refused leaves a gap in the numbers, so it counts as lost.
    assert [(each.number, each.channels) for each in found] == [(0, [1, 1, 2]), (1, []), (6, [0])]
    assert packets.refused == 4


@pytest.mark.parametrize("stream, options, message", [
    ({"channels": 2}, {}, "must have 1 channels, the channel of a spike, not 2"),
    ({"channels": 1, "rate": 250.0}, {}, "must have no fixed rate, not 250"),
    ({"channels": 5, "rate": 250.0}, {"whole": True},
     "must have 6 channels, one for each of the model, not 5"),
    ({"channels": 6}, {"whole": True}, "must have 250 samples per second, not 0"),
    ({"channels": 6, "rate": 100.0}, {"whole": True},
     "must have 250 samples per second, as the model has steps, not 100"),
    ({"form": lsl.cf_string}, {}, "must hold numbers, not texts")])
def test_a_stream_of_another_form(stream, options, message):
    name, _sender = outlet(**stream)
    with refused(f"LSL stream {name!r} {message}"):
        LslPackets(name, 6, 4e-3, print, **options)


def test_a_stream_that_is_not_there():
    said = []
    with refused("LSL stream must be one that is sent, not 'nobody': none of this name was found "
                 "in 1.2 s"):
        LslPackets("nobody", 6, 4e-3, said.append, find=1.2)
    assert said == ["waiting for an LSL stream 'nobody', up to 1.2 s"]


@pytest.mark.parametrize("call", ["open_stream", "time_correction", "pull_chunk", "pull_sample"])
def test_a_stream_that_ends_for_good(monkeypatch, call):
    name, _sender = outlet()

    def lost(*_, **__):
        raise lsl.util.LostError("the stream has been lost.")
    monkeypatch.setattr(lsl.StreamInlet, call, lost)
    with refused(f"LSL stream {name!r} must stay there, not end: the stream has been lost"):
        packets = LslPackets(name, 6, 4e-3, print)
        packets.wait(0.0)
        packets.take(1)


def test_a_stream_without_a_source_id_ends_for_good():
    name, sender = outlet(source_id="")
    packets = LslPackets(name, 6, 4e-3, print)
    sender.push_sample([1])
    assert len(taken(packets, 1)) == 1
    del sender
    with refused(f"LSL stream {name!r} must stay there, not end: the stream has been lost"):
        taken(packets, 1)
    packets.close()


def test_a_velocity_is_a_sample():
    name = f"test-{uuid.uuid4().hex[:12]}"
    sink = LslSink(name, 2, "0123")
    info = lsl.resolve_byprop("name", name, timeout=10)[0]
    assert (info.channel_count(), info.type(), info.source_id()) == (2, "Velocity",
                                                                     "spikewright-0123")
    inlet = lsl.StreamInlet(info)
    inlet.open_stream(timeout=10)
    before = lsl.local_clock()
    sink.note({})
    sink.send(answer_of(np.array([1.5, -1e-9])))
    sample, stamp = inlet.pull_sample(timeout=10)
    assert sample == [1.5, -1e-9] and before <= stamp <= lsl.local_clock()
    inlet.close_stream()
    sink.close()


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pylsl", None)
    with refused("Package pylsl must be installed for LSL, not missing: install spikewright[live] "
                 "(import of pylsl halted; None in sys.modules)"):
        liblsl()
