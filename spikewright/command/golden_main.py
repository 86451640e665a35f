# SPDX-License-Identifier: Apache-2.0
"""Command line of the golden model."""

from pathlib import Path

from spikewright.golden.run import run_golden, write_answer
from spikewright.model.artefact import load_artefact
from spikewright.network.recording import read_recording

from .options import add_core_options, chosen_config
from .parser import CommandParser, output_file, run_command


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    parser = CommandParser(prog="python -m golden", description="The integer model, values and "
                           "cycles: what the hardware must answer.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="decode a recording")
    run.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    run.add_argument("recording", type=Path, help=".npz with bin, channel, n_bins, n_channels, dt")
    run.add_argument("-o", "--output", type=output_file, required=True, help="answer, .npz")
    add_core_options(run)
    arguments = parser.parse_args(argv)

    model, _ = load_artefact(arguments.model)
    recording = read_recording(arguments.recording)
    answer = run_golden(model, recording, chosen_config(arguments))
    write_answer(arguments.output, answer)
    print(f"{recording.steps} steps, {int(answer.spikes.sum())} spikes, "
          f"{answer.cycles.mean():.0f} cycles a step (most {answer.cycles.max()}) "
          f"-> {arguments.output}")


if __name__ == "__main__":
    run_command(main)
