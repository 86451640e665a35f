# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m host --help``."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import serial

from spikewright.base.arrays import write_arrays
from spikewright.base.errors import InputError
from spikewright.host.decode import decode
from spikewright.host.driver import Decoder, NoAnswerError
from spikewright.host.picture import SUFFIXES, draw
from spikewright.host.serial_port import SerialPort
from spikewright.hw.decoder import BAUD, link_params
from spikewright.hw.params import CoreParams
from spikewright.model.artefact import load_artefact, load_network
from spikewright.network.source import read_source
from spikewright.plan.images import loaded_words
from spikewright.sim.virtual import VirtualBoard

from .options import add_core_options, chosen_config
from .parser import CommandParser, baud, megahertz, output_file, run_command

__all__ = ["lateness", "main"]


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m host", description="Decode spikes on a board, or on "
                           "the virtual board: the RTL of the whole decoder, compiled.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="decode a recording", description="Decode a recording. "
                              "What says how a core is built, and --freq, is of the virtual board: "
                              "a board has its own from its bitstream.")
    run.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    run.add_argument("recording", type=Path, help=".npz with bin, channel, n_bins, n_channels, dt")
    run.add_argument("-o", "--output", type=output_file, required=True, help="answers, .npz")
    run.add_argument("--port", default="virtual",
                     help="serial port of the board, or 'virtual' (default: %(default)s)")
    run.add_argument("--baud", type=baud, default=BAUD, metavar="N",
                     help="bits per second, as the board was built (default: %(default)s)")
    run.add_argument("--freq", type=megahertz, default=24.0, metavar="MHZ",
                     help="clock of the virtual board (default: %(default)g)")
    add_core_options(run)
    run.add_argument("--live", action="store_true", help="send a step every dt, as in an "
                     "experiment, and count the answers that come late")
    run.add_argument("--picture", type=output_file, metavar="FILE",
                     help=f"draw what was decoded: {', '.join(SUFFIXES)}")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    arguments = _parser().parse_args(argv)
    if arguments.picture and arguments.picture.suffix not in SUFFIXES:
        raise InputError(f"Picture must end in {', '.join(SUFFIXES)}, not "
                         f"{arguments.picture.name!r}")
    model, manifest = load_artefact(arguments.model)
    source = read_source(arguments.recording, load_network(arguments.model))
    recording = source.recording
    port = _open(arguments, model, manifest)
    try:
        decoder = Decoder(port, manifest["model_hash"], model.output_scale,
                          weights=lambda lanes: loaded_words(model, lanes))
        decoder.connect()
        answer = decode(decoder, model, recording, live=arguments.live)
        info = decoder.read_info()
    except (NoAnswerError, serial.SerialException, ValueError) as error:
        raise InputError(str(error)) from error
    finally:
        port.close()
    write_arrays(arguments.output, vars(answer))
    if arguments.picture:
        where = "the virtual board" if arguments.port == "virtual" else arguments.port
        kind = " (synthetic)" if source.synthetic else ""
        draw(arguments.picture, answer.velocity, recording, model.lead_steps,
             f"{recording.name}{kind} decoded on {where} by model {manifest['model_hash'][:8]}")
    print(f"{recording.steps} steps, {answer.cycles.mean():.0f} cycles a step (most "
          f"{answer.cycles.max()}), round trip {1e3 * np.median(answer.round_trip):.2f} ms")
    if arguments.live:
        print(lateness(answer.delay, recording.dt))
    print(f"link: {info.corrupt} corrupt, {info.repeated} repeated, {info.foreign} foreign, "
          f"{info.overrun} overrun, {info.dropped} dropped, {decoder.resent} sent again")
    print(f"-> {arguments.output}" + (f", {arguments.picture}" if arguments.picture else ""))


def lateness(delay: np.ndarray, dt: float) -> str:
    """How many answers came more than a step after they were due, from ``delay`` in seconds."""
    late = int((delay > dt).sum())
    return (f"live: {late or 'none'} of {len(delay)} steps answered more than {1e3 * dt:g} ms "
            f"after they were due; the latest {1e3 * delay.max():.2f} ms")


def _open(arguments: Namespace, model, manifest) -> SerialPort | VirtualBoard:
    if arguments.port != "virtual":
        try:
            return SerialPort(arguments.port, arguments.baud)
        except serial.SerialException as error:
            raise InputError(f"Port must be a serial port that opens, or 'virtual', not "
                             f"{arguments.port!r}: {error}") from error
    config = chosen_config(arguments)
    try:
        core = CoreParams(model=model, config=config)
        link = link_params(core, model_hash=manifest["model_hash"],
                           clock_hz=round(1e6 * arguments.freq), baud=arguments.baud)
    except ValueError as error:
        raise InputError(str(error)) from error
    return VirtualBoard(core, link, Path("build/sim"))


if __name__ == "__main__":
    run_command(main)
