# SPDX-License-Identifier: Apache-2.0
"""Sizes of the link's frames, for hardware, host and reports. See docs/contracts.md."""

__all__ = ["CODED_MAX", "FRAME_MAX", "LOAD_MAX", "PAGE_BYTES", "SLOT_BYTES", "VERSION",
           "events_max", "row_bytes"]

VERSION = 2

PAGE_BYTES = 32                     # status page; it shares a block RAM with two slots
SLOT_BYTES = 256 - PAGE_BYTES // 2  # memory for one frame
FRAME_MAX  = SLOT_BYTES - 1         # bytes of a decoded frame
CODED_MAX  = FRAME_MAX + 1          # bytes of a frame coded in COBS, without its delimiter
LOAD_MAX   = FRAME_MAX - 5          # without type, sequence number, flags and CRC


def row_bytes(rows: int) -> int:
    """Bytes of an event on the link to a device that has ``rows`` input rows."""
    return 1 if rows <= 256 else 2


def events_max(rows: int) -> int:
    """Events that one STEP frame carries to a device that has ``rows`` input rows."""
    return LOAD_MAX // row_bytes(rows)
