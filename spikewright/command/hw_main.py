# SPDX-License-Identifier: Apache-2.0
"""Command line: ``python -m hw --help``."""

from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.hw.decoder import BAUD, link_params
from spikewright.hw.export.design import NAMES, export_verilog
from spikewright.hw.params import CoreParams
from spikewright.model.artefact import load_artefact

from .options import add_core_options, chosen_config
from .parser import CommandParser, baud, megahertz, run_command

__all__ = ["main"]

CLOCK_MHZ = 24.0


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m hw", description="The hardware of a model.")
    commands = parser.add_subparsers(dest="command", required=True)
    verilog = commands.add_parser("verilog", help="one Verilog file for designs of your own, with "
                                  "an example of its use and a FuseSoC core file")
    verilog.add_argument("model", type=Path, help="folder made by 'python -m quantize build'")
    verilog.add_argument("-o", "--output", type=Path, required=True, metavar="DIR",
                         help="folder of the files")
    add_core_options(verilog)
    verilog.add_argument("--name", help="of the module (default: spikewright_core, or "
                         "spikewright_decoder with the link)")
    verilog.add_argument("--with-link", action="store_true",
                         help="the whole decoder, from serial line to serial line")
    verilog.add_argument("--freq", type=megahertz, metavar="MHZ", default=CLOCK_MHZ,
                         help="clock that the link will have (default: %(default)g)")
    verilog.add_argument("--baud", type=baud, default=BAUD, metavar="N",
                         help="bits a second on the serial line (default: %(default)s)")
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command that ``argv``, or the command line, gives."""
    arguments = _parser().parse_args(argv)
    model, manifest = load_artefact(arguments.model)
    try:
        params = CoreParams(model=model, config=chosen_config(arguments))
        link = link_params(params, model_hash=manifest["model_hash"], baud=arguments.baud,
                           clock_hz=round(1e6 * arguments.freq)) if arguments.with_link else None
    except ValueError as error:
        raise InputError(str(error)) from error
    name = NAMES[arguments.with_link] if arguments.name is None else arguments.name
    files = export_verilog(arguments.output, params, link, manifest, name=name)
    print(f"-> {arguments.output}: {', '.join(files)}")


if __name__ == "__main__":
    run_command(main)
