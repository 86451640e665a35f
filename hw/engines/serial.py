# SPDX-License-Identifier: Apache-2.0
"""Shared neuron pipeline with a serial multiplier: for devices that have no multipliers."""

from amaranth import *
from amaranth.lib import wiring

from spikewright.plan.program import tick_cycles

from ..arith import round_half_up
from .neurons import NeuronParams, add_operands, add_parts, add_stages, add_state, update_members

__all__ = ["SerialUpdate"]


class SerialUpdate(wiring.Component):
    """Advances the neurons of a population by one step, as ``golden.core.update`` does.

    A tick takes ``plan.program.tick_cycles`` cycles, and a neuron takes NEURON_TICKS ticks. The
    first neuron is addressed in the tick after ``start``. ``done`` comes ``Map.cycles - 1`` cycles
    after ``start``. Nothing stalls the pipeline. Membranes are 0 after configuration.

    The pipeline moves on by one stage per tick. In a tick, the operand is added once for each set
    bit of the decay.

    Parameters
    ----------
    params : :class:`NeuronParams`

    Members
    -------
    control, currents, o, spike, saturated
        See `hw.engines.neurons.update_members`.
    """

    def __init__(self, params: NeuronParams):
        self.params = params
        super().__init__(update_members(params))

    def elaborate(self, platform):
        m, pipeline = Module(), Module()

        params = self.params
        tick = self._tick(m)
        # A word of the host is stored while the pipeline is empty, so its stages may go on.
        stores = self.stored.valid if params.loads else 0
        m.submodules.pipeline = EnableInserter(tick | self.control.start | stores)(pipeline)
        a, b, c, e, f = add_stages(pipeline, "abcef")
        valid = tick & f.valid
        table, lane = add_parts(pipeline, self, (a, b, c), valid)
        current  = self.currents.read[lane]
        operands = x, *_ = add_operands(pipeline, params, self.control, table, current, c)
        total = Signal(signed(params.membrane + 1))
        pipeline.d.sync += total.eq(round_half_up(self._product(m, x, table.factor, tick), 1,
                                                  Mux(c.valid, current, 0)))
        clamped = add_state(pipeline, self, table, total, operands, (e, f), valid)
        m.d.comb += self.saturated.eq(tick & clamped)

        return m

    def _tick(self, m):
        """Whether the pipeline goes on, every ``tick_cycles`` from ``start`` to ``done``."""
        cycles = tick_cycles(self.params.factor, "serial")
        count  = Signal(range(cycles))
        runs   = Signal()
        tick   = Signal()
        m.d.comb += tick.eq(count == cycles - 1)
        m.d.sync += [
            count.eq(count + runs),
            runs.eq(self.control.start | (runs & ~self.control.done)),
        ]
        with m.If(tick | self.control.start):
            m.d.sync += count.eq(0)
        return tick

    def _product(self, m, x, factor, tick):
        """Twice the product: x added for each bit of the factor, lowest first, halved each time.

        The last bit that falls away is the one that rounds. A factor with a bit more than a decay
        is halved once more, so that one more bit stays.
        """
        bits  = Signal(self.params.factor)
        above = Signal.like(x)
        below = Signal(1 + self.params.factor - self.params.decay)
        m.d.sync += [
            Cat(below, above).eq(Cat(below[1:], above + Mux(bits[0], x, 0))),
            bits.eq(bits >> 1),
        ]
        with m.If(tick):
            m.d.sync += [
                above.eq(0),
                bits.eq(factor),
            ]
        return Cat(below, above).as_signed()
