# SPDX-License-Identifier: Apache-2.0
"""Arithmetic that golden.core spells in integers."""

from amaranth import *

__all__ = ["overflows", "round_half_up", "saturate"]


def overflows(value, width):
    """Whether signed ``value`` does not fit ``width`` bits: its top bits are not all its sign."""
    top = value[width - 1:]
    return top.any() & ~top.all()


def saturate(value, width):
    """Clamp signed ``value`` to ``width`` bits. (A bare ``.eq()`` would wrap it.)"""
    sign  = value[-1]
    limit = Cat(~sign.replicate(width - 1), sign)
    return Mux(overflows(value, width), limit, value[:width]).as_signed()


def round_half_up(product, bits):
    """``product / 2**bits`` rounded half up: floor, plus the last bit that falls away."""
    return (product >> bits) + product[bits - 1]
