# SPDX-License-Identifier: Apache-2.0
"""``spikewright decode``: decode a recording on a board, or on the virtual board."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.plan.config import CLOCK_MHZ

from ..options import (
    add_answer,
    add_baud,
    add_core_options,
    add_freq,
    add_model,
    add_recording,
    chosen_config,
)
from ..parser import output_file, whole_number

if TYPE_CHECKING:
    from spikewright.host.codec import InfoAnswer
    from spikewright.host.decode import Decoded
    from spikewright.model.saved import Model
    from spikewright.network.recording import Recording

__all__ = ["add", "lateness", "run"]

# Steps in a file of waves.
WAVE_STEPS = range(10)

WIDER = "calibrate the model with a recording like this one, or give its states more bits"


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    from spikewright.base.files import PICTURES
    parser.description = ("Decode a recording on a board, or on the virtual board, which is a "
                          "simulation of the whole decoder. --freq and the core options apply only "
                          "to the virtual board. A board has those of its bitstream.")
    add_model(parser)
    add_recording(parser)
    add_answer(parser)
    parser.add_argument("--port", default="virtual",
                        help="serial port of the board, or 'virtual' (default: %(default)s)")
    add_baud(parser)
    add_freq(parser, "clock of the virtual board", CLOCK_MHZ)
    add_core_options(parser)
    parser.add_argument("--steps", type=whole_number(1, 1 << 27), metavar="N",
                        help="time steps of the recording to decode (default: all)")
    parser.add_argument("--live", action="store_true", help="send a time step every dt seconds, as "
                        "in an experiment, and count late answers; a late step is sent at once")
    parser.add_argument("--waves", type=output_file(".vcd"), metavar="FILE.vcd",
                        help="file to write: what all signals of the virtual board do in the steps "
                        "of --wave-steps (default: none)")
    parser.add_argument("--wave-steps", type=_window, metavar="A:B",
                        help="with --waves: steps A to B - 1 (default: 0:10)")
    parser.add_argument("--picture", type=output_file(*PICTURES), metavar="FILE",
                        help="file to write: a picture of the decoded velocity, .png, .svg or .pdf "
                        "(default: none)")


def run(arguments: Namespace) -> None:
    """Decode, write the result and the picture, and print the counters of the link."""
    from spikewright.base.arrays import write_arrays
    from spikewright.host.picture import draw
    from spikewright.model.saved import Model
    from spikewright.network.source import read_source
    from spikewright.report.score import MOST_STEPS, compare, decoding, foreign, outputs_of
    model = Model.load(arguments.model)
    integers, source = model.integers, read_source(arguments.recording, model.network)
    recording = source.recording.head(arguments.steps or source.recording.steps)
    window = _wave_steps(arguments, recording.steps)
    with written_file(arguments.waves) if arguments.waves else nullcontext() as waves:
        answer, info, resent = _decoded(arguments, model, recording, waves, window)
    write_arrays(arguments.output, vars(answer))
    if arguments.picture:
        where = "the virtual board" if arguments.port == "virtual" else arguments.port
        kind = " (synthetic)" if source.synthetic else ""
        draw(arguments.picture, answer.velocity, recording, integers.lead_steps,
             f"{recording.name}{kind} decoded on {where} by model {model.hash[:8]}")
    took = "to simulate a step" if arguments.port == "virtual" else "from request to answer"
    print(f"{recording.steps} steps, {answer.cycles.mean():.0f} cycles a step (most "
          f"{answer.cycles.max()}), {1e3 * np.median(answer.round_trip):.2f} ms {took} (median)")
    if recording.velocity is not None:
        head = recording.head(MOST_STEPS)
        results = outputs_of(model.network, head, ("fp32",))
        # Spikes do not leave a board, so that only the outputs are compared.
        results["integers"] = answer.velocity[:head.steps], results["fp32"][1]
        scored = compare(results, head, lead_steps=integers.lead_steps, dt=integers.dt)
        print(f"decoding: {decoding(scored)}")
        if text := foreign(scored):
            print(f"warning: {text}", file=sys.stderr)
    for count, what in (
            (answer.saturated.sum(), f"have a saturated state: {WIDER}"),
            (answer.dropped.sum(), "have lost events: the device does not have their rows")):
        if count:
            print(f"warning: {count} of {recording.steps} steps {what}", file=sys.stderr)
    if arguments.live:
        print(lateness(answer.delay, recording.dt))
    print(f"link: {info.corrupt} corrupt, {info.repeated} repeated, {info.foreign} foreign, "
          f"{info.overrun} overrun, {info.dropped} dropped, {resent} sent again")
    written = [arguments.output, arguments.picture, arguments.waves]
    print(f"-> {', '.join(str(path) for path in written if path)}")


def _wave_steps(arguments: Namespace, steps: int) -> range:
    window = arguments.wave_steps or WAVE_STEPS
    if arguments.wave_steps and not arguments.waves:
        raise InputError("Option --wave-steps must come with --waves, not without it")
    if arguments.waves and arguments.port != "virtual":
        raise InputError(f"Option --waves must come with --port virtual, not with "
                         f"{arguments.port}")
    if arguments.waves and window.stop > steps:
        raise InputError(f"--wave-steps must be within the {steps} steps that are decoded, not "
                         f"{window.start}:{window.stop}")
    return window


def _decoded(arguments: Namespace, model: "Model", recording: "Recording",
             waves: Path | None, window: range) -> tuple["Decoded", "InfoAnswer", int]:
    """The answers, the counters of the device, and how many requests were sent again."""
    from spikewright.host.decode import decode
    from spikewright.host.decoder import connected, driven, virtual_board
    options = {"baud": arguments.baud, "megahertz": arguments.freq}
    config, before = chosen_config(arguments, model.integers), None
    if waves is None:
        device = connected(arguments.port, model, config, **options)
    else:
        board = virtual_board(model, config, waves=True, **options)
        device = driven(board, model)

        def before(step: int) -> None:
            if step in (window.start, window.stop):
                board.record(waves if step == window.start else None)
    with device as driver:
        answer = decode(driver, model.integers, recording, live=arguments.live, before=before)
        if waves and window.stop == recording.steps:
            board.record(None)
        return answer, driver.read_info(), driver.resent


def _window(text: str) -> range:
    first, colon, last = text.partition(":")
    if colon and first.isdecimal() and last.isdecimal() and int(first) < int(last):
        return range(int(first), int(last))
    raise ArgumentTypeError(f"must be A:B, two step numbers of which B is larger, not {text!r}")


def lateness(delay: np.ndarray, dt: float) -> str:
    """Say how many answers were more than one step late; ``delay`` is in seconds.

    The step after such an answer is sent late, so the device is behind.
    """
    late = delay > dt
    told = (f"live: {int(late.sum()) or 'none'} of {len(delay)} steps answered more than "
            f"{1e3 * dt:g} ms after they were due; the latest {1e3 * delay.max():.2f} ms")
    if not late.any():
        return told
    runs = np.diff(np.flatnonzero(np.diff(late, prepend=False, append=False)))[::2]
    return f"{told}; behind for at most {runs.max()} steps in a row"
