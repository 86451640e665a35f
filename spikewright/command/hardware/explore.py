# SPDX-License-Identifier: Apache-2.0
"""``spikewright explore``: many configurations and seeds side by side."""

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.tools import command_of

from ..options import add_baud, add_board, add_core_options, add_freq, add_model, chosen_config
from ..parser import whole_number

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Build many configurations and seeds side by side: area, clock and "
                          "cycles of each, and which of them nothing beats.")
    add_model(parser)
    add_board(parser)
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
    add_freq(parser, "clock that placement aims at")
    add_baud(parser)
    parser.add_argument("--recording", type=Path, metavar="RECORDING.npz",
                        help="spikes that cycles are counted on (default: simulated)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=whole_number(1, 1024), metavar="N",
                       default=os.cpu_count() or 1,
                       help="tools that run at a time (default: the cores, %(default)s)")
    where.add_argument("--scheduler", metavar="ADDRESS",
                       help="of a Dask cluster that does the work, as tcp://host:8786")


def run(arguments: Namespace) -> None:
    """Explore, write the results, and print them."""
    from spikewright.boards.board.platforms import find_board
    from spikewright.boards.explore.explore import explore, read_grid
    from spikewright.boards.explore.jobs import Store
    from spikewright.boards.explore.pareto import table, write_exploration
    from spikewright.boards.explore.pool import workers
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
        _build_best(arguments, facts["points"][0], output / "best")


def _build_best(arguments: Namespace, point: dict, output: Path) -> None:
    from spikewright import api
    if "best" not in point:
        raise InputError("No seed gave a design to build")
    seed = point["best"]["seed"]
    api.build(api.load(arguments.model), board=arguments.board, out=output,
              megahertz=arguments.freq, baud=arguments.baud, seed=seed,
              recording=arguments.recording, **point["config"])
    print(f"-> {output}: the bitstream of seed {seed}")
