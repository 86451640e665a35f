# SPDX-License-Identifier: Apache-2.0
"""Mixed update: graded units and neurons of one model, each in the block of their kind."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..layouts import membrane_layout, spike_layout
from ..signatures import UpdateSignature
from .graded import GradedParams, GradedUpdate
from .neurons import NeuronParams
from .normalize import NormalizeParams, NormalizeUpdate
from .parallel import ParallelUpdate
from .serial import SerialUpdate

__all__ = ["MixedParams", "MixedUpdate"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedParams:
    """Both blocks of a mixed update. Each has the constants of its own groups alone.

    Parameters
    ----------
    graded : :class:`GradedParams` or :class:`NormalizeParams`
        Its groups are the first ones.
    neurons : :class:`NeuronParams`
    """

    graded:  GradedParams | NormalizeParams
    neurons: NeuronParams

    #: Neurons and units of a group.
    units = 1

    @property
    def groups(self):
        """Groups of all populations."""
        return self.graded.groups + self.neurons.groups

    @property
    def membrane(self):
        """Bits of an output."""
        return self.neurons.membrane

    @property
    def value(self):
        """Bits of a value that is logged. A spike is the value 1."""
        return self.graded.value

    @property
    def currents(self):
        """Ports to the current memory."""
        return self.neurons.currents

    @property
    def control(self):
        """Ports of the block that leads the update: see `mode`, and ``first`` is within a block."""
        most = max(len(part.control.members["mode"].shape) if "mode" in part.control.members else 1
                   for part in (self.graded, self.neurons))
        return UpdateSignature(self.groups, self.neurons.words, modes=2 * most,
                               inner=self.neurons.inner)

    @property
    def serial(self):
        """Both blocks have a serial multiplier."""
        return isinstance(self.graded, GradedParams) and self.graded.serial

    @property
    def window(self) -> NormalizeParams | None:
        """The graded units, if they are those of a normalized window."""
        return self.graded if isinstance(self.graded, NormalizeParams) else None

    def mode(self, of, *, graded: bool) -> int:
        """Number of mode ``of`` of a block: the lowest bit says in which block it is."""
        return of << 1 | graded


class MixedUpdate(wiring.Component):
    """A graded update and a neuron update with the ports of one. Each has its own times.

    A pass runs in the block of its mode. The other block rests meanwhile.

    Parameters
    ----------
    params : :class:`MixedParams`

    Members
    -------
    moments
        That of :class:`NormalizeUpdate`, if that is the graded update.
    control, currents, o, spike, saturated
        Those of the block that runs. ``spike`` of a neuron has the value 1. A group of neurons has
        its number among all groups.
    """

    def __init__(self, params: MixedParams):
        self.params = params

        super().__init__({
            "control":   In(params.control),
            "currents":  Out(params.currents),
            "o":         Out(membrane_layout(params.groups, 1, params.membrane)),
            "spike":     Out(spike_layout(params.groups, 1, params.value)),
            "saturated": Out(1),
        } | ({
            "moments":   Out(params.window.moments),
        } if params.window else {}))

    def elaborate(self, platform):
        m = Module()

        params = self.params
        m.submodules.graded  = graded  = (
            NormalizeUpdate(params.graded) if isinstance(params.graded, NormalizeParams)
            else GradedUpdate(params.graded))
        m.submodules.neurons = neurons = (
            SerialUpdate if params.serial else ParallelUpdate)(params.neurons)
        # What is steady in a pass comes to the blocks a cycle late: it is far from a register.
        held = {name: Signal.like(getattr(self.control, name), name=f"held_{name}")
                for name in ("mode", "inner") if name in self.control.signature.members}
        m.d.sync += [late.eq(getattr(self.control, name)) for name, late in held.items()]
        turn = held["mode"][0]
        for block, kind in ((graded, 1), (neurons, 0)):
            self._lead(m, block.control, held)
            m.d.comb += block.control.start.eq(
                self.control.start & (self.control.mode[0] == kind))
            m.d.comb += block.currents.read.eq(self.currents.read)
        first = params.graded.groups
        m.d.comb += [
            self.control.done.eq(graded.control.done | neurons.control.done),
            self.saturated.eq(graded.saturated | neurons.saturated),
            self.o.valid.eq(neurons.o.valid),
            self.o.membranes.eq(neurons.o.membranes),
            self.o.group.eq(neurons.o.group + first),
            self.spike.valid.eq(neurons.spike.valid),
            self.spike.fired.eq(1),
            self.spike.group.eq(neurons.spike.group + first),
        ]
        if params.window:
            wiring.connect(m, graded.moments, wiring.flipped(self.moments))
        else:
            m.d.comb += self.spike.value.eq(1)
            with m.If(turn):
                for port, source in ((self.o, graded.o), (self.spike, graded.spike)):
                    m.d.comb += [port[name].eq(source[name]) for name, _ in port.shape()]
        for name in ("reads", "read_words", "write_lanes", "write_words", "write"):
            units, cells = (getattr(block.currents, name) for block in (graded, neurons))
            m.d.comb += getattr(self.currents, name).eq(Mux(turn, units, cells))

        return m

    def _lead(self, m, control, held):
        """Give a block what it needs for a pass."""
        for name in ("first", "count", "word", "clear"):
            m.d.comb += getattr(control, name).eq(getattr(self.control, name))
        if "mode" in control.signature.members:
            m.d.comb += control.mode.eq(held["mode"] >> 1)
        if "inner" in control.signature.members:
            m.d.comb += control.inner.eq(held["inner"])
