# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m quantize --help``."""

import sys
from argparse import Namespace
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.model.artefact import load_artefact, save_artefact
from spikewright.model.summary import summary
from spikewright.network.recording import read_recording, simulated_recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.export import export_rom
from spikewright.quantize.compile import build_model
from spikewright.quantize.rules import MOST_TERMS, STATES, Rules

from .costs import cost_rows
from .options import add_width_options, chosen_projections, chosen_widths
from .parser import CommandParser, run_command, whole_number

__all__ = ["main"]


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m quantize", description="From a trained checkpoint to "
                           "an integer model, and to memory images.")
    commands = parser.add_subparsers(dest="command", required=True)

    build = commands.add_parser("build", help="checkpoint to model")
    build.add_argument("checkpoint", type=Path, help=".safetensors or .pth")
    build.add_argument("-o", "--output", type=Path, required=True, help="folder of the model")
    build.add_argument("--name", help="of the model (default: as the checkpoint)")
    build.add_argument("--calibrate", type=Path, metavar="RECORDING.npz",
                       help="spikes to scale the states by (default: simulated)")
    add_width_options(build)
    build.add_argument("--states", choices=STATES, default=Rules.states, help="widths of currents "
                       "and membranes: as given, or as wide as a proof for every input asks for "
                       "(default: %(default)s)")
    build.add_argument("--events-per-channel", type=whole_number(1, 255), metavar="N",
                       default=Rules.events_per_channel, help="spikes of a channel in a step that "
                       "the proof allows for, 1 to 255 (default: %(default)s)")
    build.add_argument("--decay-terms", type=whole_number(1, MOST_TERMS), metavar="N",
                       help="make each decay a sum of at most N signed powers of two, 1 to 4 "
                       "(default: any number)")

    export = commands.add_parser("export", help="model to .npz, .mem, .svh and .h")
    export.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    export.add_argument("-o", "--output", type=Path, required=True, help="folder of the images")
    export.add_argument("--lanes", type=whole_number(1, 64), metavar="N",
                        default=CoreConfig().lanes, help="weights side by side in a word, 1 to 64 "
                        "(default: %(default)s)")

    show = commands.add_parser("show", help="what is in a model")
    show.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    # Only for the list of commands: `main` hands it on before.
    commands.add_parser("ladder", help="what fewer bits cost: fidelity, decoding, memory",
                        add_help=False)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["ladder"]:
        # The ladder stands at the other end of the pipeline and imports from here: this package
        # may only know of it once the command is asked for.
        from .ladder_main import main as ladder
        ladder(["run", *words[1:]])
        return
    arguments = _parser().parse_args(words)
    {"build": _build, "export": _export, "show": _show}[arguments.command](arguments)


def _build(arguments: Namespace) -> None:
    try:
        widths = chosen_widths(arguments)
        rules = Rules(states=arguments.states, events_per_channel=arguments.events_per_channel,
                      decay_terms=arguments.decay_terms)
        recording = read_recording(arguments.calibrate) if arguments.calibrate else None
        model, network, facts = build_model(arguments.checkpoint, name=arguments.name,
                                            widths=widths, recording=recording, rules=rules,
                                            projection_bits=chosen_projections(arguments))
    except ValueError as error:
        raise InputError(str(error)) from error
    # Golden defines what the integers do, and imports from here: this package may only know of it
    # once a model is there.
    from spikewright.golden.check import changed_behaviour
    facts["warnings"] += changed_behaviour(model, network,
                                           recording or simulated_recording(network))
    manifest = save_artefact(arguments.output, model, network, facts)
    print(summary({**manifest, "warnings": []}, cost_rows(model)))
    print(f"-> {arguments.output}")
    for warning in facts["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)


def _export(arguments: Namespace) -> None:
    model, manifest = load_artefact(arguments.model)
    index = export_rom(arguments.output, model, manifest["model_hash"], arguments.lanes)
    for name, text in index["files"].items():
        print(f"{name:12} {text}")
    print(f"-> {arguments.output}")


def _show(arguments: Namespace) -> None:
    model, manifest = load_artefact(arguments.model)
    print(summary(manifest, cost_rows(model)))


if __name__ == "__main__":
    run_command(main)
