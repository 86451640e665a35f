# SPDX-License-Identifier: Apache-2.0
"""Counters of the shared neuron pipelines: which neuron, which half of it, which lane."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..layouts import stage_layout

__all__ = ["LaneWalk", "NeuronWalk"]


class LaneWalk(wiring.Component):
    """Goes through the currents of a population in order: lane by lane, word by word.

    The place is that of the cycle after ``start`` or ``step``. It is lane 0 of word 0 after
    configuration.

    Parameters
    ----------
    lanes, words : :class:`int`

    Members
    -------
    start, word : :py:`In(1)`, :py:`In(range(words))`
        Go to lane 0 of ``word``.
    step : :py:`In(1)`
        Go on by one lane.
    at_lane, at_word : :py:`Out(range(lanes))`, :py:`Out(range(words))`
    """

    def __init__(self, lanes: int, words: int):
        self.lanes = lanes

        super().__init__({
            "start":   In(1),
            "word":    In(range(max(words, 2))),
            "step":    In(1),
            "at_lane": Out(range(max(lanes, 2))),
            "at_word": Out(range(max(words, 2))),
        })

    def elaborate(self, platform):
        m = Module()

        with m.If(self.start):
            m.d.sync += [
                self.at_lane.eq(0),
                self.at_word.eq(self.word),
            ]
        with m.Elif(self.step):
            m.d.sync += self.at_lane.eq(self.at_lane + 1)
            with m.If(self.at_lane == self.lanes - 1):
                m.d.sync += [
                    self.at_lane.eq(0),
                    self.at_word.eq(self.at_word + 1),
                ]

        return m


class NeuronWalk(wiring.Component):
    """Addresses the neurons of a population, both halves of each.

    One half is addressed in each cycle, from the cycle after ``start`` on. Nothing stalls.

    Parameters
    ----------
    neurons : :class:`int`
        Neurons of all populations.

    Members
    -------
    start, first, count : :py:`In(1)`, :py:`In(range(neurons))`, :py:`In(range(neurons + 1))`
        Begin in the next cycle with ``count`` neurons from ``first`` on.
    en, half, neuron : :py:`Out(1)`, :py:`Out(1)`, :py:`Out(range(neurons))`
        The half that is addressed in this cycle.
    a : :py:`Out(stage_layout())`
        Stage a of the pipeline: ``valid`` in the first half of a neuron, ``last`` for the last
        neuron.
    """

    def __init__(self, neurons: int):
        super().__init__({
            "start":  In(1),
            "first":  In(range(max(neurons, 2))),
            "count":  In(range(neurons + 1)),
            "en":     Out(1),
            "half":   Out(1),
            "neuron": Out(range(max(neurons, 2))),
            "a":      Out(stage_layout()),
        })

    def elaborate(self, platform):
        m = Module()

        left = Signal.like(self.count)
        m.d.comb += [
            self.en.eq(left != 0),
            self.a.valid.eq(self.en & ~self.half),
            self.a.last.eq(left == 1),
        ]
        with m.If(self.start):
            m.d.sync += [
                self.neuron.eq(self.first),
                left.eq(self.count),
            ]
        with m.Elif(left != 0):
            m.d.sync += self.half.eq(~self.half)
            with m.If(self.half):
                m.d.sync += [
                    self.neuron.eq(self.neuron + 1),
                    left.eq(left - 1),
                ]

        return m
