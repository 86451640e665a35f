# SPDX-License-Identifier: Apache-2.0
"""The pictures of the live page and of the view in the terminal, for the docs.

A recording is played to ``spikewright serve``, whose page a headless Chromium shows. The view in
the terminal is drawn from the same loop without a terminal.
"""

import io
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.command.parser import CommandParser, run_command
from spikewright.host.decoder import Decoder
from spikewright.live.bins import Answer, to_line
from spikewright.live.engine import Engine
from spikewright.live.loop import Loop
from spikewright.live.priority import hurry, settle
from spikewright.live.sources.recording import Player
from spikewright.live.watch.scene import Scene
from spikewright.live.watch.terminal import picture
from spikewright.live.watch.view import say
from spikewright.model.saved import Model
from spikewright.network.recording import read_recording

from .browser import Browser

__all__ = ["PICTURES", "draw_page", "draw_terminal"]

FOLDER = Path(__file__).parents[2] / "pictures"

# Name, width and height in pixels, and whether the screen is dark.
PICTURES = (("live_wide.png", 1400, 1060, False), ("live_phone.png", 400, 900, True))

# Steps that a page shows before it is drawn; columns and rows of the terminal, and its seconds.
STEPS, SIZE, SECONDS = 2000, (132, 44), 9


def draw_page(models: Sequence[Path], recording: Path, folder: Path) -> list[Path]:
    """Write a picture of the page for each of ``PICTURES``."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    running = subprocess.Popen(
        [sys.executable, "-m", "spikewright", "serve", str(models[0]), "--models",
         *map(str, models[1:]), "--in", str(recording), "--repeat", "--realtime", "--listen",
         str(port)], stdout=subprocess.PIPE, text=True)
    assert running.stdout
    url = running.stdout.readline().removeprefix("-> ").strip()
    if not url:
        raise InputError("The page must be served, not end at once")
    written = []
    try:
        for name, width, height, dark in PICTURES:
            with Browser(width, height, dark=dark) as browser:
                browser.open(url)
                browser.wait(f"document.documentElement.dataset.drawn >= {STEPS}")
                with written_file(folder / name) as temporary:
                    temporary.write_bytes(browser.picture(whole=False))
            written.append(folder / name)
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate()
    return written


def draw_terminal(models: Sequence[Path], recording: Path, folder: Path) -> list[Path]:
    """Write ``live_terminal.svg``."""
    opened = [Model.load(path) for path in models]
    scene = Scene(opened)
    kept = _Kept()
    hurry()
    settle()
    loop = Loop(Player(read_recording(recording)),
                Engine(opened[0], Decoder.open("golden:", opened[0]), say),
                [kept], notice=say)
    totals = loop.run(SECONDS)
    for line in kept.lines:
        scene.take(line)
    scene.take(json.dumps({"status": {
        "paused": False, "steps": totals.steps, "spikes": totals.spikes, "late": totals.late,
        "counts": loop.counts(), "notices": [], "from_bin": totals.from_bin.report(),
        "from_spike": totals.from_spike.report()}}).encode())
    width, height = SIZE
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True)
    console.print(picture(scene, width, height))
    path = folder / "live_terminal.svg"
    # Fonts of the reader's computer, in place of one from another host.
    text = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="spikewright live --view"),
                  flags=re.DOTALL)
    with written_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return [path]


class _Kept:
    """A sink that keeps the lines which a view would get."""

    title = ""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.lines: list[bytes] = []

    def send(self, answer: Answer) -> None:
        self.lines.append(answer.record)

    def note(self, facts: dict) -> None:
        self.lines.append(to_line({"facts": facts}))

    def close(self) -> None:
        pass


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.pictures.live",
                           description="Draw the live page and "
                           "the view in the terminal.")
    parser.add_argument("recording", type=Path, metavar="RECORDING.npz")
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL",
                        help="folders of models; the first one runs")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, metavar="DIR",
                        help="folder to write to (default: docs/pictures)")
    arguments = parser.parse_args()
    # The page first: what is started after `hurry` hurries, too.
    files = [*draw_page(arguments.models, arguments.recording, arguments.output),
             *draw_terminal(arguments.models, arguments.recording, arguments.output)]
    print("\n".join(f"-> {path}" for path in files))


if __name__ == "__main__":
    run_command(_main)
