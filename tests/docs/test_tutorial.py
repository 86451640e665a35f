# SPDX-License-Identifier: Apache-2.0
"""Every command of the tutorial, run as a reader would type it, in a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"

BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```console\n(?P<text>.*?)```", re.DOTALL)


def commands(text):
    """Mark and command of each line that begins with a prompt, in order."""
    return [(block["mark"] or "", line.removeprefix("$ "))
            for block in BLOCK.finditer(text)
            for line in block["text"].splitlines() if line.startswith("$ ")]


def test_commands_are_found_with_their_marks():
    text = "<!-- slow -->\n```console\n$ one two\nout\n$ three\n```\n\n```console\n$ four\n```\n"
    assert commands(text) == [("slow", "one two"), ("slow", "three"), ("", "four")]


def test_every_prompt_of_the_tutorial_is_in_a_console_block():
    text = TUTORIAL.read_text()
    assert len(commands(text)) == text.count("\n$ ") > 7


def test_every_command_runs(tmp_path):
    """Exit status 0 for each, and the files that the text names are there."""
    pytest.importorskip("torch", reason="the tutorial trains a network")
    (tmp_path / "data").symlink_to(ROOT / "data")
    slow = os.environ.get("SPIKEWRIGHT_SLOW") == "1"
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for mark, command in commands(TUTORIAL.read_text()):
        if mark.startswith("not tested") or (mark == "slow" and not slow):
            continue
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, text=True,
                              capture_output=True, timeout=600, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    made = {path.name for path in (tmp_path / "build" / "tutorial").iterdir()}
    assert made >= {"trained", "model", "answer.npz", "decoded.npz", "decoded.png"}
