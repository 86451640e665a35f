# SPDX-License-Identifier: Apache-2.0
"""A component as RTLIL, the netlist language that every flow starts from."""

import re

from amaranth.back import rtlil

__all__ = ["convert", "for_flows", "without_bypass", "without_contents"]

# A memory called so, and its contents, which come later in the same module.
LARGE_CONTENTS = re.compile(
    r'(attribute \\ram_style "huge"\n *memory [^\n]* \\(\S+)\n(?:(?!\nend\n).)*?)'
    r' *cell \$meminit_v2 \S+\n *parameter \\MEMID "\\\\\2"\n.*?\n  end\n', re.DOTALL)


def convert(component, name: str = "top") -> str:
    """RTLIL of ``component``, as every flow takes it; its top module is called ``name``."""
    return for_flows(rtlil.convert(component, name=name))


def for_flows(text: str) -> str:
    """RTLIL ``text`` of Amaranth, told what Amaranth cannot tell of its RAMs."""
    return without_contents(without_bypass(text))


def without_contents(text: str) -> str:
    """Take the initial contents from every RAM in RTLIL ``text`` that has ``ram_style`` "huge".

    Amaranth gives every RAM some, be it zeros, and the large RAMs of an iCE40 can have none. In
    simulated Verilog they read as X until they are written.
    """
    told, count = LARGE_CONTENTS.subn(r"\1", text)
    if count != text.count('attribute \\ram_style "huge"'):
        raise RuntimeError("RTLIL of a large RAM must have contents as this function knows them")
    return told


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
