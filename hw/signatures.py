# SPDX-License-Identifier: Apache-2.0
"""Ports that two blocks share, spelled once. ``Out`` is the side that asks."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .layouts import cell_layout, currents_layout, event_layout, weights_layout, words_layout

__all__ = ["CurrentsSignature", "MomentsSignature", "SpikeListSignature", "UpdateSignature",
           "WindowSignature", "WordSignature"]


class CurrentsSignature(wiring.Signature):
    """How a block reads and writes synaptic currents.

    A read takes one cycle; ``read`` stays as it is in a cycle without ``reads``.

    Members
    -------
    reads : :py:`Out(1)`
        Read ``read_words`` in this cycle.
    read_words : :py:`Out(words_layout(lanes, words))`
    read : :py:`In(currents_layout(lanes, width))`
        The words that were read last.
    write_lanes : :py:`Out(lanes)`
        Lanes to write in this cycle.
    write_words : :py:`Out(words_layout(lanes, words))`
    write : :py:`Out(currents_layout(lanes, width))`
    """

    def __init__(self, lanes, words, width):
        super().__init__({
            "reads":       Out(1),
            "read_words":  Out(words_layout(lanes, words)),
            "read":        In(currents_layout(lanes, width)),
            "write_lanes": Out(lanes),
            "write_words": Out(words_layout(lanes, words)),
            "write":       Out(currents_layout(lanes, width)),
        })


class MomentsSignature(wiring.Signature):
    """How the update of a normalized window reads the moments of its counts, and clears the counts.

    Members
    -------
    once, squares : :py:`In(count)`, :py:`In(square)`
        Sum of all counts; sum of their squares.
    zero : :py:`Out(cell_layout(parts, rows))`
        In a cycle with ``valid``, that count becomes 0.
    """

    def __init__(self, parts, rows, count, square):
        super().__init__({
            "once":    In(count),
            "squares": In(square),
            "zero":    Out(cell_layout(parts, rows)),
        })


class SpikeListSignature(wiring.Signature):
    """How the sequencer reads a list of the spike log.

    Members
    -------
    select : :py:`Out(1)`
        Turn to the begin of the list of population ``list``, ``delay`` steps ago.
    delay : :py:`Out(range(slots))`
    list : :py:`Out(range(lists))`
    since, before : :py:`Out(range(ages))`
        Steps after a reset in which the list has events, the second one excluded; only with
        ``ages``.
    fetch : :py:`Out(1)`
        Read the group of ``number``, which is steady until the next such cycle.
    more : :py:`In(1)`
        A spike of the list is left.
    number : :py:`In(range(numbers))`
        Position of that neuron among the groups of all populations.
    value : :py:`In(signed(value))`
        Value of that unit; only where there are values.
    take : :py:`Out(1)`
        Go on to the next spike; only where ``number`` is valid.
    """

    def __init__(self, slots, lists, numbers, value=0, ages=0):
        super().__init__({
            "select": Out(1),
            "delay":  Out(range(slots)),
            "list":   Out(range(max(lists, 2))),
            "fetch":  Out(1),
            "more":   In(1),
            "number": In(range(max(numbers, 2))),
            "take":   Out(1),
        } | ({"value": In(signed(value))} if value else {})
          | ({"since": Out(range(ages)), "before": Out(range(ages))} if ages else {}))


class UpdateSignature(wiring.Signature):
    """How the sequencer leads the block that updates neurons.

    Members
    -------
    start : :py:`Out(1)`
        Begin with ``count`` groups from ``first`` on, whose currents begin at state word ``word``.
    first : :py:`Out(range(groups))`
    count : :py:`Out(range(groups + 1))`
    word : :py:`Out(range(words))`
    decay : :py:`Out(1)`
        The pass that starts lets all currents decay; only with a neuron unit per lane.
    clear : :py:`Out(1)`
        Write zeros instead; steady while a pass runs.
    mode : :py:`Out(range(modes))`
        What is done with the population; steady while a pass runs. Only where there are several
        modes. For neurons it is what a spike does, an index of `network.network.RESETS`.
    inner : :py:`Out(range(inner))`
        The inner step; steady while a pass runs. Only where there are several.
    decays : :py:`In(1)`
        Addresses currents that decay.
    done : :py:`In(1)`
        The last word of the pass is written in this cycle.
    """

    def __init__(self, groups, words, *, modes=1, inner=1):
        super().__init__({
            "start":  Out(1),
            "first":  Out(range(max(groups, 2))),
            "count":  Out(range(groups + 1)),
            "word":   Out(range(max(words, 2))),
            "decay":  Out(1),
            "clear":  Out(1),
            "decays": In(1),
            "done":   In(1),
        } | ({"mode": Out(range(modes))} if modes > 1 else {})
          | ({"inner": Out(range(inner))} if inner > 1 else {}))


class WindowSignature(wiring.Signature):
    """How the sequencer appends an input event to the window log.

    Members
    -------
    event : :py:`Out(event_layout(rows))`
        An event that is taken.
    full : :py:`In(1)`
        An event would be lost, because there is no room for it.
    """

    def __init__(self, rows, value=0):
        super().__init__({
            "event": Out(event_layout(rows, value)),
            "full":  In(1),
        })


class WordSignature(wiring.Signature):
    """How the row look-up gives a word of weights to the row adder. Nothing stalls a word.

    Members
    -------
    valid : :py:`Out(1)`
        A word is there in this cycle.
    lanes : :py:`Out(lanes)`
        Lanes to add to; 0 without ``valid``.
    words : :py:`Out(words_layout(lanes, words))`
        State word that each lane adds to.
    weights : :py:`Out(weights_layout(lanes, weight))`
    shift : :py:`Out(range(row_shift + 1))`
        Left shift of all these weights, in bits.
    gain : :py:`Out(signed(gain))`
        Factor of all these weights; only where there are gains.
    """

    def __init__(self, lanes, words, weight, row_shift, gain=0):
        super().__init__({
            "valid":   Out(1),
            "lanes":   Out(lanes),
            "words":   Out(words_layout(lanes, words)),
            "weights": Out(weights_layout(lanes, weight)),
            "shift":   Out(range(row_shift + 1)),
        } | ({"gain": Out(signed(gain))} if gain else {}))
