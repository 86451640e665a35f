# SPDX-License-Identifier: Apache-2.0
"""Types, fields and sizes of the link's frames, for hardware, golden model, host and reports.

Every part of the link takes them from here. See docs/link.md.
"""

import enum

__all__ = ["ANSWER", "CODED_MAX", "FRAMES_IN_FLIGHT", "FRAMING", "INFO_FIELDS", "LAST_FIELDS",
           "LOAD_FIELDS", "LOAD_MAX", "OUTPUTS_MAX", "PAGE_BYTES", "PART_FIELDS", "SLOT_BYTES",
           "STEP_FIELDS", "VERSION", "Answered", "Capability", "FrameType", "Load", "Step",
           "Version", "answer_bytes", "answer_cycles", "events_max", "field_at", "request_cycles",
           "row_bytes", "step_answer_bytes", "step_request_bytes"]

VERSION = 2


class FrameType(enum.IntEnum):
    """First byte of a request. An answer has the type of its request plus ``ANSWER``."""

    INFO = 1
    STEP = 2
    LOAD = 3


class Step(enum.IntFlag):
    """Flags of a STEP request."""

    RESET = 1                       # clear the state before this step
    MORE  = 2                       # the step goes on in the next STEP


class Load(enum.IntFlag):
    """Flags of a LOAD request."""

    RESTART = 1                     # the first byte of the tables follows
    LAST    = 2                     # identity and CRC of a model follow, see `LAST_FIELDS`


class Answered(enum.IntFlag):
    """Flags of the answer to a STEP."""

    SATURATED = 1                   # a state has saturated since the last reset
    DROPPED   = 2                   # an event of the frame was dropped


class Version(enum.IntFlag, boundary=enum.KEEP):
    """Bits of the version in the answers to INFO and LOAD."""

    NUMBER   = 0x3f
    LOADED   = 0x40                 # INFO: the tables are whole; LOAD: with what has come
    LOADABLE = 0x80                 # the device takes LOAD


class Capability(enum.IntFlag):
    """What a device can do, in the lowest byte of ``capability`` of INFO."""

    WEIGHTS = 1                     # LOAD brings the weights of the model that was built
    MODEL   = 2                     # LOAD brings a model of the same form
    STAGED  = 4                     # the old model answers until the new one is whole


ANSWER  = 0x80
FRAMING = 4                         # bytes of the code, the CRC and the delimiter

PAGE_BYTES = 64                     # status page; it shares a block RAM with two slots
SLOT_BYTES = 256 - PAGE_BYTES // 2  # memory for one frame
CODED_MAX  = SLOT_BYTES             # bytes of a frame coded in COBS, without its delimiter
LOAD_MAX   = SLOT_BYTES - 6         # without code, type, sequence number, flags and CRC

FRAMES_IN_FLIGHT = 2                # a device works on one, and keeps one

# Fields of the answers after type and sequence number, and their bytes. Numbers are little-endian.
# An answer with its code, type and number has a multiple of four bytes.
INFO_FIELDS = {
    "version": 1, "steps": 4, "longest_cycles": 4, "corrupt": 2, "repeated": 2, "foreign": 2,
    "overrun": 2, "dropped": 2, "rows": 2, "model_hash": 8, "clock_khz": 3, "outputs": 1,
    "capability": 1, "frames": 1, "frame_bytes": 2, "program_hash": 8,
}
STEP_FIELDS = {"flags": 1, "step": 4, "cycles": 4}          # then 4 bytes for each output
PART_FIELDS = {"flags": 1}
LOAD_FIELDS = {"version": 1, "words": 2, "lanes": 1, "word_bytes": 1}

# Body of the last LOAD of a model, after its flags. The hash has the place that it has in INFO.
LAST_FIELDS = {"zeros": sum(list(INFO_FIELDS.values())[1:list(INFO_FIELDS).index("model_hash")]),
               "model_hash": 8}


def field_at(fields: dict[str, int], name: str) -> int:
    """Position of a field in a coded frame: after the code, the type and the sequence number."""
    names = list(fields)
    return 3 + sum(fields[before] for before in names[:names.index(name)])


def answer_bytes(fields: dict[str, int]) -> int:
    """Bytes on the line of an answer with these fields."""
    return 2 + sum(fields.values()) + FRAMING


def row_bytes(rows: int) -> int:
    """Bytes of an event on the link to a device that has ``rows`` input rows."""
    return 1 if rows <= 256 else 2


def step_request_bytes(rows: int, events: int) -> int:
    """Bytes on the line of a STEP with ``events`` events to a device that has ``rows`` input rows.

    The frame has a type, a sequence number and flags besides.
    """
    return 3 + row_bytes(rows) * events + FRAMING


def step_answer_bytes(outputs: int) -> int:
    """Bytes on the line of the answer to a STEP."""
    return answer_bytes(STEP_FIELDS) + 4 * outputs


def request_cycles(rows: int, events: int) -> int:
    """Clock cycles from the last byte of a STEP to the step of the core.

    Each byte is walked through once to check the frame, then once more to read it.
    """
    walked = step_request_bytes(rows, events) - FRAMING
    return 6 * (walked + 4) + 5 * walked + events


def answer_cycles(outputs: int) -> int:
    """Clock cycles from the result of a step to the first byte of its answer on the line."""
    return 12 * (step_answer_bytes(outputs) - FRAMING) + 60


# Outputs of a core, so that the answer to a STEP fits into a slot.
OUTPUTS_MAX = (SLOT_BYTES - step_answer_bytes(0)) // 4


def events_max(rows: int) -> int:
    """Events that one STEP frame carries to a device that has ``rows`` input rows."""
    return LOAD_MAX // row_bytes(rows)
