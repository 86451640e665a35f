# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m boards --help``."""

from argparse import Namespace
from pathlib import Path

from docs.make.kept import rebuild
from docs.make.tables import KEPT, read_reports, update
from spikewright.base.errors import InputError
from spikewright.boards.board.platforms import BOARDS, find_board
from spikewright.boards.flow.build import build
from spikewright.boards.flow.facts import load_facts
from spikewright.hw.decoder import BAUD
from spikewright.hw.params import CoreParams
from spikewright.model.artefact import load_artefact
from spikewright.network.recording import read_recording
from spikewright.report.page import summary
from spikewright.verify.gates.core import check_gates

from .explore_main import add_explore, run_explore
from .options import add_core_options, chosen_config
from .parser import CommandParser, baud, end_at_mismatches, megahertz, run_command, whole_number
from .quantize_main import main as quantize

__all__ = ["main"]


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m boards", description="From a model to the bitstream of "
                           "a board, with a report.")
    commands = parser.add_subparsers(dest="command", required=True)

    build = commands.add_parser("build", help="model to bitstream and report")
    build.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    build.add_argument("--board", required=True, help="as 'python -m boards list' names it")
    build.add_argument("-o", "--output", type=Path, required=True,
                       help="folder of the bitstream, report.html, report.json and logs")
    add_core_options(build)
    build.add_argument("--freq", type=megahertz, metavar="MHZ",
                       help="clock of the decoder (default: the board's)")
    build.add_argument("--baud", type=baud, default=BAUD, metavar="N",
                       help="bits a second on the serial line (default: %(default)s)")
    build.add_argument("--seed", type=whole_number(1, 1 << 30), metavar="N", default=1,
                       help="of the placement (default: %(default)s)")
    build.add_argument("--recording", type=Path, metavar="RECORDING.npz",
                       help="spikes that the report measures on (default: simulated)")

    add_explore(commands)

    show = commands.add_parser("show", help="a report as text")
    show.add_argument("report", type=Path, help="folder made by 'python -m boards build'")
    commands.add_parser("list", help="the boards")
    gates = commands.add_parser("gates", help="compare the synthesized core with golden",
                                description="The gates of the core as a board gets them, compiled. "
                                "Exit status 1: they do not do what golden does.")
    gates.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    gates.add_argument("recording", type=Path, metavar="RECORDING.npz", help="spikes to decode")
    gates.add_argument("--board", default="icebreaker", help="one with an iCE40 "
                       "(default: %(default)s)")
    gates.add_argument("--steps", type=whole_number(1, 1 << 27), default=2000, metavar="N",
                       help="of the recording (default: %(default)s)")
    add_core_options(gates)

    kept = commands.add_parser("kept", help="build again what the docs keep the reports of",
                               description="Builds of docs/builds.json; takes minutes.")
    kept.add_argument("names", nargs="*", metavar="NAME", help="of a build (default: all)")
    table = commands.add_parser("table", help="tables of the docs, from the kept reports")
    table.add_argument("pages", type=Path, nargs="+", help="Markdown files to bring up to date")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    arguments = _parser().parse_args(argv)
    {"build": _build, "explore": run_explore, "show": _show, "list": _list, "gates": _gates,
     "kept": _kept, "table": _table}[arguments.command](arguments)


def _gates(arguments: Namespace) -> None:
    board = find_board(arguments.board)
    model, _ = load_artefact(arguments.model)
    recording = read_recording(arguments.recording).head(arguments.steps)
    recording.check_fits(model.channels, model.dt)
    try:
        params = CoreParams(model=model, config=chosen_config(arguments, **board.instead))
    except ValueError as error:
        raise InputError(str(error)) from error
    end_at_mismatches(check_gates(params, board, recording, Path("build/gates")))
    print(f"{recording.steps} steps: outputs, spikes, cycles and latency of the gates equal golden "
          f"({board.name}, {params.lanes} lanes)")


def _kept(arguments: Namespace) -> None:
    rebuild(arguments.names, (quantize, main), work=Path("build/kept"), kept=KEPT)


def _table(arguments: Namespace) -> None:
    reports = read_reports()
    for page in arguments.pages:
        print(f"{page}: {'made anew' if update(page, reports) else 'up to date'}")


def _build(arguments: Namespace) -> None:
    board = find_board(arguments.board)
    facts = build(arguments.model, board, arguments.output,
                  config=chosen_config(arguments, **board.instead), megahertz=arguments.freq,
                  baud=arguments.baud, seed=arguments.seed, recording=arguments.recording)
    print(summary(facts))
    print(f"-> {arguments.output}/report.html, and {board.family.bitstream} for "
          f"'{board.program}'")


def _show(arguments: Namespace) -> None:
    print(summary(load_facts(arguments.report)))


def _list(arguments: Namespace) -> None:
    for board in BOARDS.values():
        print(f"{board.name:17} {board.title}, {board.device}: {board.sizes}; "
              f"{board.clock_hz / 1e6:g} MHz")
        print(f"{'':17} link: {board.link}; load with '{board.program}'")
        if board.lacks:
            print(f"{'':17} lacks {'; '.join(board.lacks)}")


if __name__ == "__main__":
    run_command(main)
