# SPDX-License-Identifier: Apache-2.0
"""Errors that end a command with one line."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator

__all__ = ["CoreFault", "InputError", "did_you_mean", "is_choice", "refused_files",
           "system_error"]


class InputError(ValueError):
    """Input of the user that cannot be used. The message is one line that says what to change."""

    def __init__(self, message: str):
        # The text of an array or of another program's error may have several lines.
        super().__init__(" ".join(line.strip() for line in str(message).splitlines()))


class CoreFault(RuntimeError):
    """An error in the RTL: it hangs, or two of its ports contradict each other."""


def is_choice(given: object, choices: Iterable[str]) -> bool:
    """Whether ``given``, of any type, is one of the texts ``choices``."""
    return isinstance(given, str) and given in choices


@contextlib.contextmanager
def refused_files() -> Iterator[None]:
    """Make an error of the system about a file in the block an `InputError`."""
    try:
        yield
    except (InputError, BrokenPipeError):   # the reader of the output has ended
        raise
    except OSError as error:
        raise InputError(system_error(error)) from error


def system_error(error: OSError) -> str:
    """One line about an error of the system, with the name of its file."""
    return f"{error.filename or 'File'} cannot be used: {error.strerror or error}"


def did_you_mean(given: object, choices: Iterable[str]) -> str:
    """The end of a message about ``given``: the choice that is spelled like it, if there is one.

    If ``given`` is how a few choices begin, these are all that it may mean.
    """
    if not isinstance(given, str):
        return ""
    names = list(choices)
    begun = [name for name in names if len(given.lstrip("-")) > 2 and name.startswith(given)]
    near = begun if 0 < len(begun) < 4 else difflib.get_close_matches(given, names, 1)
    return f": did you mean {' or '.join(near)}?" if near else ""
