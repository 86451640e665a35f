# SPDX-License-Identifier: Apache-2.0
"""Types and sizes of the link's frames, for hardware, host and reports. See docs/contracts.md."""

import enum

__all__ = ["ANSWER", "CODED_MAX", "FRAMING", "LOAD_MAX", "OUTPUTS_MAX", "PAGE_BYTES", "SLOT_BYTES",
           "VERSION", "FrameType", "events_max", "row_bytes", "step_answer_bytes",
           "step_request_bytes"]

VERSION = 2


class FrameType(enum.IntEnum):
    """First byte of a request. An answer has the type of its request plus ``ANSWER``."""

    INFO = 1
    STEP = 2
    LOAD = 3


ANSWER  = 0x80
FRAMING = 4                         # bytes of the code, the CRC and the delimiter

PAGE_BYTES = 32                     # status page; it shares a block RAM with two slots
SLOT_BYTES = 256 - PAGE_BYTES // 2  # memory for one frame
CODED_MAX  = SLOT_BYTES             # bytes of a frame coded in COBS, without its delimiter
LOAD_MAX   = SLOT_BYTES - 6         # without code, type, sequence number, flags and CRC


def row_bytes(rows: int) -> int:
    """Bytes of an event on the link to a device that has ``rows`` input rows."""
    return 1 if rows <= 256 else 2


def step_request_bytes(rows: int, events: int) -> int:
    """Bytes on the line of a STEP with ``events`` events to a device that has ``rows`` input rows.

    The frame has a type, a sequence number and flags besides.
    """
    return 3 + row_bytes(rows) * events + FRAMING


def step_answer_bytes(outputs: int) -> int:
    """Bytes on the line of the answer to a STEP.

    The frame has a type, a sequence number, flags, the step and its cycles besides the outputs.
    """
    return 2 + 1 + 4 + 4 + 4 * outputs + FRAMING


# Outputs of a core, so that the answer to a STEP fits into a slot.
OUTPUTS_MAX = (SLOT_BYTES - step_answer_bytes(0)) // 4


def events_max(rows: int) -> int:
    """Events that one STEP frame carries to a device that has ``rows`` input rows."""
    return LOAD_MAX // row_bytes(rows)
