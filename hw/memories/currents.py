# SPDX-License-Identifier: Apache-2.0
"""Memory of the synaptic currents, one bank per lane."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ..layouts import currents_layout, words_layout
from ..params import CoreParams

__all__ = ["CurrentMemory"]


class CurrentMemory(wiring.Component):
    """Synaptic currents: ``state_words`` words of one current per lane.

    Reads take one cycle, and nothing is read in a cycle without ``reads``. A word that is read
    while it is written reads as anything, and no block does that and looks; but where rows stream
    (``CoreParams.streams``), as what is written. All currents are 0 after configuration.

    Parameters
    ----------
    params : :class:`CoreParams`

    Members
    -------
    reads : :py:`In(1)`
        Read in this cycle.
    read_words : :py:`In(words_layout(params))`
        Word to read, lane by lane.
    read : :py:`Out(currents_layout(params))`
        The words that were read last.
    write_words : :py:`In(words_layout(params))`
    write_lanes : :py:`In(lanes)`
        Lanes to write in this cycle.
    write : :py:`In(currents_layout(params))`
    """

    def __init__(self, params: CoreParams):
        self.params = params

        super().__init__({
            "reads":       In(1),
            "read_words":  In(words_layout(params)),
            "read":        Out(currents_layout(params)),
            "write_words": In(words_layout(params)),
            "write_lanes": In(params.lanes),
            "write":       In(currents_layout(params)),
        })

    def elaborate(self, platform):
        m = Module()

        for lane in range(self.params.lanes):
            bank = memory.Memory(shape=signed(self.params.widths.current),
                                 depth=self.params.state_words, init=[])
            m.submodules[f"bank_{lane}"] = bank
            read, write = bank.read_port(), bank.write_port()
            m.d.comb += [
                read.addr.eq(self.read_words[lane]),
                read.en.eq(self.reads),
                self.read[lane].eq(self._latest(m, lane, read.data)),
                write.addr.eq(self.write_words[lane]),
                write.data.eq(self.write[lane]),
                write.en.eq(self.write_lanes[lane]),
            ]

        return m

    def _latest(self, m, lane, stored):
        """What a bank read, or where rows stream, what was written to it meanwhile."""
        if not self.params.streams:
            return stored
        caught  = Signal(name=f"caught_{lane}")
        written = Signal.like(self.write[lane], name=f"written_{lane}")
        with m.If(self.reads):
            m.d.sync += [
                # All lanes have the same words.
                caught.eq(self.write_lanes[lane] & (self.read_words[0] == self.write_words[0])),
                written.eq(self.write[lane]),
            ]
        return Mux(caught, written, stored)
