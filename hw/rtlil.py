# SPDX-License-Identifier: Apache-2.0
"""A component as RTLIL, the netlist language that every flow starts from."""

from amaranth.back import rtlil

__all__ = ["convert", "without_bypass"]


def convert(component, name: str = "top") -> str:
    """RTLIL of ``component``, as every flow takes it; its top module is called ``name``."""
    return without_bypass(rtlil.convert(component, name=name))


def without_bypass(text: str) -> str:
    """Say of every RAM in RTLIL ``text`` that a word read while it is written may read as anything.

    Amaranth promises the old word instead, which an iCE40 block RAM does not: synthesis would put
    registers and a multiplexer around each RAM (200 logic cells of the default core) for a case
    that no block of this project lets matter. In simulated Verilog such a read gives X, so that
    a block that did look at it would fail there.
    """
    told = text.replace("parameter \\COLLISION_X_MASK 1'0", "parameter \\COLLISION_X_MASK 1'1")
    if told == text and "cell $memwr_v2" in text:
        raise RuntimeError("RTLIL of a RAM must tell of collisions as this function knows it")
    return told
