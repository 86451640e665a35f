# SPDX-License-Identifier: Apache-2.0
"""Payload shapes of the streams, spelled once."""

from amaranth import *
from amaranth.lib import data, enum

__all__ = ["TokenKind", "result_layout", "spike_layout", "token_layout"]


class TokenKind(enum.Enum, shape=2):
    """What a token asks of the core."""

    EVENT = 0
    STEP = 1
    RESET = 2


def token_layout(rows):
    """One request to the core: ``row`` (0 .. rows - 1) counts only for an EVENT."""
    return data.StructLayout({
        "kind": TokenKind,
        "row":  range(max(rows, 2)),
    })


def result_layout(outputs, width):
    """Answer of one step: ``outputs`` signed integers of ``width`` bits, in output LSB."""
    return data.StructLayout({
        "step":      32,
        "cycles":    24,
        "saturated": 1,
        "outputs":   data.ArrayLayout(signed(width), outputs),
    })


def spike_layout(neurons):
    """One spike of one spiking neuron, as the monitor port shows it."""
    return data.StructLayout({
        "valid":  1,
        "neuron": range(max(neurons, 2)),
    })
