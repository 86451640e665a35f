# SPDX-License-Identifier: Apache-2.0
"""Requests and answers of the link, as bytes and as objects. See docs/link.md."""

import binascii
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from spikewright.plan.frames import (
    ANSWER,
    INFO_FIELDS,
    LAST_FIELDS,
    LOAD_FIELDS,
    LOAD_MAX,
    PART_FIELDS,
    STEP_FIELDS,
    Answered,
    Capability,
    FrameType,
    Load,
    Step,
    Version,
    events_max,
    row_bytes,
)
from spikewright.plan.framing import FrameError, pack_fields, pack_frame, unpack_fields

__all__ = ["InfoAnswer", "LoadAnswer", "PartAnswer", "StepAnswer", "decode_answer", "encode_info",
           "encode_load", "encode_step", "load_tail", "step_frames"]

HASHES = "model_hash", "program_hash"

# Flags of steps as plain numbers: a step is coded and decoded in some 10 us.
RESET, MORE = int(Step.RESET), int(Step.MORE)
SATURATED, DROPPED = int(Answered.SATURATED), int(Answered.DROPPED)

@dataclass(frozen=True, kw_only=True)
class InfoAnswer:
    """Identity of the device, and its counters since configuration."""

    seq:            int
    version:        int
    loadable:       bool        # the host must send its weights
    loaded:         bool        # the weights are complete
    steps:          int         # finished steps, counted when the next frame comes
    longest_cycles: int         # cycles of the longest step
    corrupt:        int         # the counters from here on stop between 65,280 and 65,535
    repeated:       int
    foreign:        int
    overrun:        int
    dropped:        int
    rows:           int
    model_hash:     bytes
    clock_hz:       int         # rounded down to 1 kHz
    outputs:        int
    capability:     Capability
    frames:         int         # requests that may be under way: one in work, the others waiting
    frame_bytes:    int         # longest frame, coded, without its delimiter
    program_hash:   bytes       # of the hardware without the constants of the model


@dataclass(frozen=True, kw_only=True)
class StepAnswer:
    """Result of one step; ``outputs`` are in LSB of m."""

    seq:       int
    saturated: bool             # a state has saturated since the last reset
    dropped:   bool             # an event of this step was dropped
    step:      int              # steps before this one, since configuration
    cycles:    int
    outputs:   tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PartAnswer:
    """The device has received the events of a frame; the step continues in the next frame."""

    seq:     int
    dropped: bool               # an event of this frame was dropped


@dataclass(frozen=True, kw_only=True)
class LoadAnswer:
    """Progress of loading the weight table, and the format of its words."""

    seq:        int
    loaded:     bool            # the table is complete and has the right CRC
    words:      int             # whole words that have come since the last restart
    lanes:      int             # weights in a word
    word_bytes: int


def _check_seq(seq: int) -> None:
    if not 0 <= seq <= 255:
        raise ValueError(f"Sequence number must be between 0 and 255, not {seq!r}")


def encode_info(seq: int) -> bytes:
    """Bytes of an INFO request."""
    _check_seq(seq)
    return pack_frame(bytes([FrameType.INFO, seq]))


def encode_step(seq: int, rows: Sequence[int], reset: bool = False, *, more: bool = False,
                device_rows: int = 256) -> bytes:
    """Bytes of a STEP request with one event per entry of ``rows``.

    With ``more``, the step continues in the next STEP. ``device_rows`` is the number of input rows
    of the device. If there are more than 256, an event takes two bytes.
    """
    _check_seq(seq)
    most = events_max(device_rows)
    if len(rows) > most:
        raise ValueError(f"Events of a frame must be {most} or fewer, not {len(rows)}")
    size = row_bytes(device_rows)
    try:
        events = struct.pack(f"<{len(rows)}{'BH'[size - 1]}", *rows)
    except struct.error:
        number = next(k for k, row in enumerate(rows) if not 0 <= row < 1 << 8 * size)
        raise ValueError(f"Row of event {number} must be between 0 and {(1 << 8 * size) - 1}, "
                         f"not {rows[number]!r}") from None
    flags = RESET * bool(reset) | MORE * bool(more)
    return pack_frame(bytes([FrameType.STEP, seq, flags]) + events)


def step_frames(next_seq: Callable[[], int], rows: Sequence[int], reset: bool,
                device_rows: int) -> Iterator[tuple[bytes, bool]]:
    """The STEP requests of one step, and for each whether the step continues in the next.

    ``next_seq`` gives the number of each request. The other arguments are those of `encode_step`.
    """
    most = events_max(device_rows)
    for first in range(0, max(len(rows), 1), most):
        more = first + most < len(rows)
        yield encode_step(next_seq(), rows[first:first + most], reset and first == 0, more=more,
                          device_rows=device_rows), more


def encode_load(seq: int, data: bytes, restart: bool = False, *, last: bool = False) -> bytes:
    """Bytes of a LOAD request: the next part of the table, or with ``restart`` its beginning.

    With ``last``, ``data`` is what `load_tail` gives.
    """
    _check_seq(seq)
    if len(data) > LOAD_MAX:
        raise ValueError(f"Bytes of a LOAD must be {LOAD_MAX} or fewer, not {len(data)}")
    flags = Load.RESTART * bool(restart) | Load.LAST * bool(last)
    return pack_frame(bytes([FrameType.LOAD, seq, flags]) + data)


def load_tail(table: bytes, model_hash: bytes) -> bytes:
    """What the last LOAD of a model brings: the first 8 bytes of its hash, and a CRC over all."""
    last = pack_fields(LAST_FIELDS, {"zeros": bytes(LAST_FIELDS["zeros"]),
                                     "model_hash": model_hash})
    return last + binascii.crc_hqx(table + last, 0xffff).to_bytes(2, "big")


def decode_answer(content: bytes) -> InfoAnswer | LoadAnswer | PartAnswer | StepAnswer:
    """Decode the answer in ``content``, a frame without its CRC."""
    if len(content) < 2:
        raise FrameError(f"Answer must have 2 bytes or more, not {len(content)}")
    kind, seq, body = content[0], content[1], content[2:]
    if kind == ANSWER | FrameType.INFO:
        return _info(seq, _checked(body, INFO_FIELDS, "INFO"))
    if kind == ANSWER | FrameType.STEP and len(body) == sum(PART_FIELDS.values()):
        return PartAnswer(seq=seq, dropped=bool(body[0] & DROPPED))
    if kind == ANSWER | FrameType.STEP:
        return _step(seq, body)
    if kind == ANSWER | FrameType.LOAD:
        values = _checked(body, LOAD_FIELDS, "LOAD")
        version = Version(values.pop("version"))
        return LoadAnswer(seq=seq, loaded=Version.LOADED in version, **values)
    raise FrameError(f"Answer's type must be 0x81, 0x82 or 0x83, not {kind:#04x}")


def _checked(body: bytes, fields: dict[str, int], name: str) -> dict[str, int]:
    size = sum(fields.values())
    if len(body) != size:
        raise FrameError(f"{name}'s body must have {size} bytes, not {len(body)}")
    return unpack_fields(fields, body)


def _info(seq: int, values: dict[str, int]) -> InfoAnswer:
    version = Version(values.pop("version"))
    model_hash, program_hash = (values.pop(name).to_bytes(8, "little") for name in HASHES)
    return InfoAnswer(seq=seq, version=int(version & Version.NUMBER),
                      loadable=Version.LOADABLE in version, loaded=Version.LOADED in version,
                      clock_hz=values.pop("clock_khz") * 1000,
                      capability=Capability(values.pop("capability")), model_hash=model_hash,
                      program_hash=program_hash, **values)


def _step(seq: int, body: bytes) -> StepAnswer:
    head = sum(STEP_FIELDS.values())
    outputs, rest = divmod(len(body) - head, 4)
    if outputs < 1 or rest:
        raise FrameError(f"STEP's body must have {head} bytes and 4 per output, not {len(body)}")
    values = unpack_fields(STEP_FIELDS, body)
    flags = values["flags"]
    return StepAnswer(seq=seq, saturated=bool(flags & SATURATED), dropped=bool(flags & DROPPED),
                      step=values["step"], cycles=values["cycles"],
                      outputs=struct.unpack_from(f"<{outputs}i", body, head))
