# SPDX-License-Identifier: Apache-2.0
"""Neuron units: one step of a population, a state word with a neuron in each lane per cycle."""

from amaranth import *
from amaranth.lib import memory, wiring

from ..arith import overflows, round_half_up, saturate
from .neurons import NeuronParams, add_reset, add_stages, after_spike, update_members

__all__ = ["LaneUpdate"]

# Bits of a membrane that a multiplier of a device takes; the rest is multiplied bit by bit.
FACTOR_BITS = 16


class LaneUpdate(wiring.Component):
    """Advances populations by one step, as ``golden.core.update`` does, but in two passes.

    A pass takes one state word per cycle. The first word is addressed in the cycle after
    ``start``. ``done`` comes ``count + LANE_FLUSH_CYCLES - 1`` cycles after ``start``. Nothing
    stalls a pass. State is 0 after configuration, and a decay of all currents then begins. A row
    may be taken from the second cycle after ``decays`` on.

    The pass over a population forms its membranes from its currents. After the last population,
    the pass with ``decay`` lets all currents decay.

    Parameters
    ----------
    params : :class:`NeuronParams`
        A group is a state word.

    Members
    -------
    control, currents, o, spike, saturated
        See `hw.engines.neurons.update_members`. ``spike`` comes one cycle after the membranes of
        its group.
    """

    def __init__(self, params: NeuronParams):
        self.params = params
        super().__init__(update_members(params))

    def elaborate(self, platform):
        m = Module()

        # a: addresses m, or a current that decays. b: is read. c: operands. d: product, and
        # addresses the current of m. e: whole product. f: sum, which is clamped and written.
        params, currents = self.params, self.currents
        lanes  = params.lanes
        a, _, _, d, e, f = add_stages(m, "abcdef")
        words  = [Signal(range(max(params.words, 2)), name=f"{stage}_word") for stage in "abcdef"]
        decay  = Signal(init=1)
        self._issue(m, a, words[0], decay)
        m.d.sync += Cat(words[1:]).eq(Cat(words[:-1]))
        told = Signal()
        was_fired = self._refractory(m, told, e.valid, words[4])
        saturates, fired = Signal(lanes), Signal(lanes)
        m.d.comb += [
            self.control.decays.eq(a.valid & decay),
            self.control.done.eq(f.valid & f.last),
            self.o.group.eq(words[5]),
            self.o.valid.eq(f.valid & ~decay),
            self.saturated.eq(self.o.valid & saturates.any()),
            self.spike.valid.eq(told & self.spike.fired.any()),
            currents.reads.eq(Mux(decay, a.valid, d.valid)),
            currents.read_words.eq(Mux(decay, words[0], words[3]).replicate(lanes)),
            currents.write_words.eq(words[5].replicate(lanes)),
            currents.write_lanes.eq((f.valid & decay).replicate(lanes)),
        ]
        m.d.sync += [
            told.eq(self.o.valid),
            self.spike.group.eq(words[5]),
            self.spike.fired.eq(fired),
        ]
        for lane in range(lanes):
            stored = Signal(signed(params.membrane), name=f"stored_{lane}")
            total, threshold, fires_ever = self._sum(m, lane, words, a.valid, decay, stored)
            drive, zero = add_reset(params, self.control, was_fired[lane], total, threshold)
            membrane = self.o.membranes[lane]
            m.d.comb += [
                membrane.eq(Mux(zero, 0, saturate(drive, params.membrane))),
                saturates[lane].eq(~zero & overflows(drive, params.membrane)),
                # As `membrane > threshold`, without a wait for the clamp.
                fired[lane].eq((drive > threshold) & fires_ever & ~zero),
                # Whether a neuron fired is in a memory of its own.
                stored.eq(Mux(fired[lane], after_spike(params, self.control, membrane, threshold),
                              membrane) if params.chooses else membrane),
                currents.write[lane].eq(Mux(self.control.clear, 0, total)),
            ]

        return m

    def _issue(self, m, a, word, decay):
        """Count through the words of a pass."""
        control = self.control
        left = Signal.like(control.count, init=self.params.words)
        m.d.comb += [
            a.valid.eq(left != 0),
            a.last.eq(left == 1),
        ]
        with m.If(control.start):
            m.d.sync += [
                word.eq(control.first),
                left.eq(control.count),
                decay.eq(control.decay),
            ]
        with m.Elif(a.valid):
            m.d.sync += [
                word.eq(word + 1),
                left.eq(left - 1),
            ]

    def _refractory(self, m, told, reads, word):
        """Lanes of the word in stage f whose neurons fired in the step before."""
        m.submodules.refractory = bank = memory.Memory(
            shape=self.params.lanes, depth=self.params.words, init=[])
        read, write = bank.read_port(), bank.write_port()
        m.d.comb += [
            read.en.eq(reads),
            read.addr.eq(word),
            write.addr.eq(self.spike.group),
            write.data.eq(self.spike.fired),
            write.en.eq(told),
        ]
        return read.data

    def _sum(self, m, lane, words, reads, decay, stored):
        """``rnd(B * m) + s``, or ``rnd(A * s)``; the threshold, and whether m can exceed it.

        ``stored`` is the membrane that the lane keeps.
        """
        params = self.params
        m.submodules[f"membranes_{lane}"] = bank = memory.Memory(
            shape=signed(params.membrane), depth=params.words, init=[])
        read, write = bank.read_port(), bank.write_port()
        m.d.comb += [
            read.en.eq(reads),
            read.addr.eq(words[0]),
            write.addr.eq(words[5]),
            write.data.eq(stored),
            write.en.eq(self.o.valid),
        ]
        # Values of the pipeline count only where a stage is valid. Those of a multiplier must not
        # have a reset: else synthesis leaves its own registers unused.
        x = Signal(signed(params.membrane), name=f"x_{lane}", reset_less=True)
        k = Signal(params.factor, name=f"k_{lane}", reset_less=True)
        threshold = Signal.like(x, name=f"threshold_{lane}")
        total = Signal(signed(params.membrane + 1), name=f"total_{lane}", reset_less=True)
        fires_ever = Signal(name=f"fires_ever_{lane}")
        synaptic, membrane, limit = zip(*params.image[lane], strict=True)
        current = self.currents.read[lane]
        m.d.sync += [
            x.eq(Mux(decay, current, read.data)),
            k.eq(Mux(decay, _entry(m, words[1], synaptic, len(k)),
                     _entry(m, words[1], membrane, len(k)))),
            threshold.eq(_entry(m, words[4], limit, len(x))),
            fires_ever.eq(_entry(m, words[4], [value != params.largest for value in limit], 1)),
        ]
        # The lowest bits of the whole product cannot reach what is left of it.
        product, gone = self._multiply(m, x, k, lane)
        plus = Mux(decay, 0, current).as_signed()
        m.d.sync += total.eq(round_half_up(product, params.decay - gone, plus))
        return total, threshold, fires_ever

    def _multiply(self, m, x, k, lane):
        """``x * k >> gone``, two cycles after its factors, and ``gone``.

        The upper bits of x have a multiplier; the product of the lower ones is a sum of shifts.
        """
        lower = max(0, min(len(x) - FACTOR_BITS, self.params.decay - 1))
        upper = Signal(signed(len(x) - lower + len(k)), name=f"upper_{lane}",
                       reset_less=True)
        # With two registers without a reset behind a multiplier and nothing between them, ice40_dsp
        # of Yosys 0.70 gives the second one two drivers, and its bits become 0.
        whole = Signal(signed(len(x) - lower + len(k)), name=f"whole_{lane}",
                       reset_less=lower > 0)
        m.d.sync += [
            upper.eq(x[lower:].as_signed() * k),
            whole.eq(upper + (_sum_of_shifts(m, x[:lower], k, lane) >> lower)),
        ]
        return whole, lower


def _entry(m, word, image, width):
    """Entry of a table of constants: logic, since a block RAM would be empty but for these."""
    entry = Signal(width)
    with m.Switch(word):
        for k, value in enumerate(image):
            with m.Case(k):
                m.d.comb += entry.eq(value)
    return entry


def _sum_of_shifts(m, x, k, lane):
    """``x * k`` one cycle after its factors, a sum of pairs of bits of x."""
    total = Const(0)
    for i in range(0, len(x), 2):
        pair = Signal(len(k) + 2, name=f"pair_{lane}_{i}", reset_less=True)
        high = Mux(x[i + 1], k << 1, 0) if i + 1 < len(x) else 0
        m.d.sync += pair.eq(Mux(x[i], k, 0) + high)
        total = total + (pair << i)
    return total
