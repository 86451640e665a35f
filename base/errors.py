# SPDX-License-Identifier: Apache-2.0
"""Errors that end a command with one line."""

import difflib
from collections.abc import Iterable

__all__ = ["CoreFault", "InputError", "did_you_mean"]


class InputError(ValueError):
    """Input of the user that cannot be used. The message is one line that says what to change."""


class CoreFault(RuntimeError):
    """An error in the RTL: it hangs, or two of its ports contradict each other."""


def did_you_mean(given: str, choices: Iterable[str]) -> str:
    """The end of a message about ``given``: the choice that is spelled like it, if there is one."""
    near = difflib.get_close_matches(given, list(choices), 1)
    return f": did you mean {near[0]}?" if near else ""
