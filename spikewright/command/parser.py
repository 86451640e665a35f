# SPDX-License-Identifier: Apache-2.0
"""The parser of the command line, types of arguments, and the exit on bad input."""

import argparse
import contextlib
import io
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from spikewright.base.errors import InputError, did_you_mean, system_error
from spikewright.base.files import check_apart, check_input, check_output

__all__ = ["CommandParser", "baud", "check_paths", "end_at_mismatches", "ended_by_signal",
           "megahertz", "output_file", "run_command", "whole_number"]

# Options that name what a command writes. The folder of compiled code is kept, and the link of a
# virtual board may be an old one to a device. Any other path of a command is an input.
OUTPUTS = ("output", "picture", "waves")
KEPT = ("build", "link")


class CommandParser(argparse.ArgumentParser):
    """An argument parser that ends with one line and exit status 2 if an argument is wrong."""

    def parse_known_args(self, args=None, namespace=None):
        # Unknown arguments end here, in the parser of the subcommand: the line names its help.
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}"
                       f"{did_you_mean(unknown[0], self._option_string_actions)}")
        return namespace, unknown

    def error(self, message: str):
        # "invalid choice: 'fats' (choose from 'small', 'balanced', 'fast')"
        given, *choices = re.findall(r"'([^']*)'", message.partition("invalid choice: ")[2]) or [""]
        sys.exit(_fail(f"{message}{did_you_mean(given, choices)} (see '{self.prog} --help')"))


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Type of an argument: an integer from ``low`` to ``high``."""
    def convert(text: str) -> int:
        try:
            if low <= int(text) <= high:
                return int(text)
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}, "
                                         f"not {text!r}")
    return convert


def megahertz(text: str) -> float:
    """Type of an argument: a clock in MHz."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 1000:
            return float(text)
    raise argparse.ArgumentTypeError(f"must be a number of MHz between 0 and 1000, not {text!r}")


def baud(text: str) -> int:
    """Type of an argument: bits per second that a serial port of a computer supports."""
    from spikewright.plan.config import BAUDS
    return whole_number(*BAUDS)(text)


def output_file(*suffixes: str) -> Callable[[str], Path]:
    """Type of an argument: a file to write. It is checked before the command starts its work."""
    def convert(text: str) -> Path:
        try:
            check_output(Path(text), suffixes)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error).removeprefix("Output ")) from error
        return Path(text)
    return convert


def check_paths(arguments: argparse.Namespace) -> None:
    """Refuse an input that is no file, and an output that would damage an input or another."""
    outputs, inputs = [], []
    for name, value in vars(arguments).items():
        paths = [path for path in (value if isinstance(value, list) else [value])
                 if isinstance(path, Path)]
        if name in OUTPUTS:
            outputs += paths
        elif name not in KEPT:
            inputs += paths
    for path in inputs:
        check_input(path)
    check_apart(outputs, inputs)


def end_at_mismatches(lines: list[str]) -> None:
    """Print the differences between hardware and golden model, and exit with status 1 if any."""
    for line in lines:
        print(f"mismatch: {line}", file=sys.stderr)
    if lines:
        sys.exit(1)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, a request to end."""


@contextlib.contextmanager
def _interrupted_by_signal() -> Iterator[None]:
    """A request to end interrupts the block, as Ctrl-C does: what is half written is removed.

    A second request does not interrupt the removal.
    """
    def end(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _Terminated
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def ended_by_signal() -> Iterator[None]:
    """Ctrl-C, or a request to end, ends the block."""
    with contextlib.suppress(KeyboardInterrupt), _interrupted_by_signal():
        yield


def run_command(main: Callable[[], None]) -> None:
    """Run a command's ``main``: bad input ends in one line and exit status 2, never a traceback.

    Ctrl-C and SIGTERM end in the line ``stopped`` and the status of the signal. The command may add
    what it kept, as the argument of the exception. If the reader of its output ends first, as in
    ``| head``, the command ends without a message.
    """
    # If it was closed, the next file that is opened would get its number.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    # A name that the terminal's encoding does not have is printed with escapes.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with _interrupted_by_signal():
            main()
        _flush()
    except InputError as error:
        sys.exit(_fail(str(error)))
    except OSError as error:
        if isinstance(error, BrokenPipeError) and not _is_read():
            _discard_output()
            sys.exit(128 + signal.SIGPIPE)
        sys.exit(_fail(system_error(error)))
    except KeyboardInterrupt as stop:
        print(": ".join(["stopped", *stop.args]), file=sys.stderr)
        sys.exit(128 + (signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT))


def _flush() -> None:
    """Flush standard output. The work is done, so a reader that has ended is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()


def _is_read() -> bool:
    """Whether standard output has a reader: another pipe may be the one that broke."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)       # reports only errors
    return not poll.poll(0)


def _discard_output() -> None:
    """Discard buffered output, so that Python can flush it when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 2
