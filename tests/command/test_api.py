# SPDX-License-Identifier: Apache-2.0
"""The Python API."""

import subprocess
import sys
import unittest.mock
from pathlib import Path

import numpy as np
import pytest

import spikewright as sw
from spikewright.golden.run import run_golden
from spikewright.network.network import Network
from spikewright.network.recording import read_recording
from spikewright.plan.config import CoreConfig
from tests.designs import BUILD
from tests.networks import refused


@pytest.fixture
def model(here):
    return sw.quantize(sw.read("net.safetensors"), calibrate="rec.npz")


def test_what_there_is():
    assert set(dir(sw)) >= {"Decoder", "InputError", "Model", "Report", "Result", "build", "load",
                            "quantize", "read", "run"}
    with refused("module 'spikewright' has no attribute 'synthesize'", AttributeError):
        sw.synthesize  # noqa: B018
    code = ("import sys, spikewright, spikewright.command\n"
            "print([name for name in ('numpy', 'torch', 'numba', 'amaranth', 'matplotlib') "
            "if name in sys.modules])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          check=True).stdout == "[]\n"


def test_quantize_keeps_where_the_model_comes_from(here, model):
    assert isinstance(sw.read("net.safetensors"), Network)
    assert (model.name, model.channels, model.dt) == ("net", 6, 4e-3)
    assert model.facts["checkpoint"]["file"] == "net.safetensors"
    assert model.facts["made_by"].keys() == {"version", "commit"}
    options = model.facts["options"]
    assert len(options.pop("calibrate_sha256")) == 64
    assert options == {"weight_bits": 8, "current_bits": 16, "membrane_bits": 20, "decay_bits": 12,
                       "projection_bits": {}, "states": "calibrated", "events_per_channel": 1,
                       "decay_terms": None, "retime": True}
    other = sw.quantize(sw.read("net.safetensors"), weight_bits=5, projection_bits={"input": 3},
                        name="mine")
    assert (other.name, other.integers.weight_bits) == ("mine", [5, 3])
    assert other.facts["options"]["projection_bits"] == {"input": 3}
    assert other.facts["options"]["calibrate_sha256"] is None
    assert other.hash != model.hash and any("may saturate" in line for line in other.warnings)


@pytest.mark.parametrize("path, name", [
    ("a/mine.pth", "mine"), ("a/final.safetensors", "a"), ("a/trained/final.safetensors", "a"),
    ("final/trained/final.safetensors", "final")])
def test_default_name(tmp_path, monkeypatch, path, name):
    """A file that `train` writes does not say whose network it is."""
    from spikewright.api.models import default_name
    monkeypatch.chdir(tmp_path)
    assert default_name(Path(path)) == name


def test_network_that_comes_from_no_file(model):
    again = sw.quantize(model.network, calibrate="rec.npz")
    assert again.name == "network" and "checkpoint" not in again.facts


def test_saved_and_loaded(here, model):
    manifest = model.save("model")
    loaded = sw.load("model")
    assert loaded.hash == model.hash == manifest["model_hash"]
    assert loaded.facts == model.facts
    assert loaded.save("again") == manifest


def test_command_makes_the_same_model(here, model, call_command):
    assert call_command("quantize", "net.safetensors", "-o", "model", "--calibrate",
                        "rec.npz")[0] == 0
    assert sw.load("model").facts == model.facts and sw.load("model").hash == model.hash


@pytest.mark.parametrize("arguments, message", [
    ({"weight_bits": 17}, "Width weight must be between 2 and 16, not 17"),
    ({"weight_bits": 7.5}, "Width weight must be an int, not 7.5"),
    ({"projection_bits": {"inputs": 4}},
     "Projection must be one of recurrent, input, output, not 'inputs'"),
    ({"states": "safe"}, "Rule states must be one of calibrated, proven, not 'safe'"),
    ({"states": ["proven"]}, "Rule states must be one of calibrated, proven, not ['proven']"),
    ({"retime": 1}, "Rule retime must be True or False, not 1"),
    ({"projection_bits": 4}, "Projection bits must be a dict, not 4"),
    ({"name": ""}, "Model name must be 1 to 100 printable characters, not ''"),
    ({"name": b"x"}, "Model name must be 1 to 100 printable characters, not b'x'"),
])
def test_quantize_refuses(here, arguments, message):
    with refused(message, sw.InputError):
        sw.quantize(sw.read("net.safetensors"), **arguments)


def test_arguments_of_another_kind(model):
    with refused("Network must be one that read() gives, not str", sw.InputError):
        sw.quantize("x")
    with refused("Path must be a text or a Path, not 3", sw.InputError):
        sw.quantize(model.network, calibrate=3)
    name = "Model must be one that load() or quantize() gives, not"
    for value in (None, 3, "model", model.network):
        for call in (lambda given: sw.build(given, board="icebreaker", out="out"),
                     lambda given: sw.Decoder.open("golden:", given)):
            with refused(f"{name} {type(value).__name__}", sw.InputError):
                call(value)
    with refused("Model must be one that load(), quantize() or read() gives, not int",
                 sw.InputError):
        sw.run(3, "rec.npz")
    with sw.Decoder.open("golden:", model) as decoder:
        with refused(f"{name} int", sw.InputError):
            decoder.load(3)
        with refused("Time of a piece must be seconds above 0, not 'x'", sw.InputError):
            next(decoder.loading(model, "x"))
    with refused("Option load must be True or False, not 1", sw.InputError):
        sw.Decoder.open("golden:", model, load=1)


def test_a_refusal_is_one_line(model):
    with refused("Backend must be one of float, golden, rtl, virtual, or 'board:' and a port, not "
                 "array([[0], [1]])", sw.InputError):
        sw.run(model, "rec.npz", backend=np.array([[0], [1]]))


@pytest.mark.parametrize("value", [None, 3, True, b"x", [], np.arange(2)])
def test_each_path_is_a_text_or_a_path(model, value):
    calls = {sw.read, sw.load, sw.Model.load, model.save, sw.Report.load, sw.Result(
        velocity=np.zeros((1, 2))).save, lambda path: sw.run(model, path),
        lambda path: sw.build(model, board="icebreaker", out=path)}
    for call in calls:
        with refused(f"Path must be a text or a Path, not {value!r}", sw.InputError):
            call(value)
    for call in calls:
        with refused(r"Path must have no NUL character, not 'a\x00b'", sw.InputError):
            call("a\0b")


def test_files_that_the_system_refuses(model, tmp_path):
    name = "x" * 300
    for call in (sw.read, sw.load, sw.Report.load, model.save, lambda path: sw.run(model, path),
                 lambda path: sw.quantize(model.network, calibrate=path)):
        with pytest.raises(sw.InputError, match=f"^(.*/)?{name}(/\\w+.json)? cannot be used: File "
                                                "name too long$"):
            call(name)
    with refused("gone.npz cannot be used: No such file or directory", sw.InputError):
        sw.run(model, "gone.npz")


def test_report_replaces_only_a_report(here, model):
    report = unittest.mock.Mock(spec=sw.Report)
    with refused("Output must end in .json, not 'net.safetensors'", sw.InputError):
        sw.Report.save(report, "net.safetensors")
    Path("mine.json").write_text('{"mine": 1}', encoding="utf-8")
    with refused("Output must be a new file, or one that Spikewright wrote, not 'mine.json'",
                 sw.InputError):
        sw.Report.save(report, "mine.json")


@pytest.mark.parametrize("arguments, message", [
    ({"step": "x"}, "Option step must be seconds between 0 and 10, not 'x'"),
    ({"step": True}, "Option step must be seconds between 0 and 10, not True"),
    ({"framework": 3}, ("Framework must be one of snntorch, norse, spikingjelly, sinabs, rockpool, "
                        "spyx, not 3")),
    ({"framework": ["norse"]}, ("Framework must be one of snntorch, norse, spikingjelly, sinabs, "
                                "rockpool, spyx, not ['norse']")),
    ({"inputs": "abc"}, "Option inputs must be a list of names, not 'abc'"),
    ({"inputs": 3}, "Option inputs must be a list of names, not 3"),
    ({"nodes": {"lif": 3}}, ("Option nodes must be a dict with a dict of options for each name, "
                             "not {'lif': 3}")),
    ({"reset": []}, ("Option reset must be one of zero_lose, zero_keep, subtract_next, "
                     "subtract_same, none, not []")),
])
def test_read_refuses(here, arguments, message):
    with refused(message, sw.InputError):
        sw.read("net.safetensors", **arguments)


def test_run(here, model):
    recording = read_recording("rec.npz")
    result = sw.run(model, "rec.npz", lanes=2)
    golden = run_golden(model.integers, recording, CoreConfig(lanes=2))
    assert result.values is None            # of graded networks only
    for key, value in vars(golden).items():
        assert key == "values" or np.array_equal(getattr(result, key), value), key
    assert list(result.populations) == ["hidden"]
    assert repr(result).startswith("<Result velocity: float64 (400, 2), velocity_int: int64 (")
    rtl = sw.run(model, "rec.npz", lanes=2, backend="rtl", cache=BUILD)
    virtual = sw.run(model, "rec.npz", lanes=2, backend="virtual", cache=BUILD, megahertz=8)
    for key in ("velocity", "velocity_int", "cycles", "saturated"):
        assert np.array_equal(getattr(rtl, key), getattr(golden, key)), key
        assert np.array_equal(getattr(virtual, key), getattr(golden, key)), key
    assert virtual.spikes is None and virtual.latency is None
    exact = sw.run(model, "rec.npz", backend="float")
    assert exact.velocity.shape == (400, 2) and exact.velocity_int is None
    exact.save("exact.npz")
    result.save("golden.npz")
    with np.load("exact.npz") as file:
        assert sorted(file) == ["made_by", "spikes", "spikes_hidden", "velocity"]
    with np.load("golden.npz") as file:
        assert sorted(file) == [
            "cycles", "latency", "made_by", "saturated", "spikes", "spikes_hidden", "velocity",
            "velocity_int"]


@pytest.mark.parametrize("arguments, message", [
    ({"backend": "gpu"}, ("Backend must be one of float, golden, rtl, virtual, or 'board:' and a "
                          "port, not 'gpu'")),
    ({"preset": "huge"}, "Preset must be one of small, balanced, fast, not 'huge'"),
    ({"preset": ["fast"]}, "Preset must be one of small, balanced, fast, not ['fast']"),
    ({"tables": []}, "Core tables must be one of dense, bitmap, rows, smallest, not []"),
    ({"megahertz": "24"}, "Clock must be a number of MHz between 0 and 1000, not '24'"),
    ({"baud": 0}, "Baud rate must be a whole number from 9600 to 12000000, not 0"),
    ({"lanes": 65}, "Core lanes must be between 1 and 64, not 65"),
    ({"lanes": 3, "tables": "bitmap"},
     "Core lanes must be a power of two with bitmap tables, not 3"),
    ({"speed": 4}, ("Option of a core must be one of lanes, tables, weight_memory, neurons, "
                    "multiplier, load, staging, not 'speed'")),
    ({"table": "rows"}, ("Option of a core must be one of lanes, tables, weight_memory, neurons, "
                         "multiplier, load, staging, not 'table': did you mean tables?")),
    ({"backend": "virtual", "megahertz": "24"},
     "Clock must be a number of MHz between 0 and 1000, not '24'"),
    ({"backend": "board:/dev/nothing-here", "baud": "fast"},
     "Baud rate must be a whole number from 9600 to 12000000, not 'fast'"),
])
def test_run_refuses(model, arguments, message):
    with refused(message, sw.InputError):
        sw.run(model, "rec.npz", **arguments)


@pytest.mark.parametrize("where", ["golden:", "virtual:"])
def test_decoder(here, model, where):
    recording, result = read_recording("rec.npz"), sw.run(model, "rec.npz", preset="small")
    with sw.Decoder.open(where, model, preset="small", megahertz=8, cache=str(BUILD)) as decoder:
        for turn in range(2):
            for t in range(40):
                events = recording.channel[recording.start[t]:recording.start[t + 1]]
                velocity = decoder.step(events if t % 2 else events.tolist())
                assert velocity.dtype == np.float64 and velocity.shape == (2,)
                assert velocity.tolist() == result.velocity[t].tolist(), (turn, t)
                assert decoder.cycles == result.cycles[t]
                assert decoder.saturated == result.saturated[t]
            decoder.reset()


def test_decoder_takes_only_channels(model):
    with sw.Decoder.open("golden:", model) as decoder:
        for channel in (1.7, 1.0, "a", True, np.float64(1), None):
            with refused(f"Channel of spike 1 must be a whole number, not {channel!r}",
                         sw.InputError):
                decoder.step([0, channel])
        for channel in (-1, 6, np.int64(6)):
            with refused(f"Channel of spike 0 must be between 0 and 5, not {channel}",
                         sw.InputError):
                decoder.step([channel])
        with refused("Channels must be a list of whole numbers, not 3", sw.InputError):
            decoder.step(3)
        # Nothing of all that was a step.
        first = decoder.step(np.array([1, 1], np.uint8))
    with sw.Decoder.open("golden:", model) as decoder:
        assert decoder.step([1, 1]).tolist() == first.tolist()


def test_channels_without_weights_change_nothing(here):
    model = sw.load(_pruned(here))
    assert model.integers.channel_row[2] == -1
    with sw.Decoder.open("golden:", model) as one, sw.Decoder.open("golden:", model) as other:
        for _ in range(20):
            assert one.step([0, 1, 2, 2]).tolist() == other.step([0, 1]).tolist()


def _pruned(here):
    from safetensors.numpy import save_file

    from tests.networks import random_tensors
    tensors = random_tensors(0)
    tensors["con1.op.weight"][:, 2] = 0
    save_file(tensors, "pruned.safetensors")
    sw.quantize(sw.read("pruned.safetensors"), calibrate="rec.npz").save("pruned")
    return here / "pruned"


@pytest.mark.parametrize("where", ["", "golden", "serial:", "golden:x", "usb:1", 3])
def test_decoder_refuses(model, where):
    with refused("Decoder must be 'serial:' and a port, 'virtual:' or 'golden:', not "
                 f"{where!r}", sw.InputError):
        sw.Decoder.open(where, model)


def test_decoder_without_a_board(model):
    with pytest.raises(sw.InputError, match="^Port must be a serial port that opens, "
                                         "not '/dev/nothing-here': "):
        sw.Decoder.open("serial:/dev/nothing-here", model)


@pytest.mark.parametrize("where", ["virtual:", "serial:/dev/nothing-here"])
def test_decoder_with_a_wrong_line(model, where):
    with refused("Baud rate must be a whole number from 9600 to 12000000, not 0", sw.InputError):
        sw.Decoder.open(where, model, baud=0)


@pytest.mark.parametrize("arguments, message", [
    ({"megahertz": "24"}, "Clock must be a number of MHz between 0 and 1000, not '24'"),
    ({"megahertz": 0}, "Clock must be a number of MHz between 0 and 1000, not 0"),
    ({"baud": 1e6}, "Baud rate must be a whole number from 9600 to 12000000, not 1000000.0"),
    ({"seed": 0}, "Seed must be a whole number from 1 to 1073741824, not 0"),
    ({"seed": "x"}, "Seed must be a whole number from 1 to 1073741824, not 'x'"),
])
def test_build_refuses_a_wrong_line(model, arguments, message):
    with refused(message, sw.InputError):
        sw.build(model, board="icebreaker", out="out", **arguments)


def test_build_refuses(model):
    with pytest.raises(sw.InputError, match="^Board must be one of "):
        sw.build(model, board="icebraker", out="out")
    with pytest.raises(sw.InputError, match="^Board must be one of .*, not 3$"):
        sw.build(model, board=3, out="out")
    with refused("Report must be a folder made by 'spikewright build', not 'gone': it has no "
                 "report.json", sw.InputError):
        sw.Report.load("gone")
