# SPDX-License-Identifier: Apache-2.0
"""Arithmetic in hardware, equal to the integers of golden.core."""

from amaranth import *

from spikewright.quantize.decays import signed_powers

__all__ = ["is_above", "is_below", "overflows", "round_half_up", "saturate", "signed_digits",
           "times"]


def overflows(value, width):
    """Whether signed ``value`` does not fit ``width`` bits: its top bits are not all its sign."""
    top = value[width - 1:]
    return top.any() & ~top.all()


def saturate(value, width):
    """Clamp signed ``value`` to ``width`` bits. (A bare ``.eq()`` would wrap it.)"""
    sign  = value[-1]
    limit = Cat(~sign.replicate(width - 1), sign)
    return Mux(overflows(value, width), limit, value[:width]).as_signed()


def round_half_up(product, bits, plus):
    """``product / 2**bits`` rounded half up, and signed ``plus``.

    One adder does both: the last bit that falls away is the carry into its lowest bit.
    """
    one_more = Cat(C(1, 1), product >> bits).as_signed()
    return (one_more + Cat(product[bits - 1], plus).as_signed()) >> 1


def times(value, constant):
    """``value`` times a positive integer, in adders: synthesis would take a multiplier for it."""
    first, *others = signed_powers(constant)
    total = value << first.bit_length() - 1
    for power in others:
        term  = value << abs(power).bit_length() - 1
        total = total + term if power > 0 else total - term
    return total


def signed_digits(value):
    """The places of signed ``value`` that have a digit other than 0, and which digits are -1.

    The first has as many bits as the value. The second counts only where the first is 1. No two
    places are neighbours, so there are as few digits as there can be: they are the bits in which
    the value and its threefold differ, shifted by one.
    """
    minus = value >> 1
    return (((value << 1) + value >> 1) ^ minus)[:len(value)], minus


# Comparisons in plain logic: for a few bits smaller and faster than a carry chain.


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
