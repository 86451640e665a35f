# SPDX-License-Identifier: Apache-2.0
"""``spikewright check``: compare the simulated hardware with the golden model."""

from argparse import ArgumentParser, Namespace

from spikewright.base.cache import cache_folder
from spikewright.base.errors import CoreFault

from ..options import add_build, add_core_options, add_model, add_recording, chosen_config
from ..parser import end_at_mismatches, whole_number

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Run the simulated hardware and the golden model over a recording, and "
                          "compare all values and clock cycles. The golden model defines them. The "
                          "exit status is 1 if the hardware differs.")
    add_model(parser)
    add_recording(parser)
    add_core_options(parser)
    parser.add_argument("--steps", type=whole_number(1, 1 << 27), metavar="N",
                        help="time steps of the recording to run (default: all; 2000 with --gates)")
    parser.add_argument("--gates", action="store_true",
                        help="simulate the synthesized gates of a board's core, not its source")
    parser.add_argument("--board", default="icebreaker", help="with --gates: board with an "
                        "iCE40 chip (default: %(default)s)")
    add_build(parser)


def run(arguments: Namespace) -> None:
    """Compare; print what was equal, or end with exit status 1."""
    from spikewright.boards.board.platforms import find_board
    from spikewright.golden.compare import differences
    from spikewright.golden.run import run_golden
    from spikewright.plan.plan import Plan
    from spikewright.sim.compiled import run_compiled
    from spikewright.verify.gates.core import check_gates

    from ..inputs import read_inputs
    board = find_board(arguments.board) if arguments.gates else None
    model, recording = read_inputs(arguments.model, arguments.recording)
    steps = arguments.steps or (2000 if arguments.gates else recording.steps)
    recording = recording.head(steps)
    plan = Plan(model=model, config=chosen_config(arguments, model,
                                                   **(board.instead if board else {})))
    lanes, cache = plan.config.lanes, cache_folder(arguments.build)
    if board:
        end_at_mismatches(check_gates(plan, board, recording, cache))
        print(f"{recording.steps} steps: outputs, spikes, cycles and latency of the gates equal "
              f"golden ({board.name}, {lanes} lanes)")
        return
    golden = run_golden(model, recording, plan.config)
    try:
        end_at_mismatches(differences(golden, run_compiled(plan, recording, cache)))
    except CoreFault as fault:
        end_at_mismatches([str(fault)])
    print(f"{recording.steps} steps: {golden.velocity_int.size} outputs, "
          f"{int(golden.spikes.sum())} spikes, {int(golden.cycles.sum())} cycles and every "
          f"latency equal golden ({lanes} lanes)")
