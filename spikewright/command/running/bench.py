# SPDX-License-Identifier: Apache-2.0
"""``spikewright bench``: run the cocotb test bench on the generated Verilog."""

from argparse import ArgumentParser, Namespace

from spikewright.base.cache import cache_folder
from spikewright.base.errors import InputError

from ..options import add_build, add_core_options, add_model, add_recording, chosen_config
from ..parser import end_at_mismatches, output_file, whole_number

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    from spikewright.sim.cocotb_runner import SIMULATORS, WAVES
    parser.description = ("Run the cocotb test bench on the generated Verilog, once without and "
                          "once with stalls (random waiting times at its ports). The exit status "
                          "is 1 if the Verilog differs from the golden model, which defines every "
                          "value.")
    add_model(parser)
    add_recording(parser)
    add_core_options(parser)
    parser.add_argument("--simulator", choices=SIMULATORS, default="verilator",
                        help="Verilog simulator (default: %(default)s)")
    parser.add_argument("--steps", type=whole_number(1, 1 << 27), default=500, metavar="N",
                        help="time steps of the recording to run (default: %(default)s)")
    parser.add_argument("--waves", type=output_file(*WAVES.values()), metavar="FILE",
                        help="file to write: the waves of all signals, .vcd with verilator or "
                             ".fst with icarus (default: none)")
    parser.add_argument("--seed", type=whole_number(0, 1 << 30), metavar="N", default=1,
                        help="random seed of the stalls (default: %(default)s)")
    add_build(parser)


def run(arguments: Namespace) -> None:
    """Run the test bench; print what was equal, or end with exit status 1."""
    from spikewright.plan.plan import Plan
    from spikewright.sim.cocotb_runner import WAVES, run_bench

    from ..inputs import read_inputs
    model, recording = read_inputs(arguments.model, arguments.recording)
    plan = Plan(model=model, config=chosen_config(arguments, model))
    ending = WAVES[arguments.simulator]
    if arguments.waves and arguments.waves.suffix != ending:
        raise InputError(f"Waves must end in {ending} with {arguments.simulator}, not "
                         f"{str(arguments.waves)!r}")
    recording = recording.head(arguments.steps)
    end_at_mismatches(run_bench(plan, recording, simulator=arguments.simulator,
                                folder=cache_folder(arguments.build), waves=arguments.waves,
                                seed=arguments.seed))
    print(f"{recording.steps} steps, without and with stalls, equal golden "
          f"({arguments.simulator}, {plan.config.lanes} lanes)")
    if arguments.waves:
        print(f"-> {arguments.waves}")
