# SPDX-License-Identifier: Apache-2.0
"""What the commands share: arguments, and errors in one line."""

import argparse
import os
import signal
import subprocess
import sys

import pytest

from spikewright.command.parser import baud, megahertz, output_file, run_command
from tests.designs import ROOT
from tests.networks import refused


def test_only_a_file_is_written(tmp_path):
    """A device or a folder stays what it is, and the command tells before it works."""
    for path, kind in ((tmp_path, "folder"), ("/dev/null", "device")):
        with refused(f"must be a file, not the {kind} '{path}'", argparse.ArgumentTypeError):
            output_file(".npz")(str(path))
    assert not os.path.isfile("/dev/null") and list(tmp_path.iterdir()) == []
    assert output_file(".npz")(f"{tmp_path}/new.npz") == tmp_path / "new.npz"


def test_megahertz():
    assert megahertz("87.5") == 87.5
    for text in ("abc", "0", "-1", "1000", "nan"):
        with refused(f"must be a number of MHz between 0 and 1000, not {text!r}",
                     argparse.ArgumentTypeError):
            megahertz(text)


@pytest.mark.parametrize("words, told", [
    (["run", "m", "r", "-o", "o.npz", "--preset", "fats"],
     ("argument --preset: invalid choice: 'fats' (choose from 'small', 'balanced', 'fast'): did "
      "you mean fast? (see 'spikewright run --help')")),
    (["run", "m", "r", "-o", "o.npz", "--backend", "xyz"],
     ("argument --backend: invalid choice: 'xyz' (choose from 'float', 'golden', 'rtl', 'virtual') "
      "(see 'spikewright run --help')"))])
def test_choice_that_is_spelled_like_another(call_command, words, told):
    assert call_command(*words) == (2, "", f"error: {told}\n")


@pytest.mark.parametrize("words, told", [
    (["run", "m", "r", "-o", "o.npz", "--presett=fast"],
     "--presett=fast: did you mean --preset? (see 'spikewright run --help')"),
    (["record", "import", "c.npy", "-o", "o.npz", "x"],
     "x (see 'spikewright record import --help')"),
    (["make", "model", "BORD=x"], "BORD=x (see 'spikewright make --help')")])
def test_unknown_argument(call_command, words, told):
    assert call_command(*words) == (2, "", f"error: unrecognized arguments: {told}\n")


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


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_output(tmp_path, closed):
    """A file of the command does not get what is printed."""
    code = ("import sys; from spikewright.command.parser import run_command\n"
            "def main():\n    file = open(sys.argv[1], 'w')\n    print('word')\n"
            "    print('other', file=sys.stderr)\n    file.write('mine')\n    file.close()\n"
            "run_command(main)")
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" "$2" {closed}', sys.executable, code, tmp_path / "file"],
        cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, (tmp_path / "file").read_text(encoding="utf-8")) == (0, "mine")
    assert (done.stdout, done.stderr) == ("word\n" * (">&-" != closed[:3]),
                                          "other\n" * ("2>&-" not in closed))


def test_interrupt_while_the_command_is_imported():
    code = ("import sys\n"
            "class Finder:\n"
            "    def find_spec(self, name, *_):\n"
            "        if name == 'spikewright.command.commands':\n"
            "            raise KeyboardInterrupt\n"
            "sys.meta_path.insert(0, Finder())\n"
            "from spikewright.command import main\nmain(['boards'])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


def test_another_pipe_that_breaks_is_told():
    """Standard output has its reader: what did not work is said."""
    code = ("import os; from spikewright.command.parser import run_command\n"
            "def main():\n    print('word')\n    ours, theirs = os.pipe()\n"
            "    os.close(ours)\n    os.write(theirs, b'x')\nrun_command(main)")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        2, "word\n", "error: File cannot be used: Broken pipe\n")


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("kept, told", [
    ((), "stopped\n"), (("a is kept",), "stopped: a is kept\n")])
def test_request_to_end(capsys, number, status, kept, told):
    """What is half written is removed, even if a second request comes in between."""
    before, done = signal.getsignal(signal.SIGTERM), []

    def main():
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt as stop:
            os.kill(os.getpid(), signal.SIGTERM if number == signal.SIGTERM else 0)
            stop.args = kept
            done.append(number)
            raise
    with pytest.raises(SystemExit) as end:
        run_command(main)
    assert end.value.code == status and done == [number]
    assert capsys.readouterr() == ("", told)
    assert signal.getsignal(signal.SIGTERM) is before
