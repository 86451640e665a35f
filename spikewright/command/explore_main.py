# SPDX-License-Identifier: Apache-2.0
"""The command ``python -m boards explore``."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.tools import command_of
from spikewright.boards.board.platforms import find_board
from spikewright.boards.explore.explore import explore, read_grid
from spikewright.boards.explore.jobs import Store
from spikewright.boards.explore.pareto import table, write_exploration
from spikewright.boards.explore.pool import workers
from spikewright.boards.flow.build import build
from spikewright.hw.decoder import BAUD
from spikewright.plan.config import CoreConfig

from .options import add_core_options, chosen_config
from .parser import baud, megahertz, whole_number

__all__ = ["add_explore", "run_explore"]


def add_explore(commands) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser("explore", help="many configurations and seeds side by side: "
                                 "area, clock and cycles of each, and which of them nothing beats")
    parser.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    parser.add_argument("--board", required=True, help="as 'python -m boards list' names it")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR",
                        help="folder of explore.html, explore.json, the pictures, and of all that "
                             "was done, which is not done again (default: explore-BOARD beside "
                             "the model)")
    add_core_options(parser)
    parser.add_argument("--grid", nargs="+", default=[], metavar="NAME=VALUE,..",
                        help="all combinations of these, as lanes=1,2,4 tables=dense,bitmap; the "
                             "word 'presets' adds all presets (default: one configuration)")
    parser.add_argument("--seeds", type=whole_number(1, 1000), default=1, metavar="N",
                        help="placements of each, with the seeds 1 to N (default: %(default)s)")
    parser.add_argument("--best", action="store_true",
                        help="build the bitstream of the best seed as well, in DIR/best")
    parser.add_argument("--freq", type=megahertz, metavar="MHZ",
                        help="clock that placement aims at (default: the board's)")
    parser.add_argument("--baud", type=baud, default=BAUD, metavar="N",
                        help="bits a second on the serial line (default: %(default)s)")
    parser.add_argument("--recording", type=Path, metavar="RECORDING.npz",
                        help="spikes that cycles are counted on (default: simulated)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=whole_number(1, 1024), metavar="N",
                       default=os.cpu_count() or 1,
                       help="tools that run at a time (default: the cores, %(default)s)")
    where.add_argument("--scheduler", metavar="ADDRESS",
                       help="of a Dask cluster that does the work, as tcp://host:8786")


def run_explore(arguments: Namespace) -> None:
    """Explore, write the results, and print them."""
    board = find_board(arguments.board)
    base = chosen_config(arguments, **board.instead)
    configs = read_grid(base, board, arguments.grid)
    if arguments.best and len(configs) != 1:
        raise InputError(f"Option --best must have one configuration, not {len(configs)}")
    output = arguments.output or arguments.model.resolve().parent / f"explore-{board.name}"
    if not arguments.scheduler:
        for tool in ("yosys", board.family.place):
            command_of(tool)
    try:
        with workers(arguments.jobs, arguments.scheduler) as executor:
            facts = explore(arguments.model, board, configs, seeds=arguments.seeds,
                            megahertz=arguments.freq, baud=arguments.baud,
                            recording=arguments.recording, store=Store(output), executor=executor)
    except KeyboardInterrupt:
        print(f"stopped: what was done is in {output}, and the same command goes on from there",
              file=sys.stderr)
        raise
    write_exploration(facts, output)
    print(table(facts))
    print(f"-> {output}/explore.html")
    if arguments.best:
        _build_best(arguments, board, configs[0], facts["points"][0], output / "best")


def _build_best(arguments: Namespace, board, config: CoreConfig, point: dict, output: Path) -> None:
    if "best" not in point:
        raise InputError("No seed gave a design to build")
    seed = point["best"]["seed"]
    build(arguments.model, board, output, config=config, megahertz=arguments.freq,
          baud=arguments.baud, seed=seed, recording=arguments.recording)
    print(f"-> {output}: the bitstream of seed {seed}")
