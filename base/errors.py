# SPDX-License-Identifier: Apache-2.0
"""The error that bad input ends in."""

__all__ = ["InputError"]


class InputError(ValueError):
    """Something a user gave cannot be used; the message is one line that says what to change."""
