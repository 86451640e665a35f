# SPDX-License-Identifier: Apache-2.0
"""A serial port as the driver wants it."""

import serial

__all__ = ["SerialPort"]


class SerialPort:
    """Serial line to a board, 8N1.

    Parameters
    ----------
    device : str
        Name of the port, or any URL that pyserial knows.
    baud : int
        Bits per second, as the board was built for.
    timeout : float
        Seconds that :meth:`read` waits.
    """

    def __init__(self, device: str, baud: int, timeout: float = 0.1):
        self._port = serial.serial_for_url(device, baudrate=baud, timeout=timeout)
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
