# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m ladder --help``; ``python -m quantize ladder`` is its ``run``."""

import json
import os
import shutil
from argparse import ArgumentTypeError, Namespace
from pathlib import Path

from docs.make.tables import update
from spikewright.base.errors import InputError
from spikewright.base.files import written_file, written_folder
from spikewright.network.checkpoint import checkpoint_hash, read_checkpoint
from spikewright.network.network import Network
from spikewright.network.recording import SIMULATED_SEED, read_recording, simulated_recording
from spikewright.network.retime import retime
from spikewright.network.source import Source, read_source
from spikewright.quantize.compile import printable
from spikewright.report.score import MOST_STEPS
from spikewright.verify.ladder.page import page
from spikewright.verify.ladder.picture import picture
from spikewright.verify.ladder.run import climb_all, failures
from spikewright.verify.ladder.rungs import DEFAULT_RUNGS, Checks, Climb, rung_name
from spikewright.verify.ladder.table import KEPT, kept_tables, load_ladder, text

from .options import add_core_options, chosen_config
from .parser import CommandParser, end_at_mismatches, output_file, run_command, whole_number

__all__ = ["main"]


def _rungs(words: str) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(rung_name(word) for word in words.split(",")))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m ladder", description="What each step costs, from double "
                           "precision down to the gates.")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser(
        "run", prog="python -m quantize ladder", help="climb it: 'python -m quantize ladder'",
        description="Measure networks in ever fewer bits: fidelity, decoding, memory, operations. "
        "Exit status 1: the hardware does not do what golden does.")
    run.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT",
                     help=".safetensors or .pth")
    run.add_argument("--recording", type=Path, nargs="+", default=[], metavar="RECORDING.npz",
                     help="what to measure on: one for all checkpoints, or one for each, in order; "
                     "several with one checkpoint (default: simulated spikes)")
    run.add_argument("--calibrate", type=Path, nargs="+", default=[], metavar="RECORDING.npz",
                     help="spikes to quantize with: one for all, or one for each (default: "
                     "simulated, others than those that are measured on)")
    run.add_argument("--rungs", type=_rungs, default=DEFAULT_RUNGS, metavar="LIST",
                     help="fp64, fp32, fp16, weight bits from 2 to 16, or those of "
                     "input/recurrent/output weights as 4/8/8, with commas (default: "
                     f"{','.join(DEFAULT_RUNGS)})")
    run.add_argument("--no-rtl", dest="rtl", action="store_false",
                     help="do not run the compiled RTL of the integer rungs")
    run.add_argument("--netlist", type=whole_number(1, 1 << 20), default=0, metavar="STEPS",
                     help="also simulate the synthesized gates of the integer rungs, for the first "
                     "steps: minutes, several more where large memory is loaded before; needs "
                     "Icarus Verilog")
    add_core_options(run)
    run.add_argument("--jobs", type=whole_number(1, 1024), metavar="N",
                     default=len(os.sched_getaffinity(0)),
                     help="processes at once (default: one for each processor)")
    run.add_argument("--build", type=Path, default=Checks.cache, metavar="DIR",
                     help="keeps what was compiled (default: %(default)s)")
    run.add_argument("-o", "--output", type=Path, metavar="DIR",
                     help="folder of ladder.json, ladder.png and ladder.html (default: only print)")

    show = commands.add_parser("show", help="the tables of a ladder.json")
    show.add_argument("ladder", type=Path, metavar="LADDER.json")
    draw = commands.add_parser("draw", help="the picture of a ladder.json")
    draw.add_argument("ladder", type=Path, metavar="LADDER.json")
    draw.add_argument("-o", "--output", type=output_file, required=True, metavar="PICTURE.png")
    table = commands.add_parser("table", help="tables of the docs, from the kept ladders")
    table.add_argument("pages", type=Path, nargs="+", help="Markdown files to bring up to date")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    arguments = _parser().parse_args(argv)
    {"run": _run, "show": _show, "draw": _draw, "table": _table}[arguments.command](arguments)


def _run(arguments: Namespace) -> None:
    if arguments.netlist and shutil.which("iverilog") is None:
        raise InputError("Tool iverilog must be on PATH for --netlist, not missing: install Icarus "
                         "Verilog (Debian: apt install iverilog)")
    config = chosen_config(arguments)
    climbs = _climbs(arguments)
    checks = Checks(rtl=arguments.rtl, gates=arguments.netlist, config=config,
                    cache=arguments.build)
    if arguments.output is None:
        ladder = climb_all(climbs, arguments.rungs, checks, arguments.jobs)
        print(text(ladder))
    else:
        with written_folder(arguments.output, "ladder.json") as folder:
            ladder = climb_all(climbs, arguments.rungs, checks, arguments.jobs)
            drawing = picture(ladder)
            (folder / "ladder.json").write_text(json.dumps(ladder, indent=1, allow_nan=False)
                                                + "\n")
            (folder / "ladder.png").write_bytes(drawing.png)
            (folder / "ladder.html").write_text(page(ladder, drawing.svg))
        print(text(ladder))
        print(f"-> {arguments.output}/ladder.html")
    end_at_mismatches(failures(ladder))


def _climbs(arguments: Namespace) -> list[Climb]:
    """The networks to measure, each with its spikes."""
    paths: list[Path] = arguments.checkpoints
    given: list[Path] = arguments.recording
    if len(paths) == 1 and len(given) > 1:
        names = [f"{_names(paths)[0]} on {printable(path.stem)}" for path in given]
        paths = paths * len(given)
    else:
        names = _names(paths)
    recordings = _one_each(given, len(paths), "recording")
    calibrations = _one_each(arguments.calibrate, len(paths), "calibrate")
    climbs = []
    for name, path, recording, calibrate in zip(names, paths, recordings, calibrations,
                                                strict=True):
        network = read_checkpoint(path)
        calibration = None
        if calibrate:
            calibration = read_recording(calibrate)
            calibration.check_fits(network.channels, network.dt)
        climbs.append(Climb(
            name=name, network=retime(network), source=_source(recording, network),
            calibration=calibration, checkpoint={"file": printable(path.name),
                                                 "sha256": checkpoint_hash(path)}))
    return climbs


def _source(path: Path | None, network: Network) -> Source:
    """Spikes to measure on, as many as are scored; simulated ones are not the quantizer's own."""
    if path is None:
        recording = simulated_recording(network, seed=SIMULATED_SEED + 1)
        return Source(recording=recording, simulated=True, synthetic=True)
    source = read_source(path, network)
    return Source(**{**vars(source), "recording": source.recording.head(MOST_STEPS)})


def _one_each(paths: list[Path], count: int, option: str) -> list[Path] | list[None]:
    if not paths:
        return [None] * count
    if len(paths) not in (1, count):
        raise InputError(f"Recordings of --{option} must be one, or one for each of the {count} "
                         f"networks, not {len(paths)}")
    return paths * (count // len(paths))


def _names(paths: list[Path]) -> list[str]:
    """The file's name without suffix, with its folder's where names would be alike."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.resolve().parent.name}/{path.stem}" for path in paths]
    return [printable(name)[:100] for name in names]


def _show(arguments: Namespace) -> None:
    print(text(load_ladder(arguments.ladder)))


def _draw(arguments: Namespace) -> None:
    drawing = picture(load_ladder(arguments.ladder))
    with written_file(arguments.output) as temporary:
        temporary.write_bytes(drawing.png)


def _table(arguments: Namespace) -> None:
    ladders = {path.stem: load_ladder(path) for path in sorted(KEPT.glob("*.json"))}
    for path in arguments.pages:
        stale = update(path, ladders, kept_tables())
        print(f"{path}: {'made anew' if stale else 'up to date'}")


if __name__ == "__main__":
    run_command(main)
