# SPDX-License-Identifier: Apache-2.0
"""Neuron pipeline: one step of a population, one neuron after another."""

from math import gcd

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In
from spikewright.plan.images import neuron_words
from spikewright.plan.timing import tick_cycles

from ..arith import overflows, round_half_up, saturate
from ..layouts import update_members
from ..params import CoreParams

__all__ = ["NeuronUpdate"]


class NeuronUpdate(wiring.Component):
    """Advances the neurons of a population by one step, as ``golden.core.update`` does.

    It works in ticks of ``plan.timing.tick_cycles`` cycles: 1 with a parallel multiplier, and
    one for each bit of a decay, and one more, with a serial one. The first neuron is addressed in
    the tick after ``start``; then a neuron takes NEURON_TICKS, in which the multiplier serves both
    decays. ``done`` comes ``update_cycles - 1`` cycles after ``start``. Membranes are 0 at first.

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
        The last current is written in this cycle; all else was before.
    o : :py:`Out(membrane_layout(params))`
        New membrane of each neuron; ``valid`` for one cycle each.
    spike : :py:`Out(spike_layout(groups, units))`
        A neuron that fires, with its membrane.
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
            "first": In(range(max(params.groups, 2))),
            "count": In(range(params.groups + 1)),
            "word":  In(range(max(params.state_words, 2))),
        })

    def elaborate(self, platform):
        m, pipeline = Module(), Module()

        # a: addresses the halves of a neuron, m and B, then threshold and A, a tick each. b: they
        # are read. c: operands. d: product, with a parallel multiplier. e: sum. Each stage has its
        # flags, valid and last neuron, of the first half; the second follows one tick later.
        serial = self.params.config.multiplier == "serial"
        tick   = self._tick(m, pipeline)
        a, b, c, d, e, f = (Signal(2, name=f"{stage}_valid_last") for stage in "abcdef")
        stages = (a, b, c, e, f) if serial else (a, b, c, d, e, f)
        pipeline.d.sync += Cat(*stages[1:]).eq(Cat(*stages[:-1]))
        half, neuron = Signal(), Signal(range(max(self.params.groups, 2)))
        lane = Signal(range(max(self.params.lanes, 2)))
        addresses = self._issue(pipeline, a, half, neuron, lane, c)

        fired    = Signal()
        membrane = Signal(signed(self.params.widths.membrane))
        written  = Signal.like(neuron)
        value, factor = self._memory(pipeline, addresses, Cat(half, neuron), written,
                                     Mux(fired, _largest(membrane), membrane), f)
        x, threshold, fires_ever, was_fired = self._operands(pipeline, value, lane, c)
        zero  = was_fired | self.clear
        total = Signal(signed(self.params.widths.membrane + 1))
        if serial:
            current = Mux(c[0], self.read[lane], 0)
            self._multiply_serially(m, pipeline, x, factor, tick, total, current)
        else:
            current = Mux(d[0], x[:self.params.widths.current], 0).as_signed()
            self._multiply(pipeline, x, factor, total, current)
        pipeline.d.sync += [
            # m = 0 if fired before else sat(rnd(B * m) + s)
            membrane.eq(Mux(zero, 0, saturate(total, len(membrane)))),
            # As `membrane > threshold`, without a wait for the clamp.
            fired.eq(fires_ever & ~zero & (total > threshold)),
            written.eq(Mux(self.start, self.first, written + f[0])),
        ]
        self._write_back(m, pipeline, total, tick & f[0])
        m.d.comb += [
            self.reads.eq(b[0] | c[0]),
            self.saturated.eq(tick & e[0] & ~zero & overflows(total, len(membrane))),
            self.o.word.eq(written),
            self.o.membranes[0].eq(membrane),
            self.o.valid.eq(tick & f[0]),
            self.spike.valid.eq(self.o.valid & fired),
            self.spike.group.eq(written),
            self.spike.fired.eq(1),
            self.done.eq(tick & f.all()),
        ]

        return m

    def _tick(self, m, pipeline):
        """Let the pipeline go on every ``tick_cycles`` from ``start`` to ``done``."""
        cycles = tick_cycles(self.params.widths, self.params.config)
        if cycles == 1:
            m.submodules.pipeline = pipeline
            return C(1)
        count = Signal(range(cycles))
        runs  = Signal()
        tick  = Signal()
        m.d.comb += tick.eq(count == cycles - 1)
        m.d.sync += [
            count.eq(count + runs),
            runs.eq(self.start | (runs & ~self.done)),
        ]
        with m.If(tick | self.start):
            m.d.sync += count.eq(0)
        m.submodules.pipeline = EnableInserter(tick | self.start)(pipeline)
        return tick

    def _issue(self, m, a, half, neuron, lane, c):
        """Count through the neurons, and after them through the currents that they read.

        Returns whether a half of a neuron is addressed.
        """
        left = Signal.like(self.count)
        addresses = left != 0
        m.d.comb += a.eq(Cat(addresses & ~half, left == 1))
        with m.If(self.start):
            m.d.sync += [
                neuron.eq(self.first),
                left.eq(self.count),
                lane.eq(0),
                self.read_word.eq(self.word),
            ]
        with m.Else():
            with m.If(left != 0):
                m.d.sync += half.eq(~half)
                with m.If(half):
                    m.d.sync += [
                        neuron.eq(neuron + 1),
                        left.eq(left - 1),
                    ]
            with m.If(c[0]):
                self._next_lane(m, lane, self.read_word)
        return addresses

    def _next_lane(self, m, lane, word):
        m.d.sync += lane.eq(lane + 1)
        with m.If(lane == self.params.lanes - 1):
            m.d.sync += [
                lane.eq(0),
                word.eq(word + 1),
            ]

    def _memory(self, m, addresses, address, written, membrane, f):
        """Neuron memory: value and factor that are read; m is written in stage f."""
        widths = self.params.widths
        image = neuron_words(self.params.model)
        m.submodules.table = table = memory.Memory(
            shape=widths.membrane + widths.decay, depth=len(image), init=image)
        read  = table.read_port()
        grain = gcd(widths.membrane, widths.decay)
        write = table.write_port(granularity=grain)
        store = write.en[widths.decay // grain:]
        m.d.comb += [
            read.en.eq(addresses),
            read.addr.eq(address),
            write.addr[1:].eq(written),
            write.data.eq(membrane << widths.decay),
            store.eq(f[0].replicate(len(store))),
        ]
        return read.data[widths.decay:].as_signed(), read.data[:widths.decay]

    def _operands(self, m, value, lane, c):
        """What is multiplied, m in the first half and s in the second, and what comes with it.

        A neuron that fired has left the largest number in the place of m, which none other leaves
        that can fire: nothing exceeds it.
        """
        x = Signal(signed(self.params.widths.membrane), reset_less=True)
        threshold, fires_ever = Signal.like(x), Signal()
        at_most = Signal()
        m.d.sync += x.eq(Mux(c[0], self.read[lane], value))
        with m.If(c[0]):                    # x is m, and the threshold is read
            m.d.sync += [
                at_most.eq(x == _largest(x)),
                threshold.eq(value),
                fires_ever.eq(value != _largest(value)),
            ]
        return x, threshold, fires_ever, at_most & fires_ever

    def _multiply(self, m, x, factor, total, current):
        """Both in registers of the multiplier, which have no reset."""
        widths  = self.params.widths
        k       = Signal(widths.decay, reset_less=True)
        product = Signal(signed(widths.membrane + widths.decay), reset_less=True)
        m.d.sync += [
            k.eq(factor),
            product.eq(x * k),
            total.eq(round_half_up(product, widths.decay, current)),
        ]

    def _multiply_serially(self, m, pipeline, x, factor, tick, total, current):
        """Add x for each bit of the factor, the lowest first, and halve the sum every time.

        The last bit that falls away is the one that rounds.
        """
        bits  = Signal(self.params.widths.decay)
        above = Signal.like(x)
        below = Signal()
        m.d.sync += [
            Cat(below, above).eq(above + Mux(bits[0], x, 0)),
            bits.eq(bits >> 1),
        ]
        with m.If(tick):
            m.d.sync += [
                above.eq(0),
                bits.eq(factor),
            ]
        pipeline.d.sync += total.eq(round_half_up(Cat(below, above).as_signed(), 1, current))

    def _write_back(self, m, pipeline, total, valid):
        """Write ``s = rnd(A * s)``, the sum of the second half."""
        lane = Signal(range(max(self.params.lanes, 2)))
        m.d.comb += self.write_lanes.eq(valid << lane)
        for i in range(self.params.lanes):
            m.d.comb += self.write[i].eq(Mux(self.clear, 0, total))
        with pipeline.If(self.start):
            pipeline.d.sync += [
                lane.eq(0),
                self.write_word.eq(self.word),
            ]
        with pipeline.Elif(valid):
            self._next_lane(pipeline, lane, self.write_word)


def _largest(value):
    return C((1 << len(value) - 1) - 1, len(value)).as_signed()
