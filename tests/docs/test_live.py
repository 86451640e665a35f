# SPDX-License-Identifier: Apache-2.0
"""The scripts of docs/howto/live.md get velocities from a running loop."""

import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.live.conftest import free_port, session  # noqa: F401

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "live.md"


def script(part):
    """The first Python of a part of the page."""
    text = PAGE.read_text(encoding="utf-8").partition(f"# {part}\n")[2]
    return re.search("```python\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture
def looped(session):  # noqa: F811
    """Start a loop."""
    running = []

    def start(*words):
        running.append(subprocess.Popen(
            [sys.executable, "-m", "spikewright", "live", session[0] / "tiny", *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    yield start
    for each in running:
        each.kill()
        each.wait()


def test_udp(looped):
    before, after = str(free_port()), str(free_port())
    looped("--in", f"udp:{before}", "--out", f"udp:127.0.0.1:{after}")
    names = {}
    exec(script("Your own script").replace("9000", before).replace("9001", after), names)
    assert len(names["velocity"]) == 2
    names["port"].close()


def test_lsl(looped):
    pytest.importorskip("pylsl", reason="LSL needs the package pylsl of the extra 'live'")
    name = uuid.uuid4().hex[:8]
    looped("--in", f"lsl:spikes-{name}", "--out", f"lsl:cursor-{name}")
    text = script("Spikes over LSL").replace('"spikes"', f'"spikes-{name}"')
    text = text.replace('"cursor"', f'"cursor-{name}"').replace("timeout=10", "timeout=100")
    names = {}
    exec(text, names)
    assert len(names["velocity"]) == 2
