# SPDX-License-Identifier: Apache-2.0
"""A serial port as the driver wants it."""

import serial

from .codec import FRAME_MAX

__all__ = ["SerialPort"]

# Of a byte, with start and stop bit; and delimiters before and after a coded frame.
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
        Seconds that :meth:`read` waits, beside the time that a request and its answer take on the
        line at most: what was written may be on its way still.
    """

    def __init__(self, device: str, baud: int, timeout: float = 0.1):
        line = 2 * LINE_BITS * (FRAME_MAX + LINE_EXTRA) / baud
        self._port = serial.serial_for_url(device, baudrate=baud, timeout=timeout + line)
        self._port.reset_input_buffer()

    def write(self, data: bytes) -> int:
        """Send ``data``."""
        return self._port.write(data)

    def read(self, size: int = 1) -> bytes:
        """What comes, up to ``size`` bytes; fewer if the time is over."""
        return self._port.read(size)

    def close(self) -> None:
        """Give the port back."""
        self._port.close()
