# SPDX-License-Identifier: Apache-2.0
"""Shared neuron pipeline with a parallel multiplier: one neuron after another."""

from amaranth import *
from amaranth.lib import wiring

from ..arith import round_half_up
from .neurons import NeuronParams, add_operands, add_parts, add_stages, add_state, update_members

__all__ = ["ParallelUpdate"]


class ParallelUpdate(wiring.Component):
    """Advances the neurons of a population by one step, as ``golden.core.update`` does.

    A neuron takes NEURON_TICKS cycles, and one multiplier serves both of its decays. The first
    neuron is addressed in the cycle after ``start``. ``done`` comes ``Map.cycles - 1`` cycles
    after ``start``. Nothing stalls the pipeline. Membranes are 0 after configuration.

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
        m = Module()

        params = self.params
        a, b, c, d, e, f = add_stages(m, "abcdef")
        table, lane = add_parts(m, self, (a, b, c), f.valid)
        operands = x, *_ = add_operands(m, params, self.control, table, self.currents.read[lane], c)
        # Both factors are in registers of the multiplier, which have no reset.
        k       = Signal(params.factor, reset_less=True)
        product = Signal(signed(params.membrane + params.factor), reset_less=True)
        total   = Signal(signed(params.membrane + 1))
        current = Mux(d.valid, x[:params.current], 0).as_signed()
        m.d.sync += [
            k.eq(table.factor),
            product.eq(x * k),
            total.eq(round_half_up(product, params.decay, current)),
        ]
        m.d.comb += self.saturated.eq(
            add_state(m, self, table, total, operands, (e, f), f.valid))

        return m
