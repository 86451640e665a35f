# SPDX-License-Identifier: Apache-2.0
"""Driver: spikes to a decoder, over a serial port or the virtual board, and its outputs back."""

from .driver import Decoder, NoAnswerError
from .serial_port import SerialPort

__all__ = ["Decoder", "NoAnswerError", "SerialPort"]
