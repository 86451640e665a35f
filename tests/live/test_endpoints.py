# SPDX-License-Identifier: Apache-2.0
"""Sources and sinks by their names, and how the loop gets the processor."""

import gc
import os
import socket
import sys

import numpy as np
import pytest

from spikewright.live.binner import Binner, SentBins
from spikewright.live.endpoints import address, is_loopback, open_sink, open_source, read_token
from spikewright.live.priority import GIVE_WAY, PRIORITY, hurry, settle
from spikewright.live.sinks.lines import UdpSink
from spikewright.live.sources.recording import Player, open_recording
from tests.networks import refused

from .conftest import free_port


@pytest.mark.parametrize("name, wanted", [
    ("9000", ("127.0.0.1", 9000)), ("localhost:1", ("localhost", 1)),
    ("0.0.0.0:65535", ("0.0.0.0", 65535)), ("[::1]:9000", ("::1", 9000)),
    ("lab-7.example:9000", ("lab-7.example", 9000))])
def test_addresses(name, wanted):
    assert address(name, name) == wanted


@pytest.mark.parametrize("name", ["", "x", "0", "65536", "1.2.3.4:", ":", "a b:9000", "9000\n"])
def test_what_is_no_address(name):
    with refused(f"Address must be [HOST:]PORT with a port from 1 to 65535, not {name!r}"):
        address(name, name)


@pytest.mark.parametrize("host, ours", [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True),
                                        ("localhost", True), ("0.0.0.0", False), ("::", False),
                                        ("192.168.0.7", False), ("lab.example", False)])
def test_loopback(host, ours):
    assert is_loopback(host) == ours


@pytest.mark.parametrize("kind, made", [("udp", Binner), ("udp-bins", SentBins)])
def test_udp(model, kind, made):
    source = open_source(f"{kind}:{free_port()}", model, print)
    assert isinstance(source, made) and set(source.counts.values()) == {0}
    source.close()


def test_with_a_token_others_may_send(model):
    source = open_source(f"udp:0.0.0.0:{free_port()}", model, print, token="0123456789abcdef")
    source.close()


def test_files_of_other_programs_are_played(session, tmp_path):
    _, model, _ = session
    counts = np.random.default_rng(0).poisson(0.3, (20, 6))
    np.save(tmp_path / "counts.npy", counts)
    source = open_source(str(tmp_path / "counts.npy"), model, print, fast=True)
    bins = list(source.bins())
    assert [np.bincount(each.channels, minlength=6).tolist() for each in bins] == counts.tolist()
    assert [each.reset for each in bins] == [True] + 19 * [False]
    assert bins[0].truth is None and source.counts == {}


def test_a_recording_is_played_in_its_time(session):
    folder, model, _ = session
    recording = open_recording(folder / "rec.npz", model.dt).head(10)
    due = [each.due for each in Player(recording).bins()]
    assert np.diff(due) == pytest.approx(model.dt)


def test_a_recording_is_played_again(session):
    folder, model, _ = session
    recording = open_recording(folder / "rec.npz", model.dt).head(3)
    bins = Player(recording, fast=True, repeat=True).bins()
    found = [next(bins) for _ in range(7)]
    assert [each.reset for each in found] == [True, False, False, True, False, False, True]
    assert found[0].channels == found[3].channels and found[0].truth == found[6].truth


def test_a_velocity_of_other_axes(session, tmp_path):
    _, model, _ = session
    np.savez(tmp_path / "r.npz", bin=[0], channel=[0], n_bins=2, n_channels=6, dt=4e-3,
             velocity=np.zeros((2, 3)))
    with refused("Recording r.npz velocity must have 2 axes, as the model decodes, not 3"):
        open_source(str(tmp_path / "r.npz"), model, print)


def test_sinks(tmp_path, notices):
    sink = open_sink("udp:[::1]:9000", 2, "0123", notices.append)
    assert isinstance(sink, UdpSink) and sink.title == "udp:::1:9000"
    sink.close()
    sink = open_sink(str(tmp_path / "a.jsonl"), 2, "0123", notices.append)
    assert (tmp_path / "a.jsonl").read_bytes() == b""
    sink.close()
    assert not (tmp_path / "a.jsonl").exists()      # of a session that did not begin


@pytest.mark.parametrize("error", [
    socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    UnicodeError("label too long")])
def test_a_host_that_nobody_knows(model, monkeypatch, notices, error):
    def unknown(*_, **__):
        raise error
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    reason = getattr(error, "strerror", error)
    with refused("UDP sink must be an address that this machine knows, not lba.example:9000: "
                 f"{reason}"):
        open_sink("udp:lba.example:9000", 2, "0123", notices.append)
    with refused("UDP source must be an address of this machine that is free, not "
                 f"lba.example:9000: {reason}"):
        open_source("udp:lba.example:9000", model, print, token="0123456789abcdef")


def test_a_host_with_a_label_that_is_too_long(notices):
    host = 64 * "a" + ".example"
    with refused(f"UDP sink must be an address that this machine knows, not {host}:9000: encoding "
                 "with 'idna' codec failed (UnicodeError: label empty or too long)"):
        open_sink(f"udp:{host}:9000", 2, "0123", notices.append)


@pytest.mark.parametrize("text", ["short", "0123456789abcde", "0123456789abcdef!", "", "ä" * 20])
def test_tokens(tmp_path, text):
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with refused(f"Token in {tmp_path / 'token'} must be 16 or more letters, digits, '-' and '_', "
                 "such as 'openssl rand -hex 16' gives, not another text"):
        read_token(tmp_path / "token")
    (tmp_path / "token").write_text(" 0123456789abc_-F\n")
    assert read_token(tmp_path / "token") == "0123456789abc_-F"


def test_hurry(monkeypatch):
    asked = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda *words: asked.append(words))
    hurry()
    assert asked == [(0, os.SCHED_FIFO, os.sched_param(PRIORITY))]

    def denied(*_):
        raise PermissionError
    monkeypatch.setattr(os, "sched_setscheduler", denied)
    with refused("--realtime must be allowed to this user, not refused: a line 'USER - rtprio 10' "
                 "in /etc/security/limits.conf allows it"):
        hurry()
    monkeypatch.delattr(os, "sched_setscheduler")
    with refused("--realtime must be on Linux, not on another system"):
        hurry()


def test_settle():
    before = sys.getswitchinterval()
    settle()
    assert sys.getswitchinterval() == pytest.approx(GIVE_WAY)
    gc.unfreeze()
    sys.setswitchinterval(before)
