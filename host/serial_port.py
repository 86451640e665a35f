# SPDX-License-Identifier: Apache-2.0
"""A serial port in the form that the driver needs."""

import contextlib
import errno
import termios
from pathlib import Path

import serial
from serial.tools import list_ports

from spikewright.base.errors import InputError
from spikewright.base.files import real_path
from spikewright.plan.frames import CODED_MAX

__all__ = ["PortError", "SerialPort"]

# Bits of a byte with start and stop bit; delimiters before and after a coded frame.
LINE_BITS, LINE_EXTRA = 10, 2

# Errors of pyserial if a port does not open, or is unplugged.
FAULTS = (OSError, ValueError, termios.error)

# Linux has a folder here for each USB serial port, with the chip's latency timer in ms.
CHIPS = Path("/sys/bus/usb-serial/devices")


class PortError(serial.SerialException, InputError):
    """A serial port does not open, or does not stay open."""


class SerialPort:
    """Serial line to a board, 8N1, for this program alone.

    The USB serial chip is set to low latency. Otherwise an FTDI chip delays a short answer by
    16 ms.

    Parameters
    ----------
    device : str
        Name of the port, or any URL that pyserial knows.
    baud : int
        Bits per second, as the board was built for.
    timeout : float
        Seconds that :meth:`read` waits. The time of the longest request and answer on the line is
        added, because written bytes may still be on their way.

    Raises
    ------
    PortError
        If the port does not open. :meth:`read` and :meth:`write` raise the same if the port goes
        away.
    """

    def __init__(self, device: str, baud: int, timeout: float = 0.1):
        line = 2 * LINE_BITS * (CODED_MAX + LINE_EXTRA) / baud
        self._device = device
        try:
            self._port = serial.serial_for_url(device, baudrate=baud, timeout=timeout + line,
                                               exclusive=True)
            self._port.reset_input_buffer()
        except FAULTS as error:
            raise PortError(f"Port must be a serial port that opens, not {device!r}: "
                            f"{_reason(error)}") from error
        self._ask_low_latency()

    @property
    def _timer(self) -> Path:
        return CHIPS / real_path(self._device).name / "latency_timer"

    @property
    def slow(self) -> str:
        """How to make the USB serial chip faster, in one line; empty if it needs nothing."""
        milliseconds = _number(self._timer)
        if milliseconds <= 1:
            return ""
        return (f"the USB serial chip of {self._device} may keep an answer back for {milliseconds} "
                f"ms: run 'echo 1 | sudo tee {self._timer}'")

    def write(self, data: bytes) -> int:
        """Send ``data``."""
        try:
            return self._port.write(data)
        except FAULTS as error:
            raise self._gone(error) from error

    def read(self, size: int = 1) -> bytes:
        """Up to ``size`` bytes; fewer after the timeout."""
        try:
            return self._port.read(size)
        except FAULTS as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _ask_low_latency(self) -> None:
        """Ask by the port, or else by the file of the timer. A port may know neither."""
        with contextlib.suppress(AttributeError, NotImplementedError, *FAULTS):
            self._port.set_low_latency_mode(True)
        if self.slow:
            with contextlib.suppress(OSError):
                self._timer.write_text("1", encoding="utf-8")

    def _gone(self, error: Exception) -> PortError:
        return PortError(f"Port must stay connected until the end, not fail: {self._device!r}: "
                         f"{_reason(error)}")


def _number(file: Path) -> int:
    """The number in a file; 0 if there is none."""
    with contextlib.suppress(OSError, ValueError):
        return int(file.read_text(encoding="utf-8"))
    return 0


def _reason(error: Exception) -> str:
    """Why a port fails, and what to do."""
    # pyserial wraps what the system says; only some of its errors keep the number.
    known = (getattr(each, "errno", None) or (each.args or (0,))[0]
             for each in (error, error.__context__) if each is not None)
    number = next((each for each in known if isinstance(each, int) and each), 0)
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        there = ", ".join(sorted(port.device for port in list_ports.comports()))
        return f"it is not there; connected: {there or 'no serial port'}"
    if number in (errno.EACCES, errno.EPERM):
        return ("this user may not open it: join the group of serial ports (Debian: sudo usermod "
                "-aG dialout $USER), then log in again")
    if number in (errno.EBUSY, errno.EAGAIN):
        return "another program holds it: close that program"
    if number in (errno.ENOTTY, errno.EISDIR):
        return "it is not a serial port"
    return str(error) or type(error).__name__
