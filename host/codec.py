# SPDX-License-Identifier: Apache-2.0
"""Frames of the link, as ``docs/contracts.md`` describes them."""

import binascii
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cobs import cobs

from spikewright.plan.frames import (
    ANSWER,
    CODED_MAX,
    FRAMING,
    LOAD_MAX,
    FrameType,
    events_max,
    row_bytes,
)

__all__ = ["INFO_BYTES", "LOAD_BYTES", "PART_BYTES", "FrameError", "FrameReader", "InfoAnswer",
           "LoadAnswer", "PartAnswer", "StepAnswer", "decode_answer", "encode_info", "encode_load",
           "encode_step", "pack_frame", "step_frames", "unpack_frame"]


_INFO_BODY   = struct.Struct("<BII5HH8s3sB")
_STEP_BODY   = struct.Struct("<BII")
_LOAD_BODY   = struct.Struct("<BHBB")

INFO_BYTES = 2 + _INFO_BODY.size + FRAMING     # length of the answer on the line
LOAD_BYTES = 2 + _LOAD_BODY.size + FRAMING
PART_BYTES = 2 + 1 + FRAMING


class FrameError(ValueError):
    """The bytes are not a frame, or not an answer; the message says why."""


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


def _crc(content: bytes) -> int:
    """CRC-16/GENIBUS. It is inverted, so that a frame followed by a zero is not valid."""
    return binascii.crc_hqx(content, 0xffff) ^ 0xffff


def pack_frame(content: bytes) -> bytes:
    """``content`` with its CRC, COBS-coded, with the delimiter at its end."""
    return cobs.encode(content + _crc(content).to_bytes(2, "big")) + b"\0"


def unpack_frame(coded: bytes) -> bytes:
    """Content of a coded frame; ``coded`` has no delimiter."""
    if len(coded) > CODED_MAX:
        raise FrameError(f"Frame must have {CODED_MAX} bytes or fewer, not {len(coded)}")
    try:
        frame = cobs.decode(coded)
    except cobs.DecodeError as error:
        raise FrameError(f"Frame must be coded in COBS, not {coded.hex()}: {error}") from None
    if len(frame) < 4:
        raise FrameError(f"Frame must have 4 bytes or more, not {len(frame)}")
    content, crc = frame[:-2], int.from_bytes(frame[-2:], "big")
    if crc != _crc(content):
        raise FrameError(f"Frame's CRC must be {_crc(content):04x}, not {crc:04x}")
    return content


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
    for number, row in enumerate(rows):
        if not 0 <= row < 1 << 8 * size:
            raise ValueError(f"Row of event {number} must be between 0 and {(1 << 8 * size) - 1}, "
                             f"not {row!r}")
    events = b"".join(int(row).to_bytes(size, "little") for row in rows)
    return pack_frame(bytes([FrameType.STEP, seq, bool(reset) | bool(more) << 1]) + events)


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


def encode_load(seq: int, data: bytes, restart: bool = False) -> bytes:
    """Bytes of a LOAD request: the next part of the table, or with ``restart`` its beginning."""
    _check_seq(seq)
    if len(data) > LOAD_MAX:
        raise ValueError(f"Bytes of a LOAD must be {LOAD_MAX} or fewer, not {len(data)}")
    return pack_frame(bytes([FrameType.LOAD, seq, bool(restart)]) + data)


def decode_answer(content: bytes) -> InfoAnswer | LoadAnswer | PartAnswer | StepAnswer:
    """Decode the answer in ``content``, a frame without its CRC."""
    if len(content) < 2:
        raise FrameError(f"Answer must have 2 bytes or more, not {len(content)}")
    kind, seq, body = content[0], content[1], content[2:]
    if kind == ANSWER | FrameType.INFO:
        if len(body) != _INFO_BODY.size:
            raise FrameError(f"INFO's body must have {_INFO_BODY.size} bytes, not {len(body)}")
        version, steps, longest, *counters, rows, model_hash, clock_khz, outputs = \
            _INFO_BODY.unpack(body)
        corrupt, repeated, foreign, overrun, dropped = counters
        return InfoAnswer(seq=seq, version=version & 0x3f, loadable=bool(version & 0x80),
                          loaded=bool(version & 0x40), steps=steps, longest_cycles=longest,
                          corrupt=corrupt, repeated=repeated, foreign=foreign, overrun=overrun,
                          dropped=dropped, rows=rows, model_hash=model_hash,
                          clock_hz=int.from_bytes(clock_khz, "little") * 1000, outputs=outputs)
    if kind == ANSWER | FrameType.STEP and len(body) == 1:
        return PartAnswer(seq=seq, dropped=bool(body[0] & 2))
    if kind == ANSWER | FrameType.STEP:
        size, rest = divmod(len(body) - _STEP_BODY.size, 4)
        if size < 1 or rest:
            raise FrameError(f"STEP's body must have {_STEP_BODY.size} bytes and 4 per output, "
                             f"not {len(body)}")
        flags, step, cycles = _STEP_BODY.unpack_from(body)
        return StepAnswer(seq=seq, saturated=bool(flags & 1), dropped=bool(flags & 2), step=step,
                          cycles=cycles, outputs=struct.unpack_from(f"<{size}i", body,
                                                                    _STEP_BODY.size))
    if kind == ANSWER | FrameType.LOAD:
        if len(body) != _LOAD_BODY.size:
            raise FrameError(f"LOAD's body must have {_LOAD_BODY.size} bytes, not {len(body)}")
        version, words, lanes, word_bytes = _LOAD_BODY.unpack(body)
        return LoadAnswer(seq=seq, loaded=bool(version & 0x40), words=words, lanes=lanes,
                          word_bytes=word_bytes)
    raise FrameError(f"Answer's type must be 0x81, 0x82 or 0x83, not {kind:#04x}")


class FrameReader:
    """Finds the frames in a stream of bytes.

    ``corrupt`` counts pieces that ended with a delimiter and were not a frame.
    """

    def __init__(self) -> None:
        self.corrupt = 0
        self._coded  = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Contents of the frames that end in ``data``."""
        contents = []
        for byte in data:
            if byte:
                # Bytes after the longest possible frame are dropped: the piece is corrupt.
                if len(self._coded) <= CODED_MAX:
                    self._coded.append(byte)
                continue
            coded = bytes(self._coded)
            self._coded.clear()
            if not coded:
                continue
            try:
                contents.append(unpack_frame(coded))
            except FrameError:
                self.corrupt += 1
        return contents
