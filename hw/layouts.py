# SPDX-License-Identifier: Apache-2.0
"""Payload shapes of the streams, spelled once."""

from amaranth import *
from amaranth.lib import data, enum

__all__ = ["TokenKind", "currents_layout", "membrane_layout", "result_layout", "row_layout",
           "spike_layout", "token_layout"]


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


def row_layout(params):
    """One row for the adder, counted in words: where it lies, and where it is added."""
    return data.StructLayout({
        "address": range(max(len(params.weight_image), 2)),
        "target":  range(max(params.state_words, 2)),
        "words":   range(params.most_row_words + 1),
    })


def currents_layout(params):
    """Synaptic currents of one state word: one signed integer per lane."""
    return data.ArrayLayout(signed(params.widths.current), params.lanes)


def membrane_layout(params):
    """New membrane of one neuron of a population: what the neuron pipeline tells of it."""
    return data.StructLayout({
        "valid":    1,
        "fired":    1,
        "neuron":   range(max(params.neurons, 2)),
        "membrane": signed(params.widths.membrane),
    })
