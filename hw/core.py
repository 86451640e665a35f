# SPDX-License-Identifier: Apache-2.0
"""The accelerator: tokens in, one result per step out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .currents import CurrentMemory
from .layouts import load_layout, result_layout, spike_layout, token_layout
from .neurons import NeuronUpdate
from .params import CoreParams
from .rows import RowAdder
from .sequencer import Sequencer
from .spikes import SpikeLog

__all__ = ["Core"]


class Core(wiring.Component):
    """Recurrent spiking decoder, bit- and cycle-exact with ``golden``.

    A result stays until it is taken, and until then nothing of the next step begins. State is 0
    after configuration; RESET clears it, the saturation flag and the cycle count, not the step
    count.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    i : :py:`In(stream.Signature(token_layout(rows)))`
        Events of the step and its end, see ``hw.layouts.TokenKind``.
    o : :py:`Out(stream.Signature(result_layout(outputs, membrane)))`
        Result of the step.
    spike : :py:`Out(spike_layout(neurons))`
        Monitor: a neuron that fires, by its index over all populations.
    busy : :py:`Out(1)`
        Monitor: works, and waits for nobody.
    load : :py:`In(stream.Signature(load_layout(words, word_bytes)))`
        Weights, where they lie in large memory; else there is no such port. A byte is taken while
        the core waits for a token or for its result to be taken. Steps count for nothing before
        the whole table is there: it is the link that offers no token until then.
    """

    def __init__(self, params: CoreParams):
        self.params = params

        super().__init__({
            "i":     In(stream.Signature(token_layout(params.rows))),
            "o":     Out(stream.Signature(result_layout(params.outputs, params.widths.membrane))),
            "spike": Out(spike_layout(params.neurons)),
            "busy":  Out(1),
        } | ({
            "load":  In(stream.Signature(load_layout(len(params.tables.dense), params.word_bytes))),
        } if params.large else {}))

    def elaborate(self, platform):
        m = Module()

        m.submodules.sequencer = sequencer = Sequencer(self.params)
        m.submodules.rows      = rows      = RowAdder(self.params)
        m.submodules.neurons   = neurons   = NeuronUpdate(self.params)
        m.submodules.currents  = currents  = CurrentMemory(self.params)
        m.submodules.spikes    = spikes    = SpikeLog(self.params)
        wiring.connect(m, rows=rows.i, sequencer=sequencer.rows)
        wiring.connect(m, wiring.flipped(self.i), sequencer.i)
        self._share_currents(m, currents, rows, neurons)
        self._log_spikes(m, sequencer, spikes, neurons)
        self._answer(m, sequencer, neurons, rows.saturated | neurons.saturated)

        m.d.comb += [
            sequencer.rows_active.eq(rows.active),
            sequencer.done.eq(neurons.done),
            neurons.start.eq(sequencer.start),
            neurons.first.eq(sequencer.first),
            neurons.count.eq(sequencer.size),
            neurons.word.eq(sequencer.word),
            neurons.clear.eq(sequencer.clear),
            self.busy.eq(sequencer.busy),
        ]
        if self.params.large:
            # A row that is asked for in a cycle without `busy` is read in the next one at first.
            m.d.comb += [
                self.load.ready.eq(~sequencer.busy),
                rows.load_write.eq(self.load.valid & self.load.ready),
                rows.load.eq(self.load.payload),
            ]

        return m

    def _share_currents(self, m, currents, rows, neurons):
        """The adder and the neurons take turns: the sequencer drains one before the other."""
        updates = Signal()
        with m.If(neurons.start):
            m.d.sync += updates.eq(1)
        with m.If(neurons.done):
            m.d.sync += updates.eq(0)
        lanes = self.params.lanes
        m.d.comb += [
            currents.read_words.eq(
                Mux(updates, neurons.read_word.replicate(lanes), Value.cast(rows.read_words))),
            currents.write_words.eq(
                Mux(updates, neurons.write_word.replicate(lanes), Value.cast(rows.write_words))),
            currents.write_lanes.eq(Mux(updates, neurons.write_lanes, rows.write_lanes)),
            currents.write.eq(Mux(updates, Value.cast(neurons.write), Value.cast(rows.write))),
            rows.read.eq(currents.read),
            neurons.read.eq(currents.read),
        ]

    def _log_spikes(self, m, sequencer, spikes, neurons):
        m.d.comb += [
            spikes.select.eq(sequencer.select),
            spikes.delay.eq(sequencer.delay),
            spikes.source.eq(sequencer.source),
            spikes.index.eq(sequencer.index),
            sequencer.count.eq(spikes.count),
            sequencer.neuron.eq(spikes.neuron),
            spikes.write.eq(neurons.o.valid & neurons.o.fired),
            spikes.write_neuron.eq(neurons.o.neuron),
            spikes.step.eq(sequencer.result & sequencer.next_step),
            spikes.clear.eq(sequencer.cleared),
            self.spike.valid.eq(spikes.write),
            self.spike.neuron.eq(neurons.o.neuron),
        ]

    def _answer(self, m, sequencer, neurons, saturated):
        """Keep the outputs and the counters of the step until the result is taken."""
        result = self.o.p
        m.d.comb += [
            self.o.valid.eq(sequencer.result),
            sequencer.next_step.eq(self.o.ready),
        ]
        output = 0
        for phase in self.params.phases:
            if hasattr(phase, "population") and not phase.population.spiking:
                for k in range(phase.population.neurons):
                    with m.If(neurons.o.valid & (neurons.o.neuron == phase.first + k)):
                        m.d.sync += result.outputs[output].eq(neurons.o.membrane)
                    output += 1
        with m.If(saturated):
            m.d.sync += result.saturated.eq(1)
        with m.If(sequencer.busy):
            m.d.sync += result.cycles.eq(result.cycles + 1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [
                result.step.eq(result.step + 1),
                result.cycles.eq(0),
            ]
        with m.If(sequencer.cleared):
            m.d.sync += [
                result.saturated.eq(0),
                result.cycles.eq(0),
            ]
