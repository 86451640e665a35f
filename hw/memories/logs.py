# SPDX-License-Identifier: Apache-2.0
"""Logs of a core with windows: one port to the lists of its populations, and to its input."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..operations import Turn
from ..signatures import SpikeListSignature, WindowSignature
from .spikes import SpikeLog, SpikeLogParams
from .window import WindowLog, WindowLogParams

__all__ = ["Logs", "LogsParams"]


@dataclass(frozen=True, kw_only=True)
class LogsParams:
    """Shape of all logs.

    Parameters
    ----------
    spikes : :class:`SpikeLogParams`
    window : :class:`WindowLogParams`
    series : :class:`WindowLogParams`, optional
        Of the values of a population that come more often than the lists of ``spikes``, and are
        kept for longer.
    turn, series_turn : :class:`Turn`
        The steps in which the lists of ``spikes`` and ``series`` get something. Delays count these
        steps. Both are every step without a series.
    cycle : :class:`int`
        Numbers of steps that the turns need.
    """

    spikes:      SpikeLogParams
    window:      WindowLogParams
    series:      WindowLogParams | None = None
    turn:        Turn = Turn()
    series_turn: Turn = Turn()
    cycle:       int = 1

    @property
    def lists(self):
        """Number of the list of the window, the last one. That of the series is before it."""
        return self.spikes.lists + (self.series is not None)

    @property
    def signature(self):
        """Ports of the block that reads the lists. The last list is that of the window."""
        return SpikeListSignature(
            max(log.slots for log in (self.spikes, self.window, self.series) if log),
            self.lists + 1,
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
        To all, ``step`` in their turn.
    turn : :py:`In(range(params.cycle))`
        Number of the step since the reset; only with a series.
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
        } | ({"restart": In(1)} if params.spikes.restarts else {})
          | ({"turn": In(range(params.cycle))} if params.series else {}))

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
        series = self._series(m, self.params.series, spikes) if self.params.series else None
        self._choose(m, spikes, window, series)

        return m

    def _series(self, m, shape, spikes):
        """Log the values of the population that has a log of its own, with this shape."""
        params = self.params
        m.submodules.series = series = WindowLog(shape)
        m.d.comb += [
            spikes.step.eq(self.step & params.turn.now(self.turn)),
            series.step.eq(self.step & params.series_turn.now(self.turn)),
            series.clear.eq(self.clear),
            series.input.event.row.eq(self.spike.group),
            series.input.event.value.eq(self.spike.value),
        ]
        return series

    def _choose(self, m, spikes, window, series):
        """Read the log that has the list."""
        to_window = self.read.list == self.params.lists
        of_window = Signal()                # the list that was selected last
        with m.If(self.read.select):
            m.d.sync += of_window.eq(to_window)
        others = [(window, to_window, of_window)]
        to_spikes, of_spikes = ~to_window, ~of_window
        if series:
            to_series = self.read.list == self.params.spikes.lists
            of_series = Signal()
            with m.If(self.read.select):
                m.d.sync += of_series.eq(to_series)
            others.append((series, to_series, of_series))
            to_spikes, of_spikes = to_spikes & ~to_series, of_spikes & ~of_series
            m.d.comb += [
                spikes.spike.valid.eq(self.spike.valid & ~of_series),
                series.input.event.valid.eq(self.spike.valid & of_series),
            ]
        for log, here, chosen in ((spikes, to_spikes, of_spikes), *others):
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
        if series:
            with m.If(of_series):
                m.d.comb += [getattr(self.read, name).eq(getattr(series.read, name))
                             for name in ("more", "number", "value")]
        if self.params.window.fills:
            m.d.comb += [
                window.read.since.eq(self.read.since),
                window.read.before.eq(self.read.before),
            ]
