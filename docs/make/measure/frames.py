# SPDX-License-Identifier: Apache-2.0
"""What other forms of the link would save, and cost.

``python -m docs.make.measure.frames RECORDING..`` prints the tables of docs/link.md.
"""

import tempfile
from pathlib import Path

import numpy as np

from spikewright.api.models import quantize, read
from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.room import block_rams, fitting_config
from spikewright.command.parser import CommandParser, run_command
from spikewright.golden.run import run_golden, stimulus_of
from spikewright.host.codec import StepAnswer, decode_answer, encode_step
from spikewright.host.decoder import piece_bytes
from spikewright.host.driver import Driver
from spikewright.hw.params import link_params
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.network.recording import Recording, read_recording
from spikewright.plan.config import BAUD, CoreConfig
from spikewright.plan.frames import (
    LOAD_MAX,
    row_bytes,
    step_answer_bytes,
    step_request_bytes,
)
from spikewright.plan.framing import FrameReader
from spikewright.plan.plan import Plan
from spikewright.report.markdown import markdown
from spikewright.sim.virtual import VirtualBoard

__all__ = ["forms", "seconds_of_a_step", "table_of_forms", "table_of_loads", "table_of_staging"]

ROOT = Path(__file__).parents[3]
STEPS, CLOCK_HZ = 2000, 24_000_000


def forms(recording: Recording) -> dict[str, np.ndarray]:
    """Bytes of the requests of each step on the line, by the form of the events.

    ``rows`` has a row for each event, as the link has it. ``counts`` has each row once, with a byte
    for its count. ``bitmap`` has a bit for each row, then a row for each further event.
    """
    rows, size = recording.channels, row_bytes(recording.channels)
    events = np.diff(recording.start)
    steps = np.repeat(np.arange(recording.steps), events)
    distinct = np.bincount(np.unique(steps * rows + recording.channel) // rows,
                           minlength=recording.steps)
    bytes_of = {"rows": size * events, "counts": (size + 1) * distinct,
                "bitmap": -(-rows // 8) + size * (events - distinct)}
    empty = step_request_bytes(rows, 0)
    return {name: data + empty * np.maximum(-(-data // LOAD_MAX), 1)
            for name, data in bytes_of.items()}


def table_of_forms(recordings: list[Recording]) -> str:
    """A row for each recording: mean bytes of a step, requests and answer, in each form."""
    rows: list[tuple[str, ...]] = [
        ("recording", "events a step", "row by row", "counts", "bitmap", "shortest of the three",
         "saved of request and answer")]
    for recording in recordings:
        taken = forms(recording)
        best = np.minimum.reduce(list(taken.values())).mean()
        now = taken["rows"].mean()
        rows.append((
            recording.name, f"{np.diff(recording.start).mean():.1f}",
            *(f"{taken[name].mean():.1f}" for name in ("rows", "counts", "bitmap")),
            f"{best:.1f}", f"{100 * (now - best) / (now + step_answer_bytes(2)):.1f} %"))
    return markdown(rows)


def seconds_of_a_step(model: Model, recording: Recording, ahead: int, folder: Path) -> float:
    """Mean seconds of a step on a virtual board, with so many requests under way."""
    integers = model.integers
    plan = Plan(model=integers, config=CoreConfig())
    board = VirtualBoard(plan, link_params(plan, model_hash=model.hash, clock_hz=CLOCK_HZ), folder)
    stimulus, reader = stimulus_of(integers, recording), FrameReader()
    rows = [stimulus.row[begin:end].tolist()
            for begin, end in zip(stimulus.start[:-1], stimulus.start[1:], strict=True)]
    outputs, sent = [], 0
    while len(outputs) < len(rows):
        while sent < min(len(outputs) + ahead, len(rows)):
            board.write(encode_step(sent % 256, rows[sent], sent == 0))
            sent += 1
        for content in reader.feed(board.read(1)):
            answer = decode_answer(content)
            assert isinstance(answer, StepAnswer)
            outputs.append(answer.outputs)
    assert np.array_equal(outputs, run_golden(integers, recording, plan.config).velocity_int)
    seconds = board.now / len(rows)
    board.close()
    return seconds


def table_of_staging(model: IntegerModel) -> str:
    """A row for each chip and memory of the weights: where a model that is loaded waits."""
    rows: list[tuple[str, ...]] = [
        ("`--load model` on", "a model that is loaded waits in", "block RAMs in all",
         "large RAMs in all")]
    for name, memory in (("icebreaker", "block"), ("icebreaker", "large"),
                         ("ice40_hx8k_b_evn", "block"), ("ulx3s_25f", "block")):
        board = BOARDS[name]
        config, _ = fitting_config(board, model, "balanced",
                                   {"load": "model", "weight_memory": memory})
        plan = Plan(model=model, config=config)
        large, block = plan.large_rams, block_rams(plan, board)
        waits = (f"{large['staging']} large RAMs" if large["staging"] else
                 f"{block['core']} block RAMs" if block["core"] else "none: loaded in place")
        rows.append((f"{board.title}, weight memory: {memory}", waits,
                     f"{sum(block.values())} of {board.resources['ebr']}",
                     f"{sum(large.values())} of {board.resources.get('spram', 0)}"))
    return markdown(rows)


def table_of_loads(model: Model, folder: Path) -> str:
    """Times of a load on the virtual board: in place, staged, and staged between live steps."""
    rows: list[tuple[str, ...]] = [
        ("default network, loaded", "pieces", "line and board", "last piece", "longest piece")]
    for title, staging, size in (
            ("in place", "none", LOAD_MAX), ("staged", "block", LOAD_MAX),
            ("staged, in pieces of 1 ms", "block", piece_bytes(0.001, BAUD))):
        plan = Plan(model=model.integers, config=CoreConfig(load="model", staging=staging))
        board = VirtualBoard(plan, link_params(plan, model_hash=model.hash, clock_hz=CLOCK_HZ),
                             folder)
        driver = Driver(board, model.hash, model.integers.outputs)
        driver.connect()
        times = [board.now]
        times += [board.now for _ in driver.loading(plan.loaded_bytes, model.hash, size)]
        times.append(board.now)
        pieces = np.diff(times)
        rows.append((title, f"{len(pieces)}", f"{pieces.sum():.3f} s", f"{1e3 * pieces[-1]:.2f} ms",
                     f"{1e3 * pieces.max():.2f} ms"))
        board.close()
    return markdown(rows)


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.measure.frames", description=__doc__)
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING.npz")
    recordings = [read_recording(path) for path in parser.parse_args().recordings]
    print(table_of_forms(recordings))
    model = quantize(read(ROOT / "data" / "default.safetensors"), name="default")
    recording = read_recording(ROOT / "data" / "default_recording.npz").head(STEPS)
    rows: list[tuple[str, ...]] = [("requests under way", "a step of the default network")]
    with tempfile.TemporaryDirectory() as folder:
        for ahead in (1, 2):
            seconds = seconds_of_a_step(model, recording, ahead, Path(folder))
            rows.append((str(ahead), f"{1e3 * seconds:.3f} ms"))
        loads = table_of_loads(model, Path(folder))
    print(markdown(rows))
    print(loads)
    print(table_of_staging(model.integers))


if __name__ == "__main__":
    run_command(_main)
