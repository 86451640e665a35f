# SPDX-License-Identifier: Apache-2.0
"""Logs of a core with windows: one port to the lists of its populations, and to its input."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..signatures import SpikeListSignature, WindowSignature
from .spikes import SpikeLog, SpikeLogParams
from .window import WindowLog, WindowLogParams

__all__ = ["Logs", "LogsParams"]


@dataclass(frozen=True, kw_only=True)
class LogsParams:
    """Shape of both logs.

    Parameters
    ----------
    spikes : :class:`SpikeLogParams`
    window : :class:`WindowLogParams`
    """

    spikes: SpikeLogParams
    window: WindowLogParams

    @property
    def signature(self):
        """Ports of the block that reads the lists. The last list is that of the window."""
        return SpikeListSignature(
            max(self.spikes.slots, self.window.slots), self.spikes.lists + 1,
            max(self.spikes.groups * self.spikes.units, self.window.rows), self.spikes.value,
            self.window.ages)


class Logs(wiring.Component):
    """The logs of a core with windows behind one port. Both have the times of :class:`SpikeLog`.

    Parameters
    ----------
    params : :class:`LogsParams`

    Members
    -------
    read : :py:`In(params.signature)`
    spike : :py:`In(params.spikes.spike)`
        To :class:`SpikeLog`.
    window, lost, age
        Of :class:`WindowLog`, where ``window`` is ``input``.
    step, clear : :py:`In(1)`
        To both.
    restart : :py:`In(1)`
        To :class:`SpikeLog`; only where its lists restart.
    """

    def __init__(self, params: LogsParams):
        self.params = params

        window = params.window
        super().__init__({
            "read":   In(params.signature),
            "spike":  In(params.spikes.spike),
            "window": In(WindowSignature(window.rows)),
            "lost":   Out(1),
            "age":    Out(window.age),
            "step":   In(1),
            "clear":  In(1),
        } | ({"restart": In(1)} if params.spikes.restarts else {}))

    def elaborate(self, platform):
        m = Module()

        m.submodules.spikes = spikes = SpikeLog(self.params.spikes)
        m.submodules.window = window = WindowLog(self.params.window)
        wiring.connect(m, wiring.flipped(self.window), window.input)
        if self.params.spikes.value:
            m.d.comb += self.read.value.eq(spikes.read.value)
        m.d.comb += [
            spikes.spike.eq(self.spike),
            self.lost.eq(window.lost),
            self.age.eq(window.age),
        ]
        if self.params.spikes.restarts:
            m.d.comb += spikes.restart.eq(self.restart)
        for log in (spikes, window):
            m.d.comb += [
                log.step.eq(self.step),
                log.clear.eq(self.clear),
            ]
        self._choose(m, spikes, window)

        return m

    def _choose(self, m, spikes, window):
        """Read the log that has the list."""
        to_window = self.read.list == self.params.spikes.lists
        of_window = Signal()                # the list that was selected last
        with m.If(self.read.select):
            m.d.sync += of_window.eq(to_window)
        for log, here, chosen in ((spikes, ~to_window, ~of_window), (window, to_window, of_window)):
            m.d.comb += [
                log.read.select.eq(self.read.select & here),
                log.read.delay.eq(self.read.delay),
                log.read.list.eq(self.read.list),
                log.read.fetch.eq(self.read.fetch & chosen),
                log.read.take.eq(self.read.take & chosen),
            ]
        m.d.comb += [
            self.read.more.eq(Mux(of_window, window.read.more, spikes.read.more)),
            self.read.number.eq(Mux(of_window, window.read.number, spikes.read.number)),
        ]
        if self.params.window.fills:
            m.d.comb += [
                window.read.since.eq(self.read.since),
                window.read.before.eq(self.read.before),
            ]
