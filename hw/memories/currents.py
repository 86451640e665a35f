# SPDX-License-Identifier: Apache-2.0
"""Memory of the synaptic currents, one bank per lane."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from ..signatures import CurrentsSignature

__all__ = ["CurrentMemory", "CurrentParams"]


@dataclass(frozen=True, kw_only=True)
class CurrentParams:
    """Shape of the current memory.

    Parameters
    ----------
    lanes : :class:`int`
    words : :class:`int`
        State words.
    width : :class:`int`
        Bits of a current.
    streams : :class:`bool`
        Rows stream. A word that is read while it is written then reads as what is written.
    """

    lanes:   int
    words:   int
    width:   int
    streams: bool = False

    @property
    def signature(self):
        """Ports of a block that uses the memory."""
        return CurrentsSignature(self.lanes, self.words, self.width)


class CurrentMemory(wiring.Component):
    """Synaptic currents: ``words`` words of one current per lane.

    A read takes one cycle. One word is read and one word is written in each cycle. Nothing stalls.
    All currents are 0 after configuration.

    The row adder and the neurons take turns. When the neurons start, the adder still has one word
    to read and some to write. It finishes before the neurons reach those words. Where rows stream,
    it may write a word in the cycle in which the neurons read it.

    A bank that reads a word in the cycle of its write gives any value, and no block uses that
    value. Where rows stream, the memory gives the written value instead.

    Parameters
    ----------
    params : :class:`CurrentParams`

    Members
    -------
    rows : :py:`In(CurrentsSignature(lanes, words, width))`
        The row adder.
    neurons : :py:`In(CurrentsSignature(lanes, words, width))`
        The neuron update. Where both write or both read, it goes first.
    """

    def __init__(self, params: CurrentParams):
        self.params = params

        super().__init__({
            "rows":    In(params.signature),
            "neurons": In(params.signature),
        })

    def elaborate(self, platform):
        m = Module()

        rows, neurons = self.rows, self.neurons
        writes = neurons.write_lanes.any()
        reads  = rows.reads | neurons.reads
        for lane in range(self.params.lanes):
            bank = memory.Memory(shape=signed(self.params.width), depth=self.params.words, init=[])
            m.submodules[f"bank_{lane}"] = bank
            read, write = bank.read_port(), bank.write_port()
            stored = self._latest(m, lane, reads, read, write) if self.params.streams else read.data
            m.d.comb += [
                read.en.eq(reads),
                read.addr.eq(Mux(neurons.reads, neurons.read_words[lane], rows.read_words[lane])),
                rows.read[lane].eq(stored),
                neurons.read[lane].eq(stored),
                write.en.eq(Mux(writes, neurons.write_lanes[lane], rows.write_lanes[lane])),
                write.addr.eq(Mux(writes, neurons.write_words[lane], rows.write_words[lane])),
                write.data.eq(Mux(writes, neurons.write[lane], rows.write[lane])),
            ]

        return m

    def _latest(self, m, lane, reads, read, write):
        """What a bank read, or what was written to that word meanwhile."""
        caught  = Signal(name=f"caught_{lane}")
        written = Signal.like(write.data, name=f"written_{lane}")
        with m.If(reads):
            m.d.sync += [
                caught.eq(write.en & (read.addr == write.addr)),
                written.eq(write.data),
            ]
        return Mux(caught, written, read.data)
