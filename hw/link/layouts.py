# SPDX-License-Identifier: Apache-2.0
"""Payload shapes, positions and the memory map of the link, spelled once."""

from amaranth import *
from amaranth.lib import data

__all__ = ["COUNTERS", "CYCLES", "IDENTITY", "frame_layout", "line_layout", "page_address",
           "page_init"]


# A position is that of a byte in a coded frame: 0 is the code in front, 1 the type, 2 the sequence
# number. Coding keeps every byte in its place.

# Position of each counter in the INFO answer. `steps` has four bytes, the others two.
COUNTERS = {
    "steps":    4,
    "corrupt":  12,
    "repeated": 14,
    "foreign":  16,
    "overrun":  18,
    "dropped":  20,
}
CYCLES   = 8                    # position of the longest step in INFO, and of the cycles in STEP
IDENTITY = 22                   # position in INFO of what never changes


def page_address(position):
    """Address of the byte of the status page that stands at ``position`` of the INFO answer."""
    return Cat(position[:4], Const(0xf, 4), position[4])


def page_init(params):
    """Block RAM contents after configuration: identity in the status page, counters at zero."""
    identity = (params.rows.to_bytes(2, "little") + params.model_hash
                + (params.clock_hz // 1000).to_bytes(3, "little") + bytes([params.outputs]))
    init = [0] * 512
    for position, byte in enumerate(identity, IDENTITY):
        init[(position >> 4 & 1) << 8 | 0xf0 | position & 0xf] = byte
    return init


def line_layout():
    """One byte off the line: ``bad`` if its stop bit was missing, ``zero`` if it is a good zero."""
    return data.StructLayout({"data": 8, "bad": 1, "zero": 1})


def frame_layout():
    """A frame that waits in ``slot``; its CRC starts at position ``end``."""
    return data.StructLayout({"slot": 1, "end": 8})
