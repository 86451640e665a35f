# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m sim --help``."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.golden.compare import differences
from spikewright.golden.run import run_golden, write_answer
from spikewright.hw.params import CoreParams
from spikewright.model.artefact import load_artefact
from spikewright.network.recording import Recording, read_recording
from spikewright.sim.cocotb_runner import SIMULATORS, WAVES, run_bench
from spikewright.sim.compiled import CoreFault, run_compiled

from .options import add_core_options, chosen_config
from .parser import CommandParser, end_at_mismatches, output_file, run_command, whole_number

__all__ = ["main"]


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m sim", description="Simulate the RTL of a model. "
                           "Exit status 1: it does not do what golden does.")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="decode a recording in compiled RTL")
    _common(run)
    run.add_argument("-o", "--output", type=output_file, required=True,
                     help="answer, .npz, as 'python -m golden run' writes it")

    check = commands.add_parser("check", help="compare compiled RTL with golden: values and cycles")
    _common(check)

    bench = commands.add_parser("cocotb", help="run the testbench on the generated Verilog")
    _common(bench)
    bench.add_argument("--simulator", choices=SIMULATORS, default="verilator",
                       help="(default: %(default)s)")
    bench.add_argument("--steps", type=whole_number(1, 1 << 27), default=500, metavar="N",
                       help="of the recording, run twice: without and with stalls "
                            "(default: %(default)s)")
    bench.add_argument("--waves", type=output_file, metavar="FILE",
                       help="write the waves of all signals: .vcd (verilator) or .fst (icarus)")
    bench.add_argument("--seed", type=whole_number(0, 1 << 30), metavar="N", default=1,
                       help="of the stalls (default: %(default)s)")
    return parser


def _common(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    parser.add_argument("recording", type=Path,
                        help=".npz with bin, channel, n_bins, n_channels, dt")
    add_core_options(parser)
    parser.add_argument("--build", type=Path, default=Path("build/sim"), metavar="DIR",
                        help="keeps what was compiled (default: %(default)s)")


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    arguments = _parser().parse_args(argv)
    model, _ = load_artefact(arguments.model)
    recording = read_recording(arguments.recording)
    recording.check_fits(model.channels, model.dt)
    config = chosen_config(arguments)
    try:
        params = CoreParams(model=model, config=config)
    except ValueError as error:
        raise InputError(str(error)) from error
    command = {"run": _run, "check": _check, "cocotb": _cocotb}[arguments.command]
    try:
        failures = command(arguments, params, recording)
    except CoreFault as fault:
        failures = [str(fault)]
    end_at_mismatches(failures)


def _run(arguments: Namespace, params: CoreParams, recording: Recording) -> list[str]:
    answer = run_compiled(params, recording, arguments.build)
    write_answer(arguments.output, answer)
    print(f"{recording.steps} steps, {int(answer.spikes.sum())} spikes, "
          f"{answer.cycles.mean():.0f} cycles a step (most {answer.cycles.max()}) "
          f"-> {arguments.output}")
    return []


def _check(arguments: Namespace, params: CoreParams, recording: Recording) -> list[str]:
    golden = run_golden(params.model, recording, params.config)
    failures = differences(golden, run_compiled(params, recording, arguments.build))
    if not failures:
        print(f"{recording.steps} steps: {golden.velocity_int.size} outputs, "
              f"{int(golden.spikes.sum())} spikes, {int(golden.cycles.sum())} cycles and every "
              f"latency equal golden ({params.lanes} lanes)")
    return failures


def _cocotb(arguments: Namespace, params: CoreParams, recording: Recording) -> list[str]:
    ending = WAVES[arguments.simulator]
    if arguments.waves and arguments.waves.suffix != ending:
        raise InputError(f"Waves must end in {ending} with {arguments.simulator}, not "
                         f"{str(arguments.waves)!r}")
    recording = recording.head(arguments.steps)
    failures = run_bench(params, recording, simulator=arguments.simulator, folder=arguments.build,
                         waves=arguments.waves, seed=arguments.seed)
    if not failures:
        print(f"{recording.steps} steps, without and with stalls, equal golden "
              f"({arguments.simulator}, {params.lanes} lanes)")
        if arguments.waves:
            print(f"-> {arguments.waves}")
    return failures


if __name__ == "__main__":
    run_command(main)
