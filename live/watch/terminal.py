# SPDX-License-Identifier: Apache-2.0
"""The view in the terminal: spikes, velocity, delays and counters as text."""

import contextlib
import json
import os
import select
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .scene import EDGES, Scene
from .view import READY

__all__ = ["picture", "show"]

# Seconds between two pictures, seconds that a picture shows, and bytes of a read.
EVERY, SPAN, MOST_BYTES = 0.1, 4.0, 1 << 16

SHADES = " ░▒▓█"
BARS = " ▁▂▃▄▅▆▇█"

# Commands of the keys. A digit loads the model of this number.
KEYS = {"p": "pause", "r": "reset", "q": "stop"}


def show(connection: socket.socket, config: dict) -> None:
    """Draw until the session ends."""
    scene = Scene.opened(config)
    console = Console()
    connection.sendall(READY)
    coming, drawn = b"", 0.0
    with _keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            ready, _, _ = select.select([connection.fileno(), keys], [], [], EVERY)
            if keys in ready:
                _press(os.read(keys, 1).decode(errors="replace"), scene, connection)
            if connection.fileno() in ready:
                data = connection.recv(MOST_BYTES)
                if not data:
                    return
                *lines, coming = (coming + data).split(b"\n")
                for line in lines:
                    scene.take(line)
            if time.perf_counter() - drawn > EVERY:
                drawn = time.perf_counter()
                live.update(picture(scene, *console.size), refresh=True)


@contextlib.contextmanager
def _keys() -> Iterator[int]:
    """Where keys are read one by one, without a line end."""
    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    tty.setcbreak(keys)
    try:
        yield keys
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


def _press(key: str, scene: Scene, connection: socket.socket) -> None:
    command: dict | None = None
    if key in KEYS:
        command = {"do": KEYS[key]}
        if key == "p" and scene.status.get("paused"):
            command = {"do": "resume"}
    elif key.isdecimal() and 1 <= int(key) <= len(scene.models):
        command = {"do": "load", "model": int(key) - 1}
    if command:
        connection.sendall(json.dumps(command).encode() + b"\n")


def picture(scene: Scene, width: int, height: int) -> RenderableType:
    """The scene on a screen of ``width`` and ``height`` characters."""
    wide = width >= 100
    inner = (width * 2 // 3 if wide else width) - 4
    model, axes = scene.model, scene.facts.get("axes", scene.model.integers.axes)
    above = 5 + axes * (4 if _truth(scene) else 2)
    lines = max((height - above - 8) // (2 if model.integers.hidden else 1), 3)
    columns = _columns(scene, inner)
    left: list[RenderableType] = [
        _panel("velocity: decoded, and below it the true one" if _truth(scene) else "velocity",
               _curves(columns, axes, scene)),
        _panel(f"spikes of {model.channels} channels",
               _raster(columns, "channels", model.channels, lines, inner))]
    if model.integers.hidden:
        left.append(_panel(f"spikes of {model.integers.hidden} hidden neurons: {scene.agreement}",
                           _raster(columns, "hidden", model.integers.hidden, lines, inner)))
    right = [_panel("cursor", _cursor(scene)),
             _panel("from the end of a bin to the velocity", _delays(scene)),
             _panel("counters", _counters(scene))]
    body: RenderableType
    if wide:
        table = Table.grid(expand=True)
        table.add_column(ratio=2)
        table.add_column(ratio=1)
        table.add_row(Group(*left), Group(*right))
        body = table
    else:
        body = Group(*left, *right)
    notices = [Text(notice, "dim") for notice in scene.status.get("notices", [])]
    return Group(_head(scene), *notices, body)


def _panel(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="dim")


def _head(scene: Scene) -> Text:
    paused = scene.status.get("paused")
    text = Text.assemble(
        ("Spikewright live ", "bold"), (scene.model.name, "bold cyan"), "  ",
        (" paused " if paused else " running ", "black on yellow" if paused else "black on green"),
        f"  from {scene.facts.get('source', '')}, model {scene.model.hash[:16]}\n",
        ("p pause  r reset  q end", "dim"))
    if len(scene.models) > 1:
        text.append("  " + "  ".join(f"{k} {name}" for k, name in
                                     enumerate(scene.names[:9], 1)), "dim")
    return text


def _columns(scene: Scene, number: int) -> list[list]:
    """The steps of each column of a picture."""
    count = min(round(SPAN / scene.model.dt), len(scene.steps))
    steps = list(scene.steps)[len(scene.steps) - count:]
    full = round(SPAN / scene.model.dt)
    columns: list[list] = [[] for _ in range(number)]
    for k, step in enumerate(steps):
        columns[(full - count + k) * number // full].append(step)
    return columns


def _raster(columns: list[list], key: str, rows: int, lines: int, width: int) -> Text:
    lines = min(lines, rows)
    found = np.zeros((lines, width))
    for column, steps in enumerate(columns):
        for step in steps:
            for row in getattr(step, key):
                found[row * lines // rows, column] += 1
    most = max(found.max(), 1)
    shades = np.ceil(found / most * (len(SHADES) - 1)).astype(int)
    return Text("\n".join("".join(SHADES[shade] for shade in line) for line in shades),
                style="magenta" if key == "hidden" else "", no_wrap=True)


def _truth(scene: Scene) -> bool:
    """Whether the source says what the subject does."""
    return any(step.truth for step in scene.steps)


def _curves(columns: list[list], axes: int, scene: Scene) -> Text:
    """Two lines for each axis and velocity: what is above zero, and what is below."""
    text = Text(no_wrap=True)
    for axis in range(axes):
        curves = [([scene.scale * np.mean([step.velocity[axis] for step in steps]) if steps else 0.0
                    for steps in columns], "yellow")]
        if _truth(scene):
            curves.append(([_mean(steps, axis) for steps in columns], "white"))
        most = max(max(np.abs(values).max() for values, _ in curves), 1e-9)
        for values, colour in curves:
            text.append(_bars(np.maximum(values, 0) / most) + "\n", colour)
            # Bars grow from the bottom of a character; in reverse, they hang from its top.
            text.append(_bars(1 - np.maximum(np.negative(values), 0) / most) + "\n",
                        f"reverse {colour}")
    text.right_crop(1)
    return text


def _mean(steps: list, axis: int) -> float:
    known = [step.truth[axis] for step in steps
             if step.truth and len(step.truth) > axis and step.truth[axis] is not None]
    return float(np.mean(known)) if known else 0.0


def _cursor(scene: Scene) -> Text:
    """The path of the cursor: the velocity added up, drawn back to the middle within a second."""
    dt, wide, high = scene.model.dt, 31, 13
    kept, place, path = np.exp(-dt), np.zeros(2), []
    for step in scene.steps:
        place = kept * place
        place[:min(len(step.velocity), 2)] += dt * np.array(step.velocity[:2])
        path.append(place)
    grid = [[" "] * wide for _ in range(high)]
    far = max((np.abs(place).max() for place in path), default=0.0) or 1.0
    for k, (x, y) in enumerate(path):
        row = round((1 - y / far) / 2 * (high - 1))
        grid[row][round((1 + x / far) / 2 * (wide - 1))] = "●" if k == len(path) - 1 else "·"
    return Text("\n".join("".join(row) for row in grid), "yellow", no_wrap=True)


def _bars(shares: np.ndarray) -> str:
    return "".join(BARS[round(float(share) * (len(BARS) - 1))] for share in shares)


def _delays(scene: Scene) -> RenderableType:
    counts = scene.delays
    kept = np.flatnonzero(counts)
    table = Table.grid(padding=(0, 1))
    if len(kept):
        shown = range(kept[0], kept[-1] + 1)
        step = max(len(shown) // 10, 1)
        groups = [(EDGES[k], int(counts[k:k + step].sum())) for k in shown[::step]]
        most = max(count for _, count in groups)
        for edge, count in groups:
            table.add_row(f"{edge:.2f} ms", Text("█" * (-(-count * 16 // most)), "blue"),
                          f"{count:,}")
    totals = Table.grid(padding=(0, 2))
    totals.add_row("ms", "p50", "p99", "most", style="dim")
    for title, key in (("bin to velocity", "from_bin"), ("spike to velocity", "from_spike")):
        if key in scene.status:
            totals.add_row(title, *(f"{value:.2f}" for value in scene.status[key].values()))
    return Group(table, totals)


def _counters(scene: Scene) -> RenderableType:
    status = scene.status
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, count in {"steps": status.get("steps", 0), "spikes": status.get("spikes", 0),
                        **status.get("counts", {})}.items():
        table.add_row(name, f"{count:,}", style="" if count else "dim")
    return table
