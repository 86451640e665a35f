# SPDX-License-Identifier: Apache-2.0
"""Payload shapes, positions and the memory map of the link, spelled once."""

from amaranth import *
from amaranth.lib import data

from spikewright.plan.frames import (
    CODED_MAX,
    FRAMES_IN_FLIGHT,
    INFO_FIELDS,
    LAST_FIELDS,
    PAGE_BYTES,
    STEP_FIELDS,
    field_at,
)

__all__ = ["COUNTERS", "CYCLES", "HASH", "INFO_END", "frame_layout", "line_layout", "page_address",
           "page_init"]


# A position is that of a byte in a coded frame: 0 is the code in front, 1 the type, 2 the sequence
# number. Coding keeps every byte in its place.

# Position of each counter in the INFO answer. `steps` has four bytes, the others two.
COUNTERS = {name: field_at(INFO_FIELDS, name)
            for name in ("steps", "corrupt", "repeated", "foreign", "overrun", "dropped")}
# Position of the longest step in INFO, and of the cycles in STEP.
CYCLES   = field_at(INFO_FIELDS, "longest_cycles")
assert CYCLES == field_at(STEP_FIELDS, "cycles")
# Position of the model's hash in INFO, and in a last LOAD.
HASH     = field_at(INFO_FIELDS, "model_hash")
assert HASH == field_at({"flags": 1, **LAST_FIELDS}, "model_hash") and HASH % 8 == 0
INFO_END = 3 + sum(INFO_FIELDS.values())

HALF = PAGE_BYTES // 2          # bytes of the status page above each slot


def page_address(position):
    """Address of the byte of the status page that stands at ``position`` of the INFO answer."""
    low = HALF.bit_length() - 1
    return Cat(position[:low], Const(256 // HALF - 1, 8 - low), position[low])


def page_init(params):
    """Block RAM contents after configuration: identity in the status page, counters at zero."""
    identity = {"rows": params.rows, "model_hash": int.from_bytes(params.model_hash, "little"),
                "clock_khz": params.clock_hz // 1000, "outputs": params.outputs,
                "capability": params.capability, "frames": FRAMES_IN_FLIGHT,
                "frame_bytes": CODED_MAX,
                "program_hash": int.from_bytes(params.program_hash, "little")}
    init = [0] * 512
    for name, value in identity.items():
        for place, byte in enumerate(value.to_bytes(INFO_FIELDS[name], "little")):
            high, low = divmod((field_at(INFO_FIELDS, name) + place) % PAGE_BYTES, HALF)
            init[high << 8 | 256 - HALF | low] = byte
    return init


def line_layout():
    """One byte off the line: ``bad`` if its stop bit was missing, ``zero`` if it is a good zero."""
    return data.StructLayout({"data": 8, "bad": 1, "zero": 1})


def frame_layout():
    """A frame that waits in ``slot``; its CRC starts at position ``end``."""
    return data.StructLayout({"slot": 1, "end": 8})
