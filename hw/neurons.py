# SPDX-License-Identifier: Apache-2.0
"""Neuron pipeline: one step of a population, one neuron after another."""

from math import gcd

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from quantize.rom import neuron_words

from .arith import overflows, round_half_up, saturate
from .layouts import currents_layout, membrane_layout
from .params import CoreParams

__all__ = ["NeuronUpdate"]


class NeuronUpdate(wiring.Component):
    """Advances the neurons of a population by one step, as ``golden.core.update`` does.

    The first neuron is read in the cycle after ``start``; then a neuron takes NEURON_CYCLES, in
    which one multiplier serves both decays, and the last membrane is told in the cycle of ``done``,
    ``NEURON_CYCLES * neurons + FLUSH_CYCLES`` cycles after ``start``. Nothing stalls it.
    Membranes are 0 after configuration.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    start : :py:`In(1)`
        Begin with ``first``, ``count`` and ``word``, of which golden's schedule tells.
    clear : :py:`In(1)`
        Write zeros instead; steady while the pipeline runs.
    done : :py:`Out(1)`
        The last neuron is told in this cycle, and was written in the one before.
    o : :py:`Out(membrane_layout(params))`
        New membrane of each neuron; ``valid`` for one cycle each.
    saturated : :py:`Out(1)`
        A membrane is clamped in this cycle.
    read_word, read, write_word, write_lanes, write
        To :class:`CurrentMemory`.
    """

    def __init__(self, params: CoreParams):
        self.params = params
        word = range(max(params.state_words, 2))

        super().__init__({
            "start":       In(1),
            "first":       In(range(max(params.neurons, 2))),
            "count":       In(range(params.neurons + 1)),
            "word":        In(word),
            "clear":       In(1),
            "done":        Out(1),
            "o":           Out(membrane_layout(params)),
            "saturated":   Out(1),
            "read_word":   Out(word),
            "read":        In(currents_layout(params)),
            "write_word":  Out(word),
            "write_lanes": Out(params.lanes),
            "write":       Out(currents_layout(params)),
        })

    def elaborate(self, platform):
        m = Module()

        # a: addresses both halves of a neuron; b..h: its stages, one cycle each.
        a_valid, a_last, half = Signal(), Signal(), Signal()
        b, c, d, e, f, g, h = (Signal(2, name=f"{stage}_valid_last") for stage in "bcdefgh")
        neuron = Signal(range(max(self.params.neurons, 2)))
        lane   = Signal(range(max(self.params.lanes, 2)))
        self._issue(m, a_valid, a_last, half, neuron, lane)
        m.d.sync += Cat(b, c, d, e, f, g, h).eq(Cat(a_valid & ~half, a_last, b, c, d, e, f, g))

        membrane = Signal(signed(self.params.widths.membrane))
        written  = Signal.like(neuron)
        value, factor, store = self._memory(m, Cat(half, neuron), written, membrane)
        scaled, was_fired, current, threshold = self._multiply(m, value, factor, lane, b, c, d, e)
        self._integrate(m, scaled, was_fired, current, f, membrane)
        self._write_back(m, scaled, store, f, g, written)
        m.d.sync += [
            self.o.fired.eq(membrane > threshold),
            self.o.membrane.eq(membrane),
            self.o.neuron.eq(written),
        ]
        m.d.comb += [
            self.o.valid.eq(h[0]),
            self.done.eq(h.all()),
        ]

        return m

    def _issue(self, m, valid, last, half, neuron, lane):
        """Count through the neurons: ``half`` 0 reads m and B, ``half`` 1 threshold and A."""
        left = Signal.like(self.count)
        m.d.comb += [
            valid.eq(left != 0),
            last.eq(left == 1),
        ]
        with m.If(self.start):
            m.d.sync += [
                neuron.eq(self.first),
                lane.eq(0),
                self.read_word.eq(self.word),
                left.eq(self.count),
            ]
        with m.Elif(valid):
            m.d.sync += half.eq(~half)
            with m.If(half):
                m.d.sync += [
                    neuron.eq(neuron + 1),
                    left.eq(left - 1),
                ]
                self._next_lane(m, lane, self.read_word)

    def _next_lane(self, m, lane, word):
        m.d.sync += lane.eq(lane + 1)
        with m.If(lane == self.params.lanes - 1):
            m.d.sync += [
                lane.eq(0),
                word.eq(word + 1),
            ]

    def _memory(self, m, address, written, membrane):
        """Neuron memory: value and factor that are read, and the port that writes m."""
        widths = self.params.widths
        image = neuron_words(self.params.model)
        m.submodules.table = table = memory.Memory(
            shape=widths.membrane + widths.decay, depth=len(image), init=image)
        read  = table.read_port()
        grain = gcd(widths.membrane, widths.decay)
        write = table.write_port(granularity=grain)
        m.d.comb += [
            read.addr.eq(address),
            write.addr[1:].eq(written),
            write.data.eq(membrane << widths.decay),
        ]
        store = write.en[widths.decay // grain:]
        return read.data[widths.decay:].as_signed(), read.data[:widths.decay], store

    def _multiply(self, m, value, factor, lane, b, c, d, e):
        """Both products of a neuron, one after the other, and what its membrane needs later."""
        widths  = self.params.widths
        x       = Signal(signed(widths.membrane))
        k       = Signal(widths.decay)
        product = Signal(signed(widths.membrane + widths.decay))
        scaled  = Signal(signed(widths.membrane))
        before, t_now, threshold = (Signal.like(x) for _ in range(3))
        current = Signal(signed(widths.current))
        was_fired = Signal()
        c_lane = Signal.like(lane)
        m.d.sync += [
            c_lane.eq(lane),
            x.eq(Mux(c[0], self.read[c_lane], value)),
            k.eq(factor),
            product.eq(x * k),
            scaled.eq(round_half_up(product, widths.decay)),
        ]
        with m.If(b[0]):
            m.d.sync += before.eq(value)
        with m.If(c[0]):
            m.d.sync += t_now.eq(value)
        with m.If(d[0]):
            m.d.sync += [
                current.eq(x),
                was_fired.eq(before > t_now),
            ]
        with m.If(e[0]):
            m.d.sync += threshold.eq(t_now)
        return scaled, was_fired, current, threshold

    def _integrate(self, m, scaled, was_fired, current, f, membrane):
        """Form ``m = 0 if fired before else sat(rnd(B * m) + s)``."""
        width = self.params.widths.membrane
        total = Signal(signed(width + 1))
        zero  = was_fired | self.clear
        m.d.sync += [
            total.eq(scaled + current),
            membrane.eq(Mux(zero, 0, saturate(total, width))),
        ]
        m.d.comb += self.saturated.eq(f[0] & ~zero & overflows(total, width))

    def _write_back(self, m, scaled, store, f, g, written):
        """Write ``s = rnd(A * s)`` in stage f, m in stage g."""
        lane = Signal(range(max(self.params.lanes, 2)))
        m.d.comb += [
            self.write_lanes.eq(f[0] << lane),
            store.eq(g[0].replicate(len(store))),
        ]
        for i in range(self.params.lanes):
            m.d.comb += self.write[i].eq(Mux(self.clear, 0, scaled))
        with m.If(self.start):
            m.d.sync += [
                lane.eq(0),
                self.write_word.eq(self.word),
                written.eq(self.first),
            ]
        with m.If(f[0]):
            self._next_lane(m, lane, self.write_word)
        with m.If(g[0]):
            m.d.sync += written.eq(written + 1)
