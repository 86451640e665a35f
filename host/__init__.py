# SPDX-License-Identifier: Apache-2.0
"""The host: sends spikes to a decoder, on a board or the virtual one, and reads its outputs."""

from .driver import Decoder, NoAnswerError
from .serial_port import SerialPort

__all__ = ["Decoder", "NoAnswerError", "SerialPort"]
