# SPDX-License-Identifier: Apache-2.0
"""The subcommands, and the parser that finds them."""

import sys
from argparse import Action
from importlib import import_module

from spikewright.base.version import commit, version

from .parser import CommandParser, run_command

__all__ = ["COMMANDS", "main", "parser", "run_words"]

# Each is a file of this package with `add`, which takes its parser, and `run`.
COMMANDS = {
    "read":     "what is in a network file",
    "quantize": "checkpoint to model",
    "show":     "a model, the report of a build, or a ladder, as text",
    "run":      "decode a recording",
    "check":    "compare compiled RTL, or gates, with golden: values and cycles",
    "bench":    "run the cocotb testbench on the generated Verilog",
    "build":    "model to bitstream and report",
    "explore":  "many configurations and seeds side by side",
    "boards":   "list the boards",
    "decode":   "decode a recording on a board, or on the virtual board",
    "export":   "write the weight ROMs of a model",
    "verilog":  "write the core as Verilog, for designs of your own",
    "ladder":   "what fewer bits cost: fidelity, decoding, memory",
    "train":    "train a network on a recording",
    "finetune": "checkpoint to model, its integers trained on a recording",
    "held-out": "what integers cost on a recording's last part, over several seeds",
    "reaches":  "make the default network and recording again, from simulated reaches",
    "make":     "what the Makefile calls",
}


class _Version(Action):
    """Print the version, and the commit where there is one."""

    def __call__(self, parser, namespace, values, option_string=None):
        told = f" (commit {commit()})" if commit() else ""
        print(f"{parser.prog} {version()}{told}")
        parser.exit()


class _Completion(Action):
    """Print what a shell completes the command with."""

    def __call__(self, parser, namespace, values, option_string=None):
        import shtab
        print(shtab.complete(_parser(*COMMANDS), values))
        parser.exit()


def main(argv: list[str] | None = None) -> None:
    """The command: bad input ends in one line and exit status 2, never a traceback."""
    run_command(lambda: run_words(sys.argv[1:] if argv is None else argv))


def run_words(words: list[str]) -> None:
    """Run the subcommand that ``words`` give."""
    arguments = parser(words).parse_args(words)
    _module(arguments.command).run(arguments)


def parser(words: list[str]) -> CommandParser:
    """The parser for ``words``.

    Only the subcommand that they name has its options: those of all others would take the time to
    import what these need.
    """
    return _parser(*[word for word in words if not word.startswith("-")][:1])


def _parser(*names: str) -> CommandParser:
    top = CommandParser(prog="spikewright", description="A trained spiking decoder becomes an "
                        "FPGA, bit for bit and cycle for cycle.")
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and the commit")
    top.add_argument("--print-completion", action=_Completion, choices=("bash", "zsh"),
                     metavar="SHELL", help="print what bash or zsh completes the command with")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, title in COMMANDS.items():
        sub = commands.add_parser(name, help=title, description=f"{title[0].upper()}{title[1:]}.")
        if name in names:
            _module(name).add(sub)
    return top


def _module(name: str):
    return import_module(f".{name.replace('-', '_')}", __package__)
