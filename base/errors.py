# SPDX-License-Identifier: Apache-2.0
"""Errors that commands end with in one line."""

__all__ = ["CoreFault", "InputError"]


class InputError(ValueError):
    """Something a user gave cannot be used; the message is one line that says what to change."""


class CoreFault(RuntimeError):
    """The RTL breaks a rule of its own: it hangs, or its ports contradict one another."""
