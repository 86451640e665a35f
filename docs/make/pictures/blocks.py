# SPDX-License-Identifier: Apache-2.0
"""The block pictures of the docs: boxes and arrows on a grid, drawn as SVG files.

``python -m docs.make.pictures.blocks`` writes them all to docs/pictures. Each has a light
background of its own, so that it can be read on a dark page, too.
"""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from spikewright.command.parser import CommandParser, run_command

__all__ = ["PICTURES", "Picture", "draw", "write_pictures"]

FOLDER = Path(__file__).parents[2] / "pictures"

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 148, 58, 74, 44, 20
INK, FAINT, FILL, PORT, GROUND = "#1f2933", "#52606d", "#e3edf7", "#fdf0d9", "#fbfcfd"

# Kinds of boxes: a block of the hardware or a room, and what comes from outside or goes there.
BLOCK, OUTSIDE = "block", "outside"


@dataclass(kw_only=True)
class Picture:
    """Boxes by name, each at a column and a row, and the arrows between them.

    Parameters
    ----------
    boxes : dict of str to tuple
        Column, row, kind, then the lines of text.
    arrows : list of tuple of str
        From, to, label. ``<->`` as a fourth member draws both heads.
    """

    title: str
    boxes: dict[str, tuple] = field(default_factory=dict)
    arrows: list[tuple] = field(default_factory=list)


def _chain(title: str, *steps: tuple[str, ...]) -> Picture:
    """Boxes from left to right, one after another."""
    names = [str(k) for k in range(len(steps))]
    return Picture(title=title,
                   boxes={name: (k, 0, BLOCK, *lines)
                          for k, (name, lines) in enumerate(zip(names, steps, strict=True))},
                   arrows=[(a, b, "") for a, b in zip(names, names[1:], strict=False)])


def _rooms() -> Picture:
    """The rooms in their order, as a line that turns at the end of each row."""
    rooms = {"base": "errors, files, tools", "network": "floats, recordings",
             "record": "other programs", "model": "integers, folder",
             "quantize": "network to model",
             "plan": "layout, program", "golden": "the definition", "hw": "the accelerator",
             "sim": "compiled RTL, cocotb", "report": "scores, pages",
             "boards": "bitstream, explore", "host": "driver", "live": "streams, page",
             "train": "train, fine-tune",
             "verify": "ladder, gates", "spikewright": "API, commands"}
    names = list(rooms)
    boxes = {}
    for k, (name, text) in enumerate(rooms.items()):
        row, column = divmod(k, 5)
        boxes[name] = (4 - column if row % 2 else column, row, BLOCK, name, text)
    return Picture(title="The rooms: each imports only from rooms before it", boxes=boxes,
                   arrows=[(a, b, "") for a, b in zip(names, names[1:], strict=False)])


PICTURES = {
    "rooms": _rooms(),
    "flow": Picture(title="From a checkpoint to a decoded velocity", boxes={
        "train":    (0, 0, BLOCK, "train", "recording to network"),
        "network":  (1, 0, BLOCK, "network", "read, retime"),
        "quantize": (2, 0, BLOCK, "quantize", "round, prune"),
        "model":    (3, 0, BLOCK, "model", "the model folder"),
        "plan":     (3, 1, BLOCK, "plan", "layout, program"),
        "golden":   (2, 1, BLOCK, "golden", "the definition"),
        "hw":       (3, 2, BLOCK, "hw", "the accelerator"),
        "sim":      (2, 2, BLOCK, "sim", "compiled RTL, cocotb"),
        "boards":   (3, 3, BLOCK, "boards", "bitstream, report"),
        "host":     (2, 3, BLOCK, "host", "driver"),
        "verify":   (1, 2, BLOCK, "verify", "ladder, gates"),
        "out":      (1, 3, OUTSIDE, "velocity")}, arrows=[
        ("train", "network", "checkpoint"), ("network", "quantize", "floats"),
        ("quantize", "model", "integers"), ("model", "plan", ""), ("plan", "golden", ""),
        ("plan", "hw", ""), ("hw", "sim", "Verilog"), ("golden", "sim", "equal?", "<->"),
        ("hw", "boards", ""), ("boards", "host", "serial"), ("sim", "host", "virtual board"),
        ("sim", "verify", ""), ("host", "out", "")]),
    "core": Picture(title="The core", boxes={
        "tables":    (2, 0, BLOCK, "weight tables", "memories/tables.py"),
        "i":         (0, 1, OUTSIDE, "i: tokens"),
        "sequencer": (1, 1, BLOCK, "sequencer", "sequencer.py"),
        "rows":      (2, 1, BLOCK, "rows", "engines/lookup.py,", "engines/adder.py"),
        "currents":  (3, 1, BLOCK, "current memory", "memories/currents.py"),
        "spikes":    (1, 2, BLOCK, "spike log", "memories/spikes.py"),
        "neurons":   (2, 2, BLOCK, "neuron update", "parallel.py, serial.py", "or lanes.py"),
        "o":         (3, 2, OUTSIDE, "o: result")}, arrows=[
        ("i", "sequencer", ""), ("tables", "rows", "weights"), ("sequencer", "rows", "rows"),
        ("rows", "currents", "s", "<->"), ("sequencer", "spikes", "lists", "<->"),
        ("neurons", "spikes", "spikes"), ("sequencer", "neurons", "start"),
        ("neurons", "currents", "s", "<->"), ("neurons", "o", "outputs")]),
    "sequencer": Picture(title="A step of tinyRSNN, as the sequencer runs it", boxes={
        "a": (0, 0, BLOCK, "Add", "spikes of step t - 3"),
        "b": (1, 0, BLOCK, "Add", "events of the input"),
        "c": (2, 0, BLOCK, "Map", "hidden neurons"),
        "d": (3, 0, BLOCK, "Add", "spikes of step t"),
        "e": (4, 0, BLOCK, "Map", "outputs"),
        "f": (5, 0, OUTSIDE, "result", "until it is taken"),
        "t": (1, 1, OUTSIDE, "tokens"), "l": (0, 1, OUTSIDE, "spike log"),
        "r": (3, 1, OUTSIDE, "spike log"), "u": (2, 1, OUTSIDE, "neuron update")}, arrows=[
        ("a", "b", ""), ("b", "c", "STEP"), ("c", "d", "done"), ("d", "e", "empty"),
        ("e", "f", "done"), ("t", "b", "EVENT"), ("l", "a", "numbers"), ("r", "d", "numbers"),
        ("c", "u", "start")]),
    "rows": Picture(title="The stages of the row look-up and the row adder", boxes={
        "i": (0, 0, OUTSIDE, "i: a row"),
        "a": (1, 0, BLOCK, "a: ask", "word of the table"),
        "b": (2, 0, BLOCK, "b: read", "weights; read s"),
        "c": (3, 0, BLOCK, "c: add", "s + (w << shift)"),
        "d": (4, 0, BLOCK, "d: clamp", "and write s"),
        "t": (1, 1, OUTSIDE, "weight tables"), "s": (3, 1, OUTSIDE, "current memory")}, arrows=[
        ("i", "a", ""), ("a", "b", ""), ("b", "c", ""), ("c", "d", ""), ("a", "t", "address"),
        ("t", "b", "weights"), ("b", "s", "word"), ("s", "c", "s"), ("d", "s", "s")]),
    "neurons": _chain("The stages of the neuron pipeline (parallel multiplier)",
                      ("a: address", "m and B,", "then theta and A"), ("b: read", "neuron memory,",
                      "current"), ("c: operands", "m or s"), ("d: product", "B m or A s"),
                      ("e: sum", "rnd(B m) + s"), ("f: clamp", "write m, s;", "spike")),
    "lanes": _chain("The stages of the neuron units, one unit in each lane",
                    ("a: address", "m (or s to decay)"), ("b: read",), ("c: operands", "m and B"),
                    ("d: product", "read s"), ("e: rest of it", "who has fired"),
                    ("f: sum", "clamp, write,", "spikes")),
    "currents": Picture(title="The current memory", boxes={
        "rows":    (0, 0, OUTSIDE, "row adder"), "neurons": (0, 1, OUTSIDE, "neuron update"),
        "turn":    (1, 0, BLOCK, "take turns", "memories/currents.py"),
        "0":       (2, 0, BLOCK, "bank of lane 0", "words 0, 1, .."),
        "1":       (2, 1, BLOCK, "bank of lane 1", "words 0, 1, .."),
        "n":       (2, 2, BLOCK, "..", "one bank per lane")}, arrows=[
        ("rows", "turn", "", "<->"), ("neurons", "turn", "", "<->"), ("turn", "0", "", "<->"),
        ("turn", "1", "", "<->"), ("turn", "n", "", "<->")]),
    "spikes": Picture(title="The spike log", boxes={
        "n": (0, 0, OUTSIDE, "neuron update"),
        "l": (1, 0, BLOCK, "lists", "one per population", "and step"),
        "w": (2, 0, BLOCK, "walk", "neurons of a group"),
        "s": (3, 0, OUTSIDE, "sequencer"),
        "c": (1, 1, BLOCK, "counts", "entries of each list")}, arrows=[
        ("n", "l", "group"), ("l", "w", "group"), ("w", "s", "number"), ("n", "c", "+ 1"),
        ("c", "w", "more")]),
    "tables": Picture(title="Weight tables: dense, bitmap and rows", boxes={
        "d":  (0, 0, OUTSIDE, "dense", "address"),
        "dr": (1, 0, BLOCK, "words", "a weight per lane"),
        "dw": (3, 0, OUTSIDE, "weights"),
        "b":  (0, 1, OUTSIDE, "bitmap", "slice, row"),
        "bs": (1, 1, BLOCK, "slices, directory", "which lanes, from where"),
        "bp": (2, 1, BLOCK, "packed weights", "even and odd words"),
        "bw": (3, 1, OUTSIDE, "weights"),
        "r":  (0, 2, OUTSIDE, "rows", "address"),
        "rr": (1, 2, BLOCK, "words", "weight, state word"),
        "rw": (3, 2, OUTSIDE, "weights", "and state words")}, arrows=[
        ("d", "dr", ""), ("dr", "dw", "1 cycle"), ("b", "bs", ""), ("bs", "bp", ""),
        ("bp", "bw", "2 cycles"), ("r", "rr", ""), ("rr", "rw", "1 cycle")]),
    "link": Picture(title="The link", boxes={
        "rx":       (0, 0, OUTSIDE, "rx"), "tx": (0, 2, OUTSIDE, "tx"),
        "uart_rx":  (1, 0, BLOCK, "serial receiver", "link/uart.py"),
        "receiver": (2, 0, BLOCK, "receiver", "link/receiver.py"),
        "store":    (2, 1, BLOCK, "store", "two slots, status page"),
        "counters": (1, 1, BLOCK, "counters", "link/counters.py"),
        "walker":   (2, 2, BLOCK, "walker", "COBS, CRC, answers"),
        "uart_tx":  (1, 2, BLOCK, "serial sender", "link/uart.py"),
        "executor": (3, 2, BLOCK, "executor", "frame to tokens"),
        "loader":   (3, 1, BLOCK, "loader", "of weights, models"),
        "core":     (4, 2, OUTSIDE, "core", "tokens, results"),
        "load":     (4, 1, OUTSIDE, "core", "load")}, arrows=[
        ("rx", "uart_rx", ""), ("uart_rx", "receiver", "bytes"), ("receiver", "store", "frame"),
        ("store", "walker", "bytes", "<->"), ("counters", "store", "", "<->"),
        ("walker", "executor", "bytes", "<->"), ("executor", "core", "", "<->"),
        ("executor", "loader", "LOAD"), ("loader", "load", ""), ("walker", "uart_tx", "answer"),
        ("uart_tx", "tx", "")]),
}


def draw(picture: Picture) -> str:
    """``picture`` as SVG text."""
    place = {name: (MARGIN + box[0] * (WIDTH + GAP_X), MARGIN + box[1] * (HEIGHT + GAP_Y))
             for name, box in picture.boxes.items()}
    width = max(x for x, _ in place.values()) + WIDTH + MARGIN
    height = max(y for _, y in place.values()) + HEIGHT + MARGIN
    parts = [
        (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13" text-anchor="middle">'),
        f"<title>{escape(picture.title)}</title>",
        ('<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="{FAINT}"/>'
        "</marker></defs>"),
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>']
    for source, target, label, *both in picture.arrows:
        parts += _arrow(place[source], place[target], label, bool(both))
    for name, (_, _, kind, *lines) in picture.boxes.items():
        parts += _box(*place[name], kind, lines)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _box(x: int, y: int, kind: str, lines: list[str]) -> list[str]:
    fill, radius = (FILL, 4) if kind == BLOCK else (PORT, HEIGHT // 2)
    parts = [(f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="{radius}" '
             f'fill="{fill}" stroke="{FAINT}"/>')]
    for k, line in enumerate(lines):
        middle = y + HEIGHT / 2 + 4.5 + 15 * (k - (len(lines) - 1) / 2)
        style = 'font-weight="600"' if k == 0 else 'font-size="11"'
        parts.append(f'<text x="{x + WIDTH / 2:g}" y="{middle:g}" fill="{INK}" {style}>'
                     f"{escape(line)}</text>")
    return parts


def _arrow(source: tuple[int, int], target: tuple[int, int], label: str, both: bool) -> list[str]:
    (x, y), (u, v) = source, target
    right, down = (u > x) - (u < x), (v > y) - (v < y)
    if not down:                                        # side to side
        y = v = y + HEIGHT // 2
        x, u = (x + WIDTH, u) if right > 0 else (x, u + WIDTH)
    elif not right:                                     # top to bottom
        x = u = x + WIDTH // 2
        y, v = (y + HEIGHT, v) if down > 0 else (y, v + HEIGHT)
    else:                                               # corner to corner
        x, u = (x + WIDTH - 24, u + 24) if right > 0 else (x + 24, u + WIDTH - 24)
        y, v = (y + HEIGHT, v) if down > 0 else (y, v + HEIGHT)
    start = ' marker-start="url(#head)"' if both else ""
    parts = [(f'<path d="M{x} {y}L{u} {v}" fill="none" stroke="{FAINT}" stroke-width="1.4" '
             f'marker-end="url(#head)"{start}/>')]
    if label:
        middle, above = (x + u) / 2, (y + v) / 2
        anchor = "" if not down else ' text-anchor="start"'
        middle, above = (middle, above - 6) if not down else (middle + 7, above + 4)
        parts.append(f'<text x="{middle:g}" y="{above:g}" fill="{FAINT}" font-size="11"{anchor}>'
                     f"{escape(label)}</text>")
    return parts


def write_pictures(folder: Path = FOLDER) -> list[Path]:
    """Draw every picture into ``folder``."""
    files = [folder / f"{name}.svg" for name in PICTURES]
    for file, picture in zip(files, PICTURES.values(), strict=True):
        file.write_text(draw(picture), encoding="utf-8")
    return files


def _main() -> None:
    CommandParser(prog="python -m docs.make.pictures.blocks",
                  description="Write the block pictures of the "
                  "docs to docs/pictures.").parse_args()
    for file in write_pictures():
        print(f"-> {file}")


if __name__ == "__main__":
    run_command(_main)
