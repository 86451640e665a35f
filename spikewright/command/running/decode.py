# SPDX-License-Identifier: Apache-2.0
"""``spikewright decode``: decode a recording on a board, or on the virtual board."""

import sys
from argparse import ArgumentParser, Namespace

import numpy as np

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
from ..parser import output_file

__all__ = ["add", "lateness", "run"]

WIDER = "calibrate the model with a recording like this one, or give its states more bits"


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Decode a recording on a board, or on the virtual board: the RTL of the "
                          "whole decoder, compiled. The options of the core and --freq are those "
                          "of the virtual board: a board has its own from its bitstream.")
    add_model(parser)
    add_recording(parser)
    add_answer(parser)
    parser.add_argument("--port", default="virtual",
                        help="serial port of the board, or 'virtual' (default: %(default)s)")
    add_baud(parser)
    add_freq(parser, "clock of the virtual board", CLOCK_MHZ)
    add_core_options(parser)
    parser.add_argument("--live", action="store_true", help="send a step every dt, as in an "
                        "experiment, and count the answers that come late")
    parser.add_argument("--picture", type=output_file, metavar="FILE",
                        help="draw what was decoded: .png, .svg or .pdf")


def run(arguments: Namespace) -> None:
    """Decode, write the answers and the picture, and say what the link counted."""
    from spikewright.base.arrays import write_arrays
    from spikewright.base.errors import InputError
    from spikewright.host.decode import decode
    from spikewright.host.decoder import connected
    from spikewright.host.picture import SUFFIXES, draw
    from spikewright.model.saved import Model
    from spikewright.network.source import read_source
    if arguments.picture and arguments.picture.suffix not in SUFFIXES:
        raise InputError(f"Picture must end in {', '.join(SUFFIXES)}, not "
                         f"{arguments.picture.name!r}")
    model = Model.load(arguments.model)
    integers, source = model.integers, read_source(arguments.recording, model.network)
    recording = source.recording
    with connected(arguments.port, model, chosen_config(arguments), baud=arguments.baud,
                   megahertz=arguments.freq, cache="build/sim") as driver:
        answer = decode(driver, integers, recording, live=arguments.live)
        info = driver.read_info()
    write_arrays(arguments.output, vars(answer))
    if arguments.picture:
        where = "the virtual board" if arguments.port == "virtual" else arguments.port
        kind = " (synthetic)" if source.synthetic else ""
        draw(arguments.picture, answer.velocity, recording, integers.lead_steps,
             f"{recording.name}{kind} decoded on {where} by model {model.hash[:8]}")
    print(f"{recording.steps} steps, {answer.cycles.mean():.0f} cycles a step (most "
          f"{answer.cycles.max()}), round trip {1e3 * np.median(answer.round_trip):.2f} ms")
    for count, what in (
            (answer.saturated.sum(), f"have a saturated state: {WIDER}"),
            (answer.dropped.sum(), "have lost events: the device does not have their rows")):
        if count:
            print(f"warning: {count} of {recording.steps} steps {what}", file=sys.stderr)
    if arguments.live:
        print(lateness(answer.delay, recording.dt))
    print(f"link: {info.corrupt} corrupt, {info.repeated} repeated, {info.foreign} foreign, "
          f"{info.overrun} overrun, {info.dropped} dropped, {driver.resent} sent again")
    print(f"-> {arguments.output}" + (f", {arguments.picture}" if arguments.picture else ""))


def lateness(delay: np.ndarray, dt: float) -> str:
    """How many answers came more than a step after they were due, from ``delay`` in seconds."""
    late = int((delay > dt).sum())
    return (f"live: {late or 'none'} of {len(delay)} steps answered more than {1e3 * dt:g} ms "
            f"after they were due; the latest {1e3 * delay.max():.2f} ms")
