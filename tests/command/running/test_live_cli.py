# SPDX-License-Identifier: Apache-2.0
"""``spikewright live``: a session from a file to a file, and what it refuses."""

import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.command.commands import run_words
from tests.networks import random_tensors


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a model, made once."""
    folder = tmp_path_factory.mktemp("made")
    save_file(random_tensors(0), folder / "net.safetensors")
    run_words(["quantize", str(folder / "net.safetensors"), "-o", str(folder / "model")])
    return folder / "model"


@pytest.fixture
def model(here, made):
    """A folder to work in, with a model and a recording."""
    shutil.copytree(made, here / "model")
    return here


def test_a_session(model, call_command):
    status, out, err = call_command("live", "model", "--in", "rec.npz", "--out", "a.jsonl",
                                    "--fast")
    assert (status, err) == (0, "")
    assert re.fullmatch(
        r"400 steps, 400 spikes; \d+ steps \([\d.]+ %\) answered more than 4 ms after their end\n"
        r"last spike to velocity: p50 [\d.]+, p99 [\d.]+, most [\d.]+ ms\n"
        r"end of bin to velocity: p50 [\d.]+, p99 [\d.]+, most [\d.]+ ms\n"
        r"counters: nothing lost, nothing refused\n"
        r"[\d.]+ s, of which this process computed [\d.]+ s; memory [\d.]+ MB at the start, [\d.]+ "
        r"MB at the most\n-> a\.jsonl\n", out)
    assert call_command("run", "model", "rec.npz", "-o", "out.npz")[0] == 0
    first, *rest = [json.loads(line) for line in (model / "a.jsonl").read_text().splitlines()]
    manifest = json.loads((model / "model" / "manifest.json").read_text())
    assert first["model_hash"] == manifest["model_hash"]
    with np.load("out.npz") as answer:
        assert [each["velocity"] for each in rest] == answer["velocity"].tolist()


def test_a_full_disk_is_an_error_at_the_end(model, call_command, monkeypatch):
    """Decoding goes on, but the session is not whole."""
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr("spikewright.live.sinks.recorder.os.fsync", full)
    status, out, err = call_command("live", "model", "--in", "rec.npz", "--out", "a.jsonl",
                                    "--fast")
    assert status == 2 and "400 steps, " in out and "lines not recorded 400" in out
    first, last = err.splitlines()
    assert first.endswith("a.jsonl is not recorded: No space left on device; decoding goes on")
    assert last == ("error: Session must be recorded whole, not without 400 lines: the disk was "
                    "full, or did not keep up")


def test_ctrl_c_ends_a_session_with_its_summary(model):
    running = subprocess.Popen(
        [sys.executable, "-m", "spikewright", "live", "model", "--in", "rec.npz", "--repeat",
         "--out", "a.jsonl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    path = model / "a.jsonl"
    while not path.exists() or path.stat().st_size < 5000:
        assert running.poll() is None
    os.kill(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert (running.returncode, err) == (0, "") and " steps, " in out and "-> a.jsonl" in out


@pytest.mark.parametrize("words, message", [
    (["--in", "none.npz"], ("Source must be a recording (.npz, .nwb, .mat or what Neo reads), "
     "udp:[HOST:]PORT, lsl:NAME, zmq:[HOST:]PORT, or with whole bins udp-bins:[HOST:]PORT, "
     "lsl-bins:NAME, zmq-bins:[HOST:]PORT, not 'none.npz'")),
    (["--in", "udp:none"], ("Address must be [HOST:]PORT with a port from 1 to 65535, not "
     "'udp:none'")),
    (["--in", "udp:70000"], ("Address must be [HOST:]PORT with a port from 1 to 65535, not "
     "'udp:70000'")),
    (["--in", "udp:0.0.0.0:9000"], ("Source must be an address of this machine alone, such as "
     "udp:9000, or have --token-file, not 'udp:0.0.0.0:9000'")),
    (["--in", "udp:9000", "--fast"], ("Source must be a recording with --fast or --repeat, not "
     "'udp:9000'")),
    (["--in", "rec.npz", "--load", "model"], ("Option --load model must come with --port virtual, "
     "not with golden: 'spikewright build' gives it to a board, and the integer model takes other "
     "models without it")),
    (["--in", "rec.npz", "--models", "none"], ("Option --models must come with --view, not without "
     "it: only a view can load a model")),
    (["--in", "lsl:none", "--port", "virtual", "--freq", "8", "--baud", "8000000"],
     "Link baud must be between 9600 and 1000000, a bit of 8 clock cycles, not 8000000"),
    (["--in", "rec.npz", "--fast", "--realtime"], ("Option --realtime must come without --fast, "
     "not with it: both would keep the processor from all other programs")),
    (["--in", "lsl:"], "Source must name a stream, such as lsl:spikes, not 'lsl:'"),
    (["--in", "rec.npz", "--out", "out.npz"], ("Sink must be udp:HOST:PORT, lsl:NAME, "
     "zmq:[HOST:]PORT, or a new file .jsonl, not 'out.npz'")),
    (["--in", "rec.npz", "--out", "old.jsonl"], "Recorder must write a new file, not 'old.jsonl'"),
    (["--in", "lsl:none", "--out", "udp:none"],
     "Address must be [HOST:]PORT with a port from 1 to 65535, not 'udp:none'"),
    (["--in", "udp:none", "--out", "new.jsonl"],
     "Address must be [HOST:]PORT with a port from 1 to 65535, not 'udp:none'"),
    (["--in", "rec.npz", "--seconds", "0"], ("argument --seconds: must be a number of seconds "
     "between 0 and 1e7, not '0' (see 'spikewright live --help')")),
    (["--in", "rec.npz", "--affine", "wide.json"], ("Affine map wide.json matrix must have 2 "
     "columns, as the model has axes, not the shape (1, 3)")),
    (["--in", "rec.npz", "--affine", "list.json"], ("Affine map list.json must be a .json file "
     "with lists of numbers as 'matrix' and 'offset', not one that fails: TypeError('list indices "
     "must be integers or slices, not str')")),
    (["--in", "rec.npz", "--affine", "long.json"], ("Affine map long.json offset must have 1 "
     "numbers, as the matrix has rows, not the shape (2,)")),
    (["--in", "rec.npz", "--affine", "nan.json"], ("Affine map nan.json must hold finite numbers, "
     "not NaN or an infinity")),
    (["--in", "udp:9000", "--token-file", "old.jsonl"], ("Token in old.jsonl must be 16 or more "
     "letters, digits, '-' and '_', such as 'openssl rand -hex 16' gives, not another text")),
    (["--in", "wide.npz"], "Recording wide.npz n_channels must be 6, as the network has, not 7"),
])
def test_what_is_refused(model, call_command, words, message):
    (model / "old.jsonl").write_text("{}\n")
    (model / "wide.json").write_text('{"matrix": [[1, 2, 3]]}')
    (model / "list.json").write_text("[]")
    (model / "long.json").write_text('{"matrix": [[1, 2]], "offset": [1, 2]}')
    (model / "nan.json").write_text('{"matrix": [[1, NaN]]}')
    np.savez("wide.npz", bin=[0], channel=[6], n_bins=4, n_channels=7, dt=4e-3)
    assert call_command("live", "model", *words) == (2, "", f"error: {message}\n")
    assert not (model / "new.jsonl").exists()


def test_a_port_that_is_not_there(model, call_command):
    status, out, err = call_command("live", "model", "--in", "rec.npz", "--port", "/dev/none",
                                    "--out", "a.jsonl")
    assert (status, out) == (2, "") and err.startswith(
        "error: Port must be a serial port that opens") and err.count("\n") == 1
    assert not (model / "a.jsonl").exists()


@pytest.mark.parametrize("command, missing", [("serve", "starlette"), ("serve", "uvicorn"),
                                              ("live", "rich")])
def test_a_view_without_its_packages(model, call_command, monkeypatch, command, missing):
    monkeypatch.setattr("spikewright.command.running.live.find_spec",
                        lambda name: None if name == missing else name)
    view = ["--view"] if command == "live" else []
    assert call_command(command, "model", "--in", "rec.npz", *view) == (
        2, "", (f"error: Package {missing} must be installed for this view, not missing: install "
        "spikewright[live]\n"))


@pytest.mark.parametrize("words, message", [
    (["--listen", "0.0.0.0:8765"], ("Page must be on this computer alone, such as 8765, or have "
                                    "--token-file, not '0.0.0.0:8765'")),
    (["--listen", "here"], "Address must be [HOST:]PORT with a port from 1 to 65535, not 'here'"),
    (["--listen", "{taken}"], ("Page must have an address of this computer that is free, not "
                               "'{taken}': Address already in use"))])
def test_a_page_that_is_refused(model, call_command, words, message):
    with socket.create_server(("127.0.0.1", 0)) as place:
        taken = place.getsockname()[1]
        told = [word.format(taken=taken) for word in words]
        assert call_command("serve", "model", "--in", "rec.npz", *told) == (
            2, "", f"error: {message.format(taken=taken)}\n")


def test_another_model_of_another_shape(model, call_command):
    save_file(random_tensors(0, channels=7), "seven.safetensors")
    assert call_command("quantize", "seven.safetensors", "-o", "seven")[0] == 0
    assert call_command("serve", "model", "--in", "rec.npz", "--models", "seven", "--listen",
                        "18765") == (2, "", (
        "error: Model seven must have 6 channels, 2 axes and a dt of 0.004 s, as the running one "
        "has, not 7, 2 and 0.004\n"))


def test_another_model_that_is_none(model, call_command):
    status, out, err = call_command("serve", "model", "--in", "rec.npz", "--models", "rec.npz",
                                    "--listen", "1")
    assert (status, err.count("\n")) == (2, 1) and err.startswith("error: ")
