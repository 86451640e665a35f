# SPDX-License-Identifier: Apache-2.0
"""``spikewright explore``: build many configurations of the core, and compare them."""

import os
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.files import check_folder, real_path
from spikewright.base.tools import command_of

from ..options import add_baud, add_board, add_core_options, add_freq, add_model, chosen_config
from ..parser import whole_number

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Place and route many configurations of the core, each with several "
                          "random seeds. Print the area, clock frequency and clock cycles of each, "
                          "and mark those that no other configuration beats.")
    add_model(parser)
    add_board(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="DIR",
                        help="folder to write: explore.html, explore.json, pictures, and finished "
                             "results. A second run uses these and continues (default: "
                             "explore-BOARD beside the model)")
    add_core_options(parser)
    parser.add_argument("--grid", nargs="+", default=[], metavar="NAME=VALUE,..",
                        help="values to combine, such as lanes=1,2,4 tables=dense,bitmap. The "
                             "word 'presets' adds all presets (default: only the configuration "
                             "of the core options)")
    parser.add_argument("--seeds", type=whole_number(1, 1000), default=1, metavar="N",
                        help="runs of place and route per configuration, with the random seeds 1 "
                             "to N (default: %(default)s)")
    parser.add_argument("--best", action="store_true",
                        help="also build the bitstream of the best seed, in DIR/best; needs a "
                             "single configuration")
    add_freq(parser, "clock that place and route aims at")
    add_baud(parser)
    parser.add_argument("--recording", type=Path, metavar="RECORDING.npz",
                        help="recording on which clock cycles are counted (default: simulated "
                             "spikes)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=whole_number(1, 1024), metavar="N",
                       default=os.cpu_count() or 1,
                       help="tools that run at a time (default: one per processor, %(default)s)")
    where.add_argument("--scheduler", metavar="ADDRESS",
                       help="address of a Dask cluster for the work, such as tcp://host:8786 "
                       "(default: this computer)")


def run(arguments: Namespace) -> None:
    """Explore, write the results, and print them."""
    from spikewright.boards.board.platforms import find_board
    from spikewright.boards.explore.explore import explore, read_grid
    from spikewright.boards.explore.jobs import Store
    from spikewright.boards.explore.pareto import table, write_exploration
    from spikewright.boards.explore.pool import workers
    from spikewright.boards.flow.room import staged
    from spikewright.model.saved import Model
    board = find_board(arguments.board)
    model = Model.load(arguments.model).integers
    base = chosen_config(arguments, model, **board.instead)
    configs = read_grid(base, board, arguments.grid)
    if not arguments.staging and not any(word.startswith("staging=") for word in arguments.grid):
        configs = [staged(board, model, replace(config, staging="none"))[0]
                   if config.load == "model" else config for config in configs]
    if arguments.best and len(configs) != 1:
        raise InputError(f"Option --best must have one configuration, not {len(configs)}")
    output = arguments.output or real_path(arguments.model).parent / f"explore-{board.name}"
    check_folder(output, "explore.json")
    if not arguments.scheduler:
        for tool in ("yosys", board.family.place):
            command_of(tool)
    try:
        with workers(arguments.jobs, arguments.scheduler) as executor:
            facts = explore(arguments.model, board, configs, seeds=arguments.seeds,
                            megahertz=arguments.freq, baud=arguments.baud,
                            recording=arguments.recording, store=Store(output), executor=executor)
    except KeyboardInterrupt as stop:
        stop.args = (f"finished results are in {output}; the same command continues from there",)
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
