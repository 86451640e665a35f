# SPDX-License-Identifier: Apache-2.0
"""Neuron units: one step of a population, a state word with a neuron in each lane per cycle."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from spikewright.plan.images import lane_words
from spikewright.plan.timing import decay_cycles

from ..arith import overflows, round_half_up, saturate
from ..layouts import update_members
from ..params import CoreParams

__all__ = ["LaneUpdate"]

# Bits of a membrane that a multiplier of a device takes; the rest is multiplied bit by bit.
FACTOR_BITS = 16


class LaneUpdate(wiring.Component):
    """Advances populations by one step, as ``golden.core.update`` does, but in two passes.

    A pass takes a state word per cycle. That over a population forms its membranes from its
    currents. When all populations had theirs, that with ``decay`` lets all currents decay.

    The first word is addressed in the cycle after ``start``, and ``done`` comes ``count +
    LANE_FLUSH_CYCLES - 1`` cycles after ``start``; nothing stalls it. State is 0 after
    configuration, when a decay of all currents begins.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    start : :py:`In(1)`
        Begin with ``count`` words from ``first`` on.
    decay : :py:`In(1)`
        The pass that starts lets currents decay.
    clear : :py:`In(1)`
        Write zeros instead; steady while a pass runs.
    decays : :py:`Out(1)`
        Addresses currents that decay. A row may be taken from the second cycle after it on.
    done : :py:`Out(1)`
        The last word of the pass is written in this cycle.
    o : :py:`Out(membrane_layout(params))`
        New membranes of each word; ``valid`` for one cycle each.
    spike : :py:`Out(spike_layout(groups, units))`
        Neurons of a word that fire, one cycle after their membranes; ``valid`` if there are any.
    saturated : :py:`Out(1)`
        A membrane is clamped in this cycle.
    reads : :py:`Out(1)`
        Needs the word that it reads.
    read_word, read, write_word, write_lanes, write
        To :class:`CurrentMemory`.
    """

    def __init__(self, params: CoreParams):
        self.params = params

        super().__init__(update_members(params) | {
            "first":  In(range(max(params.state_words, 2))),
            "count":  In(range(params.state_words + 1)),
            "decay":  In(1),
            "decays": Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        # a: addresses m, or a current that decays. b: is read. c: operands. d: product, and
        # addresses the current of m. e: whole product. f: sum, which is clamped and written.
        lanes = self.params.lanes
        a, b, c, d, e, f = (Signal(2, name=f"{stage}_valid_last") for stage in "abcdef")
        words = [Signal(range(max(self.params.state_words, 2)), name=f"{stage}_word")
                 for stage in "abcdef"]
        decay = Signal(init=1)
        self._issue(m, a, words[0], decay)
        m.d.sync += [
            Cat(b, c, d, e, f).eq(Cat(a, b, c, d, e)),
            Cat(words[1:]).eq(Cat(words[:-1])),
        ]

        m.submodules.refractory = memory_ = memory.Memory(
            shape=lanes, depth=self.params.state_words, init=[])
        was_fired, fires = memory_.read_port(), memory_.write_port()
        saturates, fired, told = Signal(lanes), Signal(lanes), Signal()
        m.d.comb += [
            was_fired.en.eq(e[0]),
            was_fired.addr.eq(words[4]),
            fires.addr.eq(self.spike.group),
            fires.data.eq(self.spike.fired),
            fires.en.eq(told),
            self.spike.valid.eq(told & self.spike.fired.any()),
            self.decays.eq(a[0] & decay),
            self.done.eq(f.all()),
            self.o.word.eq(words[5]),
            self.o.valid.eq(f[0] & ~decay),
            self.saturated.eq(self.o.valid & saturates.any()),
            self.reads.eq(Mux(decay, a[0], d[0])),
            self.read_word.eq(Mux(decay, words[0], words[3])),
            self.write_word.eq(words[5]),
            self.write_lanes.eq((f[0] & decay).replicate(lanes)),
        ]
        m.d.sync += [
            told.eq(self.o.valid),
            self.spike.group.eq(words[5]),
            self.spike.fired.eq(fired),
        ]
        for lane in range(lanes):
            total, threshold, fires_ever = self._sum(m, lane, words, a[0], decay)
            zero = was_fired.data[lane] | self.clear
            membrane = self.o.membranes[lane]
            m.d.comb += [
                membrane.eq(Mux(zero, 0, saturate(total, len(membrane)))),
                saturates[lane].eq(~zero & overflows(total, len(membrane))),
                # As `membrane > threshold`, without a wait for the clamp.
                fired[lane].eq((total > threshold) & fires_ever & ~zero),
                self.write[lane].eq(Mux(self.clear, 0, total)),
            ]

        return m

    def _issue(self, m, a, word, decay):
        """Count through the words of a pass."""
        left = Signal.like(self.count, init=decay_cycles(self.params.model, self.params.config))
        m.d.comb += a.eq(Cat(left != 0, left == 1))
        with m.If(self.start):
            m.d.sync += [
                word.eq(self.first),
                left.eq(self.count),
                decay.eq(self.decay),
            ]
        with m.Elif(a[0]):
            m.d.sync += [
                word.eq(word + 1),
                left.eq(left - 1),
            ]

    def _sum(self, m, lane, words, reads, decay):
        """``rnd(B * m) + s``, or ``rnd(A * s)``; the threshold, and whether m can exceed it."""
        widths = self.params.widths
        m.submodules[f"membranes_{lane}"] = bank = memory.Memory(
            shape=signed(widths.membrane), depth=self.params.state_words, init=[])
        read, write = bank.read_port(), bank.write_port()
        m.d.comb += [
            read.en.eq(reads),
            read.addr.eq(words[0]),
            write.addr.eq(words[5]),
            write.data.eq(self.o.membranes[lane]),
            write.en.eq(self.o.valid),
        ]
        # Values of the pipeline count only where a stage is valid. Those of a multiplier must not
        # have a reset: else synthesis leaves its own registers unused.
        x = Signal(signed(widths.membrane), name=f"x_{lane}", reset_less=True)
        k = Signal(widths.decay, name=f"k_{lane}", reset_less=True)
        threshold = Signal.like(x, name=f"threshold_{lane}")
        total = Signal(signed(widths.membrane + 1), name=f"total_{lane}",
                       reset_less=True)
        fires_ever = Signal(name=f"fires_ever_{lane}")
        largest = widths.largest_membrane
        constants = lane_words(self.params.model, self.params.lanes)[lane]
        m.d.sync += [
            x.eq(Mux(decay, self.read[lane], read.data)),
            k.eq(Mux(decay, self._table(m, words[1], [word[0] for word in constants], len(k)),
                     self._table(m, words[1], [word[1] for word in constants], len(k)))),
            threshold.eq(self._table(m, words[4], [word[2] for word in constants], len(x))),
            fires_ever.eq(self._table(m, words[4], [word[2] != largest for word in constants], 1)),
        ]
        # The lowest bits of the whole product cannot reach what is left of it.
        product, gone = self._multiply(m, x, k, lane)
        current = Mux(decay, 0, self.read[lane]).as_signed()
        m.d.sync += total.eq(round_half_up(product, widths.decay - gone, current))
        return total, threshold, fires_ever

    def _table(self, m, word, image, width):
        """Entry of a table of constants: logic, since a block RAM would be empty but for these."""
        entry = Signal(width)
        with m.Switch(word):
            for k, value in enumerate(image):
                with m.Case(k):
                    m.d.comb += entry.eq(value)
        return entry

    def _multiply(self, m, x, k, lane):
        """``x * k >> gone``, two cycles after its factors, and ``gone``.

        The upper bits of x have a multiplier; the product of the lower ones is a sum of shifts.
        """
        lower = max(0, min(len(x) - FACTOR_BITS, len(k) - 1))
        upper = Signal(signed(len(x) - lower + len(k)), name=f"upper_{lane}",
                       reset_less=True)
        whole = Signal(signed(len(x) - lower + len(k)), name=f"whole_{lane}",
                       reset_less=True)
        m.d.sync += [
            upper.eq(x[lower:].as_signed() * k),
            whole.eq(upper + (self._lower(m, x[:lower], k, lane) >> lower)),
        ]
        return whole, lower

    def _lower(self, m, x, k, lane):
        """``x * k`` one cycle after its factors, a sum of pairs of bits of x."""
        total = Const(0)
        for i in range(0, len(x), 2):
            pair = Signal(len(k) + 2, name=f"pair_{lane}_{i}", reset_less=True)
            high = Mux(x[i + 1], k << 1, 0) if i + 1 < len(x) else 0
            m.d.sync += pair.eq(Mux(x[i], k, 0) + high)
            total = total + (pair << i)
        return total
