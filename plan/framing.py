# SPDX-License-Identifier: Apache-2.0
"""Frames on the line: content, CRC and COBS. See docs/link.md."""

import binascii

from cobs import cobs

from .frames import CODED_MAX

__all__ = ["FrameError", "FrameReader", "crc_of", "pack_fields", "pack_frame",
           "unpack_fields", "unpack_frame"]


class FrameError(ValueError):
    """The bytes are not a frame, or not an answer; the message says why."""


def crc_of(content: bytes) -> bytes:
    """CRC-16/GENIBUS, high byte first.

    It is inverted, so that a frame followed by a zero is not valid.
    """
    return (binascii.crc_hqx(content, 0xffff) ^ 0xffff).to_bytes(2, "big")


def pack_frame(content: bytes) -> bytes:
    """``content`` with its CRC, COBS-coded, with the delimiter at its end."""
    return cobs.encode(content + crc_of(content)) + b"\0"


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
    content, crc = frame[:-2], frame[-2:]
    if crc != crc_of(content):
        raise FrameError(f"Frame's CRC must be {crc_of(content).hex()}, not {crc.hex()}")
    return content


def pack_fields(fields: dict[str, int], values: dict[str, int | bytes]) -> bytes:
    """``values`` by name, one after the other; ``fields`` has the bytes of each."""
    return b"".join(value if isinstance(value := values[name], bytes)
                    else value.to_bytes(size, "little") for name, size in fields.items())


def unpack_fields(fields: dict[str, int], data: bytes) -> dict[str, int]:
    """The numbers in ``data`` by name; ``data`` may go on after the last field."""
    values, at = {}, 0
    for name, size in fields.items():
        values[name] = int.from_bytes(data[at:at + size], "little")
        at += size
    return values


class FrameReader:
    """Finds the frames in a stream of bytes.

    ``corrupt`` counts pieces that ended with a delimiter and were not a frame.
    """

    def __init__(self) -> None:
        self.corrupt = 0
        self._coded  = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Contents of the frames that end in ``data``."""
        *pieces, rest = data.split(b"\0")
        contents = []
        for piece in pieces:
            coded, self._coded = self._coded + piece, b""
            if not coded:
                continue
            try:
                contents.append(unpack_frame(coded))
            except FrameError:
                self.corrupt += 1
        # Bytes after the longest possible frame are dropped: the piece is corrupt.
        self._coded = (self._coded + rest)[:CODED_MAX + 1]
        return contents
