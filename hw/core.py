# SPDX-License-Identifier: Apache-2.0
"""The accelerator: tokens in, one result per step out."""

from dataclasses import dataclass
from typing import Any

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .connect import connect_stream
from .engines.adder import AdderParams, RowAdder
from .engines.graded import GradedParams, GradedUpdate
from .engines.lanes import LaneUpdate
from .engines.lookup import RowLookup, RowParams
from .engines.mixed import MixedParams, MixedUpdate
from .engines.neurons import NeuronParams
from .engines.parallel import ParallelUpdate
from .engines.serial import SerialUpdate
from .layouts import result_layout, spike_layout, token_layout
from .memories.currents import CurrentMemory, CurrentParams
from .memories.joiner import Joiner
from .memories.logs import Logs, LogsParams
from .memories.moments import Moments, MomentsParams
from .memories.spikes import SpikeLog, SpikeLogParams
from .memories.staging import StagingMemory
from .sequencer import Sequencer, SequencerParams

__all__ = ["Core", "CoreParams"]

# The block that updates neurons, by how it is chosen.
UPDATES = {"parallel": ParallelUpdate, "serial": SerialUpdate, "lanes": LaneUpdate,
           "graded": GradedUpdate, "mixed": MixedUpdate}

# The block that keeps what happened in earlier steps, by its parameters.
LOGS: dict[Any, Any] = {SpikeLogParams: SpikeLog, LogsParams: Logs}


@dataclass(frozen=True, kw_only=True, eq=False)
class CoreParams:
    """The parameters of every block of a core, and of the core itself.

    Parameters
    ----------
    sequencer, rows, adder, neurons, currents, spikes
        Parameters of the blocks.
    update : :class:`str`
        Which block updates neurons, a key of ``UPDATES``.
    outputs : :class:`tuple` of (:class:`int`, :class:`int`)
        Group and unit of each output.
    decay_cycles : :class:`int`
        Cycles of a step after its result.
    silent : :class:`int`
        Steps after a reset in which the outputs are 0.
    inner : :class:`int`
        Inner steps of a step; 1 without.
    moments : :class:`MomentsParams`, optional
        Of a normalized window.
    """

    sequencer:    SequencerParams
    rows:         RowParams
    adder:        AdderParams
    neurons:      NeuronParams | GradedParams | MixedParams
    currents:     CurrentParams
    spikes:       SpikeLogParams | LogsParams
    update:       str
    outputs:      tuple[tuple[int, int], ...]
    decay_cycles: int
    silent:       int = 0
    inner:        int = 1
    moments:      MomentsParams | None = None

    @property
    def token(self):
        """Shape of a token."""
        return token_layout(self.sequencer.rows)

    @property
    def result(self):
        """Shape of a result."""
        return result_layout(len(self.outputs), self.neurons.membrane)

    @property
    def spike(self):
        """Shape of the monitor port ``spike``."""
        return spike_layout(self.neurons.groups, self.neurons.units, self.neurons.value, self.inner)


class Core(wiring.Component):
    """Recurrent spiking decoder, bit- and cycle-exact with ``golden``.

    A step takes the cycles that ``plan.program`` computes. A result stays until it is taken. Until
    then nothing of the next step begins. State is 0 after configuration. A RESET token clears the
    state, the saturation flag and the cycle count. It does not clear the step count.

    Parameters
    ----------
    params : :class:`CoreParams`
        See `hw.params.core_params`.

    Members
    -------
    i : :py:`In(stream.Signature(params.token))`
        Tokens: an EVENT for each spike of the step, then STEP, its end; or RESET.
    o : :py:`Out(stream.Signature(params.result))`
        Result of the step.
    spike : :py:`Out(params.spike)`
        Monitor: neurons of one group that fire, or a graded unit and its value, if that is not 0.
    busy : :py:`Out(1)`
        Monitor: the core works, and waits for no token and for no taker of its result.
    load : :py:`In(stream.Signature(params.rows.load))`
        Bytes of the memories that a host fills; only with large weight memory, or where a model can
        be loaded. A byte is taken while the core waits for a token and none is offered, or while
        its result waits. Results mean nothing before all bytes are there, unless they are staged.
        The link offers no STEP until then.
    """

    def __init__(self, params: CoreParams):
        self.params = params

        super().__init__({
            "i":     In(stream.Signature(params.token)),
            "o":     Out(stream.Signature(params.result)),
            "spike": Out(params.spike),
            "busy":  Out(1),
        } | ({
            "load":  In(stream.Signature(params.rows.load)),
        } if params.rows.loads else {}))

    def elaborate(self, platform):
        m = Module()

        params = self.params
        m.submodules.sequencer = sequencer = Sequencer(params.sequencer)
        m.submodules.rows      = rows      = RowLookup(params.rows)
        m.submodules.adder     = adder     = RowAdder(params.adder)
        m.submodules.neurons   = neurons   = UPDATES[params.update](params.neurons)
        m.submodules.currents  = currents  = CurrentMemory(params.currents)
        m.submodules.spikes    = spikes    = LOGS[type(params.spikes)](params.spikes)
        wiring.connect(m, wiring.flipped(self.i), sequencer.i)
        wiring.connect(m, sequencer.rows, rows.i)
        wiring.connect(m, sequencer.spikes, spikes.read)
        wiring.connect(m, sequencer.update, neurons.control)
        wiring.connect(m, rows.o, adder.i)
        wiring.connect(m, adder.currents, currents.rows)
        wiring.connect(m, neurons.currents, currents.neurons)
        m.d.comb += [
            sequencer.rows_active.eq(rows.active),
            spikes.spike.eq(neurons.spike),
            spikes.step.eq(sequencer.result & sequencer.next_step),
            spikes.clear.eq(sequencer.cleared),
            self.spike.eq(neurons.spike),       # the inner step, if there are several, is above it
            self.busy.eq(sequencer.busy),
        ]
        saturated = adder.saturated | neurons.saturated
        if isinstance(params.spikes, LogsParams):
            wiring.connect(m, sequencer.window, spikes.window)
        if "lost" in spikes.signature.members:
            saturated |= spikes.lost
        self._follow(m, sequencer, spikes)
        if params.moments:
            self._count(m, params.moments, sequencer, neurons, spikes)
        self._answer(m, sequencer, neurons, saturated,
                     speaks=spikes.age >= params.silent if params.silent else Const(1))
        if params.rows.loads:
            self._load(m, sequencer, rows, neurons)

        return m

    def _follow(self, m, sequencer, block):
        """Give a block what it needs of the sequencer, by the same names."""
        for name in ("turn", "event", "move"):
            if name in block.signature.members:
                m.d.comb += getattr(block, name).eq(getattr(sequencer, name))

    def _count(self, m, shape, sequencer, neurons, spikes):
        """Join the moments of a normalized window. A list begins again with each inner step."""
        m.submodules.moments = moments = Moments(shape)
        wiring.connect(m, neurons.moments, moments.update)
        self._follow(m, sequencer, moments)
        m.d.comb += [
            moments.clear.eq(sequencer.cleared),
            self.spike.inner.eq(sequencer.update.inner),
        ]
        # The list of a population is selected until its update starts.
        m.d.sync += spikes.restart.eq(sequencer.update.start)

    def _load(self, m, sequencer, rows, neurons):
        """Take the bytes that the host loads, for large RAMs and, as words, for the others."""
        params, loads = self.params, self.params.rows.loads
        assert loads is not None
        # A byte or word is written in the cycle after it is taken: none is taken once a row may
        # have been asked for.
        rests = ~sequencer.busy & ~sequencer.rows.valid & ~self.i.valid
        if params.rows.staged:
            m.submodules.staging = staging = StagingMemory(loads, params.rows.staging)
            connect_stream(m, wiring.flipped(self.load), staging.i)
            m.d.comb += [
                staging.rests.eq(rests),
                *(taker.stored.eq(staging.stored) for taker in (neurons, rows)),
            ]
            return
        write, byte = Signal(), Signal.like(self.load.payload)
        m.d.sync += [
            self.load.ready.eq(rests),
            write.eq(self.load.valid & self.load.ready),
            byte.eq(self.load.payload),
        ]
        if params.rows.large:
            m.d.comb += [
                rows.load_write.eq(write),
                rows.load.eq(byte),
            ]
        if isinstance(params.neurons, NeuronParams) and params.neurons.loads:
            m.submodules.joiner = joiner = Joiner(params.neurons.loads)
            m.d.comb += [
                joiner.write.eq(write),
                joiner.load.eq(byte),
                *(taker.stored.eq(joiner.stored)
                  for taker in ([neurons] if params.rows.large else [neurons, rows])),
            ]

    def _answer(self, m, sequencer, neurons, saturated, speaks):
        """Keep the outputs and the counters of the step until the result is taken."""
        result = self.o.p
        m.d.comb += [
            self.o.valid.eq(sequencer.result),
            sequencer.next_step.eq(self.o.ready),
        ]
        valid = neurons.o.valid
        if self.params.silent:          # a reset leaves the outputs at 0
            valid = valid & speaks
        for k, (group, unit) in enumerate(self.params.outputs):
            with m.If(valid & (neurons.o.group == group)):
                m.d.sync += result.outputs[k].eq(neurons.o.membranes[unit])
        with m.If(saturated):
            m.d.sync += result.saturated.eq(1)
        # The decay comes after the result, which stays as it is: its cycles are counted before.
        decay  = self.params.decay_cycles
        cycles = Signal.like(result.cycles, init=decay)
        m.d.comb += result.cycles.eq(cycles)
        with m.If(sequencer.busy & ~sequencer.update.decays):
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
