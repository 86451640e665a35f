# SPDX-License-Identifier: Apache-2.0
"""The subcommands, and the parser that finds them."""

import sys
from argparse import Action
from importlib import import_module

from spikewright.base.version import commit, version

from .parser import CommandParser, check_paths, run_command

__all__ = ["COMMANDS", "main", "parser", "run_words"]

# Module and title of each. The module has the functions `add`, which adds the options to a parser,
# and `run`.
COMMANDS = {
    "record":   ("training.record",   "make a recording from the file of another program"),
    "read":     ("model.read",        "print what a network file contains"),
    "quantize": ("model.quantize",    "round a network to integers: checkpoint to model"),
    "show":     ("model.show",        "print a model, the report of a build, or a ladder"),
    "run":      ("running.run",       "decode a recording on this computer"),
    "check":    ("running.check",     "compare the simulated hardware with the golden model"),
    "bench":    ("running.bench",     "run the cocotb test bench on the generated Verilog"),
    "build":    ("hardware.build",    "make the bitstream and the report of a model for a board"),
    "explore":  ("hardware.explore",  "build many configurations of the core, and compare them"),
    "boards":   ("hardware.boards",   "list the supported boards"),
    "decode":   ("running.decode",    "decode a recording on a board, or on the virtual board"),
    "load":     ("running.load",      "load another model into a running board"),
    "latency":  ("running.latency",   "measure a board: last spike of a step to its velocity"),
    "virtual":  ("running.virtual",   "serve a virtual board at a port, for any serial program"),
    "live":     ("running.live",      "decode spikes as they come, from and to other programs"),
    "serve":    ("running.serve",     "the same, with a page that shows it"),
    "export":   ("hardware.export",   "write the weights of a model as memory images"),
    "export-nir": ("model.export_nir", "write a network as a NIR graph"),
    "verilog":  ("hardware.verilog",  "write the core as Verilog, for your own designs"),
    "ladder":   ("model.ladder",      "measure what fewer bits cost: fidelity, decoding, memory"),
    "neurobench": ("running.neurobench", "score a model with the metrics of NeuroBench's package"),
    "train":    ("training.train",    "train a network on a recording"),
    "finetune": ("training.finetune", "round a network, then train its integers on a recording"),
    "recalibrate": ("training.recalibrate", "train a model on a new day, for the same board"),
    "held-out": ("training.held_out", "compare exact, rounded and tuned networks on unseen data"),
    "reaches":  ("training.reaches",  "make the default network and recording again"),
    "make":     ("make",              "run a target of the Makefile"),
}


class _Version(Action):
    """Print the version, and the commit if it is known."""

    def __call__(self, parser, namespace, values, option_string=None):
        told = f" (commit {commit()})" if commit() else ""
        print(f"{parser.prog} {version()}{told}")
        parser.exit()


class _Completion(Action):
    """Print the completion script of a shell."""

    def __call__(self, parser, namespace, values, option_string=None):
        import shtab
        print(shtab.complete(_parser(*COMMANDS), values))
        parser.exit()


def main(argv: list[str] | None = None) -> None:
    """Run the command. Bad input ends with one line and exit status 2, without a traceback."""
    run_command(lambda: run_words(sys.argv[1:] if argv is None else argv))


def run_words(words: list[str]) -> None:
    """Run the subcommand in ``words``."""
    arguments = parser(words).parse_args(words)
    check_paths(arguments)
    _module(arguments.command).run(arguments)


def parser(words: list[str]) -> CommandParser:
    """Return the parser for ``words``.

    Only the subcommand in ``words`` gets its options, because the options of all subcommands would
    need slow imports.
    """
    return _parser(*[word for word in words if not word.startswith("-")][:1])


def _parser(*names: str) -> CommandParser:
    top = CommandParser(prog="spikewright", description="A trained spiking decoder becomes an "
                        "FPGA, bit for bit and cycle for cycle.")
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and the commit")
    top.add_argument("--print-completion", action=_Completion, choices=("bash", "zsh"),
                     metavar="SHELL", help="print the completion script of bash or zsh")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, title) in COMMANDS.items():
        sub = commands.add_parser(name, help=title, description=f"{title[0].upper()}{title[1:]}.")
        if name in names:
            _module(name).add(sub)
    return top


def _module(name: str):
    return import_module(f".{COMMANDS[name][0]}", __package__)
