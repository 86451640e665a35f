# SPDX-License-Identifier: Apache-2.0
"""The virtual board: compiled RTL of the linked core, with a serial line."""

import ctypes
import errno
import os
from pathlib import Path

from spikewright.hw.link import LinkParams
from spikewright.hw.linked_core import LinkedCore
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.plan.plan import Plan

from .compiled import compile_design

__all__ = ["VirtualBoard"]

CHUNK = 4096        # bytes that `settle` asks for at once


class VirtualBoard:
    """The linked core in compiled RTL, with ``write`` and ``read`` as a serial port has them.

    Its time is counted in clock cycles. It passes only while ``read`` waits. Cycles in which
    nothing can change are skipped: the board rests between two bytes.

    Parameters
    ----------
    plan : Plan
    link : LinkParams
    cache : Path
        Folder that keeps compiled designs.
    timeout : float
        Seconds of the board's time for which ``read`` waits after the line to the board is idle.
    bits : bool
        Also simulate the UART of the board, bit by bit: slower, for tests of the line.
    slow : float
        How much longer a bit to the board takes than it should, in parts of 1.
    waves : bool
        Whether `record` can be called. The board is then slower.

    Raises
    ------
    InputError
        If a tool is not installed or fails.
    """

    def __init__(self, plan: Plan, link: LinkParams, cache: Path, timeout: float = 0.02, *,
                 bits: bool = False, slow: float = 0.0, waves: bool = False):
        design = convert(LinkedCore(core_params(plan), link, bits=bits))
        header = "#define LINE_OF_BITS\n" * bits + "#define WAVES\n" * waves
        library = ctypes.CDLL(str(compile_design(design, "board_driver.cc", cache, header,
                                                 waves=waves)))
        library.board_new.restype = ctypes.c_void_p
        library.board_new.argtypes = [ctypes.c_int64, ctypes.c_double]
        library.board_now.restype = ctypes.c_int64
        library.board_now.argtypes = [ctypes.c_void_p]
        library.board_free.argtypes = [ctypes.c_void_p]
        library.board_write.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64]
        library.board_read.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64,
                                       ctypes.c_int64]
        library.board_read.restype = ctypes.c_int64
        if waves:
            library.board_waves.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double]
            library.board_waves.restype = ctypes.c_int
        self._library = library
        self._board = library.board_new(link.divisor, slow)
        self._clock_hz = link.clock_hz
        self._patience = round(timeout * link.clock_hz)

    @property
    def now(self) -> float:
        """Seconds that have passed on the board."""
        return self._library.board_now(self._opened()) / self._clock_hz

    def write(self, data: bytes) -> int:
        """Queue ``data`` for the board, and return the number of bytes."""
        self._library.board_write(self._opened(), data, len(data))
        return len(data)

    def read(self, size: int = 1) -> bytes:
        """Let time pass until ``size`` bytes have come or the timeout is over. Return the bytes."""
        buffer = ctypes.create_string_buffer(size)
        count = self._library.board_read(self._opened(), buffer, size, self._patience)
        return buffer.raw[:count]

    def settle(self) -> bytes:
        """Let time pass until the board rests. Return all bytes that have come."""
        data = b""
        while True:
            buffer = ctypes.create_string_buffer(CHUNK)
            count = self._library.board_read(self._opened(), buffer, CHUNK, 0)
            data += buffer.raw[:count]
            if count < CHUNK:
                return data

    def record(self, path: Path | None) -> None:
        """Write what all signals do from now on to a .vcd file; None ends the file.

        Memories are not in the file. The clock stands while nothing can change. A board writes one
        file in its life.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        name = None if path is None else os.fsencode(path)
        if not self._library.board_waves(self._opened(), name, 1e9 / self._clock_hz):
            raise OSError(errno.EIO, "the waves cannot be written", str(path or "waves"))

    def close(self) -> None:
        """Free the memory of the board. The board cannot be used after that."""
        if self._board is not None:
            self._library.board_free(self._board)
            self._board = None

    def _opened(self):
        if self._board is None:
            raise ValueError("Virtual board must be open, not closed")
        return self._board
