# SPDX-License-Identifier: Apache-2.0
"""Payload shapes of the streams, and the ports that two blocks share, spelled once."""

from amaranth import *
from amaranth.lib import data, enum
from amaranth.lib.wiring import In, Out

__all__ = ["TableFormat", "TokenKind", "currents_layout", "group_layout", "listed_layout",
           "load_layout", "membrane_layout", "result_layout", "row_layout", "spike_layout",
           "token_layout", "update_members", "weights_layout", "words_layout"]


class TokenKind(enum.Enum, shape=2):
    """What a token asks of the core."""

    EVENT = 0
    STEP = 1
    RESET = 2


class TableFormat(enum.Enum, shape=2):
    """Format of the table that a row lies in, see plan.tables."""

    DENSE = 0
    BITMAP = 1
    ROWS = 2


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


def group_layout(groups, units):
    """Who fired among the ``units`` neurons of a group: neuron k if bit k of ``fired``."""
    return data.StructLayout({
        "group": range(max(groups, 2)),
        "fired": units,
    })


def spike_layout(groups, units):
    """Spikes of one group, as the monitor port shows them."""
    return data.StructLayout({
        "valid": 1,
        **dict(group_layout(groups, units).members),
    })


def row_layout(params):
    """One row for the adder: where it lies, and where it is added.

    ``address`` of its first word in the table, or of its first slice; ``row`` counts only for a
    bitmap, of which it is the entry in the directory; ``width`` is the number of the weights'
    width, where there are several.
    """
    return data.StructLayout({
        "format":  TableFormat,
        "address": range(max(params.most_table_words, 2)),
        "row":     range(max(params.most_directory, 2)),
        "target":  range(max(params.state_words, 2)),
        "words":   range(params.most_row_words + 1),
        "shift":   range(params.most_row_shift + 1),
    } | ({"width": range(len(params.tables))} if len(params.tables) > 1 else {}))


def weights_layout(params, bits):
    """Weights of one word: one signed integer of ``bits`` per lane."""
    return data.ArrayLayout(signed(bits), params.lanes)


def listed_layout(params, bits):
    """One word of a row-compressed table: per lane a weight, and the state word it is for."""
    return data.ArrayLayout(data.StructLayout({
        "weight": signed(bits),
        "word":   params.tables[bits].word_bits,
    }), params.lanes)


def words_layout(params):
    """State word of each lane."""
    return data.ArrayLayout(range(max(params.state_words, 2)), params.lanes)


def load_layout(words, word_bytes):
    """One byte of the weight table: byte 0 of a word has its lowest bits."""
    return data.StructLayout({
        "word": range(max(words, 2)),
        "byte": range(max(word_bytes, 2)),
        "data": 8,
    })


def currents_layout(params):
    """Synaptic currents of one state word: one signed integer per lane."""
    return data.ArrayLayout(signed(params.widths.current), params.lanes)


def membrane_layout(params):
    """New membranes of one group of neurons of a population."""
    return data.StructLayout({
        "valid":     1,
        "word":      range(max(params.groups, 2)),
        "membranes": data.ArrayLayout(signed(params.widths.membrane), params.units),
    })


def update_members(params):
    """Members that whatever updates neurons has, beside what says which neurons it updates.

    ``read`` and ``write`` go to :class:`CurrentMemory`.
    """
    word = range(max(params.state_words, 2))
    return {
        "start":       In(1),
        "clear":       In(1),
        "done":        Out(1),
        "o":           Out(membrane_layout(params)),
        "spike":       Out(spike_layout(params.groups, params.units)),
        "saturated":   Out(1),
        "reads":       Out(1),
        "read_word":   Out(word),
        "read":        In(currents_layout(params)),
        "write_word":  Out(word),
        "write_lanes": Out(params.lanes),
        "write":       Out(currents_layout(params)),
    }
