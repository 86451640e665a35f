# SPDX-License-Identifier: Apache-2.0
"""Comparisons in plain logic: for a few bits smaller and faster than a carry chain."""

from amaranth import *

__all__ = ["is_above", "is_below"]


def is_above(a, b, lower):
    """Whether ``a`` is above ``b``, or equal to it while ``lower``, that of the bits below."""
    for k in range(len(a)):
        lower = Mux(a[k] ^ b[k], a[k], lower)
    return lower


def is_below(a, limit):
    """Whether ``a`` is below the integer ``limit``."""
    if limit >> len(a):
        return Const(1)
    below = Const(0)
    for k in range(len(a)):
        below = ~a[k] | below if limit >> k & 1 else ~a[k] & below
    return below
