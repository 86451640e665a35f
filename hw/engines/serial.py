# SPDX-License-Identifier: Apache-2.0
"""Shared neuron pipeline with a serial multiplier: for devices that have no multipliers."""

from amaranth import *
from amaranth.lib import wiring

from spikewright.plan.program import tick_cycles

from ..arith import round_half_up
from .neurons import NeuronParams, add_operands, add_parts, add_stages, add_state, update_members

__all__ = ["SerialUpdate", "add_product", "add_ticks"]


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
        tick = add_ticks(m, self.control, tick_cycles(params.factor, "serial"))
        # A word of the host is stored while the pipeline is empty, so its stages may go on.
        stores = self.stored.valid if params.loads else 0
        m.submodules.pipeline = EnableInserter(tick | self.control.start | stores)(pipeline)
        a, b, c, e, f = add_stages(pipeline, "abcef")
        valid = tick & f.valid
        table, lane = add_parts(pipeline, self, (a, b, c), valid)
        current  = self.currents.read[lane]
        operands = x, *_ = add_operands(pipeline, params, self.control, table, current, c)
        # Twice the product. A factor with a bit more than a decay keeps a bit more, too.
        product = add_product(m, x, table.factor[:params.factor], tick,
                              1 + params.factor - params.decay)
        total = Signal(signed(params.membrane + 1))
        pipeline.d.sync += total.eq(round_half_up(product, 1, Mux(c.valid, current, 0)))
        clamped = add_state(pipeline, self, table, total, operands, (e, f), valid)
        m.d.comb += self.saturated.eq(tick & clamped)

        return m


def add_ticks(m, control, cycles):
    """Whether a pipeline goes on: every ``cycles`` cycles from ``start`` to ``done``."""
    count  = Signal(range(cycles))
    runs   = Signal()
    tick   = Signal()
    m.d.comb += tick.eq(count == cycles - 1)
    m.d.sync += [
        count.eq(count + runs),
        runs.eq(control.start | (runs & ~control.done)),
    ]
    with m.If(tick | control.start):
        m.d.sync += count.eq(0)
    return tick


def add_product(m, x, factor, tick, kept):
    """The product of two ticks: x added for each bit of the factor, lowest first.

    The product is halved with each bit, and ``kept`` is the number of bits that stay below those
    of x. The factor is that of the last tick, and x is steady from then on.
    """
    bits  = Signal.like(factor)
    above = Signal.like(x)
    below = Signal(kept)
    m.d.sync += [
        Cat(below, above).eq(Cat(below[1:], above + Mux(bits[0], x, 0))),
        bits.eq(bits >> 1),
    ]
    with m.If(tick):
        m.d.sync += [
            above.eq(0),
            bits.eq(factor),
        ]
    product = Cat(below, above)
    return product.as_signed() if x.shape().signed else product
