# SPDX-License-Identifier: Apache-2.0
"""The host: sends spikes to a decoder, over a serial port or the virtual board, and reads outputs."""

from .driver import Decoder, NoAnswerError
from .serial_port import SerialPort

__all__ = ["Decoder", "NoAnswerError", "SerialPort"]
