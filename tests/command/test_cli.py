# SPDX-License-Identifier: Apache-2.0
"""What the commands share: files that are whole or not there, arguments, errors in one line."""

import argparse
import os
import subprocess
import sys

import pytest

import spikewright.base.tools
from spikewright.base.files import written_file
from spikewright.base.tools import run_tool
from spikewright.command.parser import baud, megahertz, output_file
from tests.designs import ROOT
from tests.networks import refused


def test_written_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with pytest.raises(RuntimeError), written_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with written_file(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole" and path.stat().st_mode & 0o777 == 0o644


def test_only_a_file_is_written(tmp_path):
    """A device or a folder stays what it is, and the command tells before it works."""
    for path, kind in ((tmp_path, "folder"), ("/dev/null", "device")):
        with refused(f"Output must be a file, not the {kind} '{path}'"), written_file(path):
            pass
        with refused(f"must be a file, not the {kind} '{path}'", argparse.ArgumentTypeError):
            output_file(str(path))
    assert not os.path.isfile("/dev/null") and list(tmp_path.iterdir()) == []
    assert output_file(f"{tmp_path}/new.npz") == tmp_path / "new.npz"


def test_megahertz():
    assert megahertz("87.5") == 87.5
    for text in ("abc", "0", "-1", "1000", "nan"):
        with refused(f"must be a number of MHz between 0 and 1000, not {text!r}",
                     argparse.ArgumentTypeError):
            megahertz(text)


def test_baud():
    assert (baud("9600"), baud("12000000")) == (9600, 12_000_000)
    for text in ("9599", "12000001", "fast"):
        with refused(f"must be a whole number from 9600 to 12000000, not {text!r}",
                     argparse.ArgumentTypeError):
            baud(text)


@pytest.mark.parametrize("code, status", [
    ("print('word ' * 100_000)", 141),      # more than a pipe holds
    ("print('word')", 0),                   # told in the end, when all is done
])
def test_nobody_reads_on(code, status):
    code = f"from spikewright.command.parser import run_command; run_command(lambda: {code})"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          env=os.environ | {"PYTHONUNBUFFERED": ""}) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", status)


def test_another_pipe_that_breaks_is_told():
    """Standard output has its reader: what did not work is said."""
    code = ("import os; from spikewright.command.parser import run_command\n"
            "def main():\n    print('word')\n    ours, theirs = os.pipe()\n"
            "    os.close(ours)\n    os.write(theirs, b'x')\nrun_command(main)")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        2, "word\n", "error: File cannot be used: Broken pipe\n")


@pytest.mark.parametrize("said, told", [
    ("Info: x\nERROR: Unable to place cell 'a'\nERROR: more\n0 warnings, 2 errors\n",
     "ERROR: Unable to place cell 'a'"),
    ("core.cc:1:2: error: no such thing\n1 error generated.\n",
     "core.cc:1:2: error: no such thing"),
    ("%Error-PINMISSING: a.v:1\n%Error: Exiting due to 1 error(s)\n", "%Error-PINMISSING: a.v:1"),
    ("one\nthe last word\n\n", "the last word"),
    ("", "it said nothing"),
])
def test_failing_tool_is_quoted(tmp_path, monkeypatch, capsys, said, told):
    code = f"import sys; sys.stdout.write({said!r}); sys.exit(3)"
    monkeypatch.setattr(spikewright.base.tools, "command_of", lambda tool: [sys.executable])
    with refused(f"nextpnr-ice40 must succeed, not end with status 3: {told} "
                 f"(all of it: {tmp_path / 'nextpnr-ice40.log'})"):
        run_tool("nextpnr-ice40", "-c", code, folder=tmp_path, title="place")
