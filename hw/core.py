# SPDX-License-Identifier: Apache-2.0
"""The accelerator: tokens in, one result per step out."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from spikewright.plan.timing import decay_cycles

from .engines.lanes import LaneUpdate
from .engines.neurons import NeuronUpdate
from .engines.rows import RowAdder
from .layouts import load_layout, result_layout, spike_layout, token_layout
from .memories.currents import CurrentMemory
from .memories.spikes import SpikeLog
from .params import CoreParams, UpdatePhase
from .sequencer import Sequencer

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
    spike : :py:`Out(spike_layout(groups, units))`
        Monitor: neurons of one group that fire, see ``CoreParams.neuron_at``.
    busy : :py:`Out(1)`
        Monitor: works, and waits for nobody.
    load : :py:`In(stream.Signature(load_layout(words, word_bytes)))`
        Weights, where they lie in large memory; else there is no such port. A byte is taken while
        the core waits for a token, and none is offered, or for its result to be taken. Steps
        count for nothing before the whole table is there: it is the link that offers no token
        until then.
    """

    def __init__(self, params: CoreParams):
        self.params = params

        super().__init__({
            "i":     In(stream.Signature(token_layout(params.rows))),
            "o":     Out(stream.Signature(result_layout(params.outputs, params.widths.membrane))),
            "spike": Out(spike_layout(params.groups, params.units)),
            "busy":  Out(1),
        } | ({
            "load":  In(stream.Signature(load_layout(len(params.loaded), params.word_bytes))),
        } if params.large else {}))

    def elaborate(self, platform):
        m = Module()

        m.submodules.sequencer = sequencer = Sequencer(self.params)
        m.submodules.rows      = rows      = RowAdder(self.params)
        m.submodules.neurons   = neurons   = self._neurons(m, sequencer)
        m.submodules.currents  = currents  = CurrentMemory(self.params)
        m.submodules.spikes    = spikes    = SpikeLog(self.params)
        wiring.connect(m, rows=rows.i, sequencer=sequencer.rows)
        wiring.connect(m, wiring.flipped(self.i), sequencer.i)
        self._share_currents(m, currents, rows, neurons)
        self._log_spikes(m, sequencer, spikes, neurons)
        self._answer(m, sequencer, neurons, rows.saturated | neurons.saturated)

        m.d.comb += [
            sequencer.rows_active.eq(rows.active),
            self.busy.eq(sequencer.busy),
        ]
        if self.params.large:
            # A byte is written in the cycle after it is taken: none is taken once a row may have
            # been asked for.
            m.d.sync += [
                self.load.ready.eq(~sequencer.busy & ~sequencer.rows.valid & ~self.i.valid),
                rows.load_write.eq(self.load.valid & self.load.ready),
                rows.load.eq(self.load.payload),
            ]

        return m

    def _neurons(self, m, sequencer):
        """The block that updates neurons, led by the sequencer."""
        if self.params.config.neurons == "lanes":
            neurons = LaneUpdate(self.params)
            m.d.comb += [
                neurons.decay.eq(sequencer.decay),
                sequencer.decays.eq(neurons.decays),
            ]
        else:
            neurons = NeuronUpdate(self.params)
            m.d.comb += neurons.word.eq(sequencer.word)
        m.d.comb += [
            neurons.start.eq(sequencer.start),
            neurons.first.eq(sequencer.first),
            neurons.count.eq(sequencer.size),
            neurons.clear.eq(sequencer.clear),
            sequencer.done.eq(neurons.done),
        ]
        return neurons

    def _share_currents(self, m, currents, rows, neurons):
        """The adder and the neurons take turns.

        When the neurons start, the adder has still a word to read and some to write: it is done
        with both before the neurons read and write theirs, or, where rows stream, writes a word in
        the cycle in which they read it.
        """
        lanes, writes = self.params.lanes, neurons.write_lanes.any()
        m.d.comb += [
            currents.reads.eq(neurons.reads | rows.reads),
            currents.read_words.eq(
                Mux(neurons.reads, neurons.read_word.replicate(lanes),
                    Value.cast(rows.read_words))),
            currents.write_words.eq(
                Mux(writes, neurons.write_word.replicate(lanes), Value.cast(rows.write_words))),
            currents.write_lanes.eq(Mux(writes, neurons.write_lanes, rows.write_lanes)),
            currents.write.eq(Mux(writes, Value.cast(neurons.write), Value.cast(rows.write))),
            rows.read.eq(currents.read),
            neurons.read.eq(currents.read),
        ]

    def _log_spikes(self, m, sequencer, spikes, neurons):
        m.d.comb += [
            spikes.fetch.eq(sequencer.fetch),
            spikes.select.eq(sequencer.select),
            spikes.delay.eq(sequencer.delay),
            spikes.source.eq(sequencer.source),
            spikes.take.eq(sequencer.take),
            sequencer.more.eq(spikes.more),
            sequencer.number.eq(spikes.number),
            spikes.write.eq(neurons.spike.valid),
            spikes.write_group.eq(Cat(neurons.spike.group, neurons.spike.fired)),
            spikes.step.eq(sequencer.result & sequencer.next_step),
            spikes.clear.eq(sequencer.cleared),
            self.spike.eq(neurons.spike),
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
            if isinstance(phase, UpdatePhase) and not phase.population.spiking:
                for k in range(phase.population.neurons):
                    word, lane = divmod(k, self.params.units)
                    with m.If(neurons.o.valid & (neurons.o.word == phase.first + word)):
                        m.d.sync += result.outputs[output].eq(neurons.o.membranes[lane])
                    output += 1
        with m.If(saturated):
            m.d.sync += result.saturated.eq(1)
        # The decay comes after the result, which stays as it is: its cycles are counted before.
        decay  = decay_cycles(self.params.model, self.params.config)
        cycles = Signal.like(result.cycles, init=decay)
        m.d.comb += result.cycles.eq(cycles)
        with m.If(sequencer.busy & ~sequencer.decays):
            m.d.sync += cycles.eq(cycles + 1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [
                result.step.eq(result.step + 1),
                cycles.eq(decay),
            ]
        with m.If(sequencer.cleared):
            m.d.sync += [
                result.saturated.eq(0),
                cycles.eq(decay),
            ]
