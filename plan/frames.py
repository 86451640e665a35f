# SPDX-License-Identifier: Apache-2.0
"""Sizes of the link's frames, which gateware, host and reports share; see docs/contracts.md."""

__all__ = ["CODED_MAX", "EVENTS_MAX", "FRAME_MAX", "LOAD_MAX", "PAGE_BYTES", "SLOT_BYTES",
           "VERSION"]

VERSION = 2

PAGE_BYTES = 32                     # of the status page, which shares a block RAM with two slots
SLOT_BYTES = 256 - PAGE_BYTES // 2  # for a frame
FRAME_MAX  = SLOT_BYTES - 1         # bytes of a decoded frame
CODED_MAX  = FRAME_MAX + 1          # the same coded in COBS, without its delimiter
EVENTS_MAX = FRAME_MAX - 5          # of a step: all but type, sequence number, flags and CRC
LOAD_MAX   = EVENTS_MAX             # bytes of the weight table in a frame
