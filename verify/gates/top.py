# SPDX-License-Identifier: Apache-2.0
"""The synthesized gates of a whole top, compared with golden."""

import itertools
from pathlib import Path

from spikewright.boards.board.platforms import BOARDS
from spikewright.boards.flow.toolchain import synthesize
from spikewright.golden.run import Answer
from spikewright.host.codec import (
    InfoAnswer,
    StepAnswer,
    decode_answer,
    encode_info,
    encode_load,
    load_tail,
    step_frames,
)
from spikewright.hw.params import link_params
from spikewright.hw.tokens import resets_of
from spikewright.network.recording import Recording
from spikewright.plan.frames import LOAD_MAX
from spikewright.plan.framing import FrameReader
from spikewright.plan.plan import Plan

from .simulate import GatesFault, simulate_gates

__all__ = ["BAUD", "gate_differences", "run_gates"]

# A board whose pins the bench knows. A fast line needs fewer clock cycles to simulate.
BOARD, BAUD = "icebreaker", 3_000_000


def run_gates(plan: Plan, model_hash: str, recording: Recording,
              folder: Path, *, board_name: str = BOARD, megahertz: float | None = None,
              baud: int = BAUD) -> tuple[InfoAnswer, list[StepAnswer]]:
    """Answers of the gates: INFO first, then one per step. The tools work in the empty ``folder``.

    Words that a host loads are loaded first.

    Raises
    ------
    GatesFault
        If the gates do not answer.
    """
    board, model = BOARDS[board_name], plan.model
    clock_hz, clock = board.clock(megahertz)
    table = plan.loaded_bytes
    frames = [encode_load(k // LOAD_MAX % 256, table[k:k + LOAD_MAX], restart=k == 0)
              for k in range(0, len(table), LOAD_MAX)]
    if plan.config.load == "model":
        frames.append(encode_load(len(frames) % 256,
                                  load_tail(table, bytes.fromhex(model_hash)[:8]), last=True))
    loads = len(frames)
    frames.append(encode_info(0))
    # A frame with the number of the frame before would count as repeated.
    numbers = itertools.cycle([*range(1, 256), 0])
    reset = resets_of(plan, recording)
    for t in range(recording.steps):
        rows = model.channel_row[recording.channel[recording.start[t]:recording.start[t + 1]]]
        frames += [frame for frame, _ in step_frames(
            lambda: next(numbers), rows[rows >= 0].tolist(), bool(reset[t]), model.rows)]
    link = link_params(plan, model_hash=model_hash, clock_hz=clock_hz, baud=baud)
    synthesize(board, plan, link, clock, folder)
    reader = FrameReader()
    data = simulate_gates(folder, b"".join(frames), baud, board.family)
    answers = [decode_answer(frame) for frame in reader.feed(data)][loads:]
    if reader.corrupt or not answers or not isinstance(answers[0], InfoAnswer):
        raise GatesFault(f"The gates fail: {reader.corrupt} frames are corrupt, {len(answers)} are "
                         "not")
    return answers[0], [step for step in answers[1:] if isinstance(step, StepAnswer)]


def gate_differences(expected: Answer, steps: list[StepAnswer]) -> list[str]:
    """One line for each field in which the gates differ from golden: the first difference."""
    wanted = {"outputs": [tuple(row) for row in expected.velocity_int.tolist()],
              "cycles": expected.cycles.tolist(), "saturated": expected.saturated.tolist()}
    lines = []
    if len(steps) != len(expected.cycles):
        lines.append(f"steps must be {len(expected.cycles)}, as golden has, not {len(steps)}")
    for field, values in wanted.items():
        wrong = [t for t, (step, value) in enumerate(zip(steps, values, strict=False))
                 if getattr(step, field) != value]
        if wrong:
            lines.append(f"{field} in step {wrong[0]} must be {values[wrong[0]]}, as golden has, "
                         f"not {getattr(steps[wrong[0]], field)} ({len(wrong)} of {len(steps)} "
                         "steps differ)")
    return lines
