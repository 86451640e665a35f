# SPDX-License-Identifier: Apache-2.0
"""Payload shapes of the streams and ports, spelled once."""

from amaranth import *
from amaranth.lib import data, enum

__all__ = ["TableFormat", "TokenKind", "cell_layout", "currents_layout", "event_layout",
           "group_layout", "listed_layout", "load_layout", "membrane_layout", "move_layout",
           "result_layout", "spike_layout", "stage_layout", "stored_layout", "token_layout",
           "weights_layout", "words_layout"]


class TokenKind(enum.Enum, shape=2):
    """What a token asks of the core."""

    EVENT = 0
    STEP = 1
    RESET = 2


class TableFormat(enum.Enum, shape=2):
    """Format of the table that a row lies in, see `plan.formats`."""

    DENSE = 0
    BITMAP = 1
    ROWS = 2


def token_layout(rows):
    """One request to the core: ``row`` (0 .. rows - 1) counts only for an EVENT."""
    return data.StructLayout({
        "kind": TokenKind,
        "row":  range(max(rows, 2)),
    })


def event_layout(rows, value=0):
    """An input event for the log, in a cycle with ``valid``; or a unit and its value."""
    return data.StructLayout({"valid": 1, "row": range(max(rows, 2))} |
                             ({"value": signed(value)} if value else {}))


def cell_layout(parts, rows):
    """A count of a normalized window, in a cycle with ``valid``."""
    return data.StructLayout({
        "valid": 1,
        "part":  range(max(parts, 2)),
        "row":   range(max(rows, 2)),
    })


def move_layout(parts, rows):
    """An event that enters a part of a normalized window, or ``leaves`` it."""
    return data.StructLayout(dict(cell_layout(parts, rows).members) | {"leaves": 1})


def result_layout(outputs, width):
    """Answer of one step: ``outputs`` signed integers of ``width`` bits, in output LSB."""
    return data.StructLayout({
        "step":      32,
        "cycles":    24,
        "saturated": 1,
        "outputs":   data.ArrayLayout(signed(width), outputs),
    })


def group_layout(groups, units):
    """Who fired among the ``units`` neurons of a group: neuron k if bit k of ``fired``."""
    return data.StructLayout({
        "group": range(max(groups, 2)),
        "fired": units,
    })


def spike_layout(groups, units, value=0, inner=1):
    """Spikes of one group, in a cycle with ``valid``.

    With ``value``, a group is a unit, and ``value`` has so many bits. With several ``inner`` steps,
    it has the number of one.
    """
    return data.StructLayout({
        "valid": 1,
        **dict(group_layout(groups, units).members),
    } | ({"value": signed(value)} if value else {})
      | ({"inner": range(inner)} if inner > 1 else {}))


def membrane_layout(groups, units, width):
    """New membranes of one group, in a cycle with ``valid``."""
    return data.StructLayout({
        "valid":     1,
        "group":     range(max(groups, 2)),
        "membranes": data.ArrayLayout(signed(width), units),
    })


def stage_layout():
    """Flags of a pipeline stage: whether it holds something, and whether that is the last."""
    return data.StructLayout({"valid": 1, "last": 1})


def weights_layout(lanes, bits):
    """Weights of one word: one signed integer of ``bits`` per lane."""
    return data.ArrayLayout(signed(bits), lanes)


def listed_layout(lanes, bits, word_bits):
    """One word of a row-compressed table: per lane a weight, and the state word it is for."""
    return data.ArrayLayout(data.StructLayout({
        "weight": signed(bits),
        "word":   word_bits,
    }), lanes)


def words_layout(lanes, words):
    """State word of each lane."""
    return data.ArrayLayout(range(max(words, 2)), lanes)


def currents_layout(lanes, width):
    """Synaptic currents of one state word: one signed integer per lane."""
    return data.ArrayLayout(signed(width), lanes)


def load_layout(words, word_bytes, staged=False):
    """One byte of the weight table: byte 0 of a word has its lowest bits.

    Where words are ``staged``, ``copy`` asks instead for the word to be copied into its table.
    """
    return data.StructLayout({
        "word": range(max(words, 2)),
        "byte": range(max(word_bytes, 2)),
        "data": 8,
    } | ({"copy": 1} if staged else {}))


def stored_layout(words, word_bytes):
    """A word for one of the memories that a host loads, in a cycle with ``valid``."""
    return data.StructLayout({
        "valid": 1,
        "word":  range(max(words, 2)),
        "data":  8 * word_bytes,
    })
