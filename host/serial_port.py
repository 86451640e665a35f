# SPDX-License-Identifier: Apache-2.0
"""A serial port in the form that the driver needs."""

import serial

from spikewright.plan.frames import CODED_MAX

__all__ = ["SerialPort"]

# Bits of a byte with start and stop bit; delimiters before and after a coded frame.
LINE_BITS, LINE_EXTRA = 10, 2


class SerialPort:
    """Serial line to a board, 8N1.

    Parameters
    ----------
    device : str
        Name of the port, or any URL that pyserial knows.
    baud : int
        Bits per second, as the board was built for.
    timeout : float
        Seconds that :meth:`read` waits. The time of the longest request and answer on the line is
        added, because written bytes may still be on their way.
    """

    def __init__(self, device: str, baud: int, timeout: float = 0.1):
        line = 2 * LINE_BITS * (CODED_MAX + LINE_EXTRA) / baud
        self._port = serial.serial_for_url(device, baudrate=baud, timeout=timeout + line)
        self._port.reset_input_buffer()

    def write(self, data: bytes) -> int:
        """Send ``data``."""
        return self._port.write(data)

    def read(self, size: int = 1) -> bytes:
        """Up to ``size`` bytes; fewer after the timeout."""
        return self._port.read(size)

    def close(self) -> None:
        """Close the port."""
        self._port.close()
