# SPDX-License-Identifier: Apache-2.0
"""The view in the terminal: what it shows, and its keys."""

import io
import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest

pytest.importorskip("rich", reason="the view needs the package rich of the extra 'live'")
from rich.console import Console  # noqa: E402

from spikewright.live.engine import Engine  # noqa: E402
from spikewright.live.loop import Loop  # noqa: E402
from spikewright.live.sources.recording import Player  # noqa: E402
from spikewright.live.watch.scene import Scene  # noqa: E402
from spikewright.live.watch.terminal import picture  # noqa: E402
from spikewright.network.recording import read_recording  # noqa: E402

from .conftest import golden  # noqa: E402


class Feed:
    """A sink that gives everything to a scene."""

    title, counts = "", {"flooded bins": 7}

    def __init__(self, scene, without=()):
        self.scene, self.without = scene, without

    def send(self, answer):
        if answer.step not in self.without:
            self.scene.take(answer.record)

    def note(self, facts):
        self.scene.take(json.dumps({"facts": facts}).encode())


def shown(session, notices, steps=300, without=(), commands=None):
    folder, *models = session
    scene = Scene(models)
    loop = Loop(Player(read_recording(folder / "rec.npz"), fast=True),
                Engine(models[0], golden(models[0]), notices.append), [Feed(scene, without)],
                notice=notices.append, commands=commands)
    totals = loop.run(steps * 0.004)
    scene.take(json.dumps({"status": {
        "paused": False, "steps": totals.steps, "spikes": totals.spikes, "late": 0,
        "counts": loop.counts(), "notices": ["12:00:00 a notice"],
        "from_bin": totals.from_bin.report(), "from_spike": totals.from_spike.report()}}).encode())
    return scene


@pytest.mark.parametrize("width, height", [(140, 50), (60, 24)])
def test_what_is_shown(session, notices, width, height):
    scene = shown(session, notices)
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    console.print(picture(scene, width, height))
    text = console.export_text()
    for part in ("running", "from rec.npz", "p pause", "1 tiny 2 other", "spikes of 6 channels",
                 "spikes of 5 hidden neurons: all 300 steps are", "the true one", "cursor",
                 "bin to velocity", "spike to velocity", "flooded bins", "12:00:00 a notice"):
        assert part in " ".join(text.split()), part
    assert max(map(len, text.splitlines())) <= width


def test_an_answer_that_is_missed_stops_the_comparison_until_a_reset(session, notices):
    scene = shown(session, notices, without={20})
    # 20 steps before it; the recording has a reset at step 50.
    assert scene.agreement == "all 270 steps are equal" and len(scene.steps) == 299
    assert not any(step.hidden for step in list(scene.steps)[20:49])


def test_another_model_is_followed(session, notices):
    seen = iter(range(1000))
    scene = shown(session, notices,
                  commands=lambda loop: next(seen) == 100 and loop.load(session[2]))
    assert scene.model is scene.models[1] and scene.agreement == "all 300 steps are equal"


def test_a_difference_is_told(session, notices):
    scene = shown(session, notices, steps=10)
    scene.take(json.dumps({"step": 10, "spikes": [], "velocity": [9.0, 9.0],
                           "delay_ms": 0.3}).encode())
    assert scene.agreement == "1 of 11 steps differ"


def test_keys_in_a_terminal(session):
    folder = session[0]
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "spikewright", "live", folder / "tiny", "--models", folder / "other",
         "--in", folder / "rec.npz", "--repeat", "--view"], stdin=theirs, stdout=theirs,
        stderr=theirs)
    os.close(theirs)
    said = b""

    def until(text, seconds=120):
        nonlocal said
        deadline = time.perf_counter() + seconds
        while text not in said and time.perf_counter() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                said += os.read(ours, 65536)
        assert text in said, said[-2000:]
        said = b""
    try:
        until(b" running ")
        os.write(ours, b"xp")
        until(b" paused ")
        os.write(ours, b"p2")
        until(b"runs now")
        os.write(ours, b"q")
        until(b" steps, ")
        assert running.wait(timeout=120) == 0
    finally:
        running.kill()
        running.wait()
        os.close(ours)


def test_without_a_terminal(session, call_command):
    folder = session[0]
    assert call_command("live", folder / "tiny", "--in", folder / "rec.npz", "--view") == (
        2, "", "error: --view must have a terminal, not a file or a pipe\n")


def test_models_of_one_name_have_their_folders(session, tmp_path):
    for folder in ("monday", "tuesday"):
        session[1].save(tmp_path / folder)
    session[2].save(tmp_path / "other")
    scene = Scene.opened({"affine": None, "models": [
        str(tmp_path / folder) for folder in ("monday", "tuesday", "other")]})
    assert scene.names == [f"{tmp_path.name}/monday", f"{tmp_path.name}/tuesday", "other"]
