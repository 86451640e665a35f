# SPDX-License-Identifier: Apache-2.0
"""What the shared neuron pipelines have in common: parameters, ports and stages.

A neuron takes two ticks. In the first half the multiplier forms ``B * m``, in the second ``A * s``.
Stage a addresses the halves of a neuron, m and B, then threshold and A. b: they are read.
c: operands. e: sum. f: new membrane. `hw.engines.parallel` has a stage d for the product.
"""

from dataclasses import dataclass, field

from amaranth import *
from amaranth.lib.wiring import In, Out

from spikewright.network.network import RESETS
from spikewright.plan.loads import LoadMap

from ..arith import overflows, saturate
from ..layouts import membrane_layout, spike_layout, stage_layout, stored_layout
from ..memories.neuron_table import NeuronTable
from ..signatures import CurrentsSignature, UpdateSignature
from .walk import LaneWalk, NeuronWalk

__all__ = ["NeuronParams", "add_operands", "add_parts", "add_reset", "add_stages", "add_state",
           "after_spike", "update_members"]


@dataclass(frozen=True, kw_only=True, eq=False)
class NeuronParams:
    """Shape of a neuron update, and the constants of its neurons.

    Parameters
    ----------
    lanes, words : :class:`int`
        Currents of a state word; state words.
    units, groups : :class:`int`
        Neurons of a group; groups of all populations.
    current, membrane, decay : :class:`int`
        Bits of a current, of a membrane and of a decay.
    factor, column : :class:`int`
        Bits of the largest decay, and bits of a decay in ``image`` with shared neurons.
    resets : :class:`tuple` of :class:`str`
        The resets that some populations have, see `network.network.RESETS`.
    image : :class:`list`
        With shared neurons, `plan.images.neuron_words`. With a unit per lane,
        `plan.images.lane_words`.
    loads : :class:`LoadMap`, optional
        What a host loads, the neuron table among it. None if the table is that of the bitstream.
    inner : :class:`int`
        Inner steps of a step. In the first one, membranes begin at 0.
    """

    lanes:    int
    words:    int
    units:    int
    groups:   int
    current:  int
    membrane: int
    decay:    int
    factor:   int
    column:   int
    resets:   tuple[str, ...]
    image:    list = field(repr=False)
    loads:    LoadMap | None = None
    inner:    int = 1

    #: A spike has no value.
    value = 0

    @property
    def currents(self):
        """Ports to the current memory."""
        return CurrentsSignature(self.lanes, self.words, self.current)

    @property
    def control(self):
        """Ports of the block that leads the update."""
        return UpdateSignature(self.groups, self.words, inner=self.inner,
                               modes=len(RESETS) if self.chooses else 1)

    @property
    def chooses(self):
        """Whether there is another reset than ``zero_lose``, so that each pass has its own."""
        return self.resets != ("zero_lose",)

    @property
    def largest(self):
        """Largest membrane."""
        return (1 << self.membrane - 1) - 1


def update_members(params: NeuronParams) -> dict:
    """Ports of every block that updates neurons.

    The sequencer leads the block by ``control``. ``currents`` goes to :class:`CurrentMemory`.
    ``o`` has the new membranes of each group. ``spike`` has the neurons of a group that fire.
    ``saturated`` is 1 in a cycle in which a membrane is clamped. With ``params.loads``, ``stored``
    has a word that a host stores while the block rests.
    """
    return {
        "control":   In(params.control),
        "currents":  Out(params.currents),
        "o":         Out(membrane_layout(params.groups, params.units, params.membrane)),
        "spike":     Out(spike_layout(params.groups, params.units)),
        "saturated": Out(1),
    } | ({
        "stored":    In(stored_layout(params.loads.words, params.loads.word_bytes)),
    } if params.loads else {})


def add_stages(m, names: str) -> list:
    """Flags of pipeline stages, one per letter of ``names``. Each follows the one before."""
    stages = [Signal(stage_layout(), name=f"{name}_stage") for name in names]
    for before, after in zip(stages, stages[1:], strict=False):
        m.d.sync += after.eq(before)
    return stages


def add_parts(m, dut, stages, valid):
    """Add the counters and the table of a shared pipeline, and join them to its ports.

    ``valid`` is 1 in a cycle in which stage f holds a first half. Returns the table, and the lane
    of the current that is read.
    """
    params, control, currents = dut.params, dut.control, dut.currents
    a, b, c = stages[:3]
    m.submodules.walk   = walk   = NeuronWalk(params.groups)
    m.submodules.reads  = reads  = LaneWalk(params.lanes, params.words)
    m.submodules.writes = writes = LaneWalk(params.lanes, params.words)
    m.submodules.table  = table  = NeuronTable(params.image, membrane=params.membrane,
                                               factor=params.column, loads=params.loads)
    if params.loads:
        m.d.comb += table.load.eq(dut.stored)
    m.d.comb += [
        walk.start.eq(control.start),
        walk.first.eq(control.first),
        walk.count.eq(control.count),
        a.eq(walk.a),
        table.en.eq(walk.en),
        table.half.eq(walk.half),
        table.neuron.eq(walk.neuron),
        currents.reads.eq(b.valid | c.valid),
        currents.read_words.eq(reads.at_word.replicate(params.lanes)),
        currents.write_words.eq(writes.at_word.replicate(params.lanes)),
        currents.write_lanes.eq(valid << writes.at_lane),
    ]
    for lanes, step in ((reads, c.valid), (writes, valid)):
        m.d.comb += [
            lanes.start.eq(control.start),
            lanes.word.eq(control.word),
            lanes.step.eq(step),
        ]
    return table, reads.at_lane


def add_operands(m, params: NeuronParams, control, table, current, c):
    """The operand of the multiplier: m in the first half, s in the second.

    Returns the operand, the threshold, whether m can exceed the threshold, and whether the neuron
    fired in the step before. If all populations have the reset ``zero_lose``, a neuron that fired
    has left the largest number in the place of m. No other neuron that can fire leaves that number
    there, because nothing exceeds it. Otherwise m is compared with the threshold again.
    """
    x = Signal(signed(params.membrane), reset_less=True)
    threshold, fires_ever = Signal.like(x), Signal()
    at_most = Signal()
    before = table.value
    if params.inner > 1:
        before = Mux(control.inner == 0, 0, before)
    m.d.sync += x.eq(Mux(c.valid, current, before))
    with m.If(c.valid):                 # x is m, and the threshold is read
        m.d.sync += [
            at_most.eq(x > table.value if params.chooses else x == params.largest),
            threshold.eq(table.value),
            fires_ever.eq(table.value != params.largest),
        ]
    return x, threshold, fires_ever, at_most & fires_ever


def add_reset(params: NeuronParams, control, fired_before, total, threshold):
    """What the spike of the step before changes.

    Returns the membrane that is compared with the threshold, before it is clamped, and whether the
    membrane is 0 instead.
    """
    if not params.chooses:
        return total, fired_before | control.clear
    loses = Const(0)
    if "zero_lose" in params.resets:
        loses = fired_before & (control.mode == RESETS.index("zero_lose"))
    if "subtract_next" in params.resets:
        less  = fired_before & (control.mode == RESETS.index("subtract_next"))
        total = total - Mux(less, threshold, 0).as_signed()
    return total, loses | control.clear


def after_spike(params: NeuronParams, control, membrane, threshold):
    """The membrane that a neuron keeps when it fires."""
    if not params.chooses:
        return Const(params.largest, membrane.shape())
    kept = membrane
    if "subtract_same" in params.resets:
        kept = Mux(control.mode == RESETS.index("subtract_same"), membrane - threshold, kept)
    if "zero_keep" in params.resets:
        kept = Mux(control.mode == RESETS.index("zero_keep"), 0, kept)
    return kept


def add_state(m, dut, table, total, operands, stages, valid):
    """Form membrane, spike and current from the sum ``total``, and drive all outputs.

    ``valid`` is 1 for one cycle in which stage f holds a first half. ``stages`` are e and f.
    Returns whether the membrane is clamped.
    """
    params, control = dut.params, dut.control
    e, f = stages
    _, threshold, fires_ever, was_fired = operands
    drive, zero = add_reset(params, control, was_fired, total, threshold)
    fired    = Signal()
    membrane = Signal(signed(params.membrane))
    neuron   = Signal.like(table.store_neuron)
    fires    = fires_ever & ~zero & (drive > threshold)
    held = threshold
    if "subtract_same" in params.resets:
        # The threshold of the next neuron comes while the membrane of this one is stored.
        held = Signal.like(threshold)
        m.d.sync += held.eq(threshold)
    m.d.sync += [
        # m = 0 if fired before else sat(rnd(B * m) + s)
        membrane.eq(Mux(zero, 0, saturate(drive, params.membrane))),
        # As `membrane > threshold`, without a wait for the clamp.
        fired.eq(fires),
        neuron.eq(Mux(control.start, control.first, neuron + f.valid)),
    ]
    left = after_spike(params, control, membrane, held)
    m.d.comb += [
        table.store.eq(f.valid),
        table.stored.eq(Mux(fired, left, membrane)),
        table.store_neuron.eq(neuron),
        # s = rnd(A * s), the sum of the second half
        [current.eq(Mux(control.clear, 0, total)) for current in dut.currents.write],
        dut.o.valid.eq(valid),
        dut.o.group.eq(neuron),
        dut.o.membranes[0].eq(membrane),
        dut.spike.valid.eq(valid & fired),
        dut.spike.group.eq(neuron),
        dut.spike.fired.eq(1),
        control.done.eq(valid & f.last),
    ]
    return ~zero & overflows(drive, params.membrane) & e.valid
