# SPDX-License-Identifier: Apache-2.0
"""The link: framed bytes over a serial line, between a host and the core."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..connect import connect_stream
from ..layouts import result_layout, token_layout
from .counters import Counters
from .executor import Executor
from .layouts import line_layout
from .loader import Loader
from .params import LinkParams
from .receiver import Receiver
from .store import Store
from .uart import UartRx, UartTx
from .walker import Walker

__all__ = ["Link", "line_members"]


def line_members(bits: bool) -> dict:
    """Ports of the serial line, of bits or of bytes."""
    if not bits:
        return {"i_line": In(stream.Signature(line_layout())),
                "o_line": Out(stream.Signature(8))}
    return {"rx": In(1, init=1), "tx": Out(1, init=1)}


class Link(wiring.Component):
    """Serves one core to one host, a frame at a time.

    A frame is executed only once its CRC is known to be good. It is then answered. Meanwhile one
    more frame can be received.

    Parameters
    ----------
    params : :class:`LinkParams`
        Shape of the core, model hash, clock and baud.
    bits : :class:`bool`
        The serial line is one of bits. Otherwise whoever simulates the link takes the place of its
        UART, which spares the cycles between two bits.

    Members
    -------
    rx, tx : :py:`In(1)`, :py:`Out(1)`
        The serial line, with ``bits``.
    i_line, o_line : :py:`In(stream.Signature(line_layout()))`, :py:`Out(stream.Signature(8))`
        The line without ``bits``, as :class:`UartRx` gives it and :class:`UartTx` takes it.
    o_tokens : :py:`Out(stream.Signature(token_layout(rows)))`
        Requests to the core.
    i_results : :py:`In(stream.Signature(result_layout(outputs, width)))`
        Results of the core. Each is left there until the next frame. Its ``step`` is not used.
    o_load : :py:`Out(stream.Signature(params.table.load))`
        The core's table, only where it has one to load. No token is given while a LOAD is executed,
        nor before all of the first table has passed, nor in between if the table is not staged.
    """

    def __init__(self, params: LinkParams, *, bits: bool = True):
        self.params = params
        self.bits   = bits

        super().__init__(line_members(bits) | {
            "o_tokens":  Out(stream.Signature(token_layout(params.rows))),
            "i_results": In(stream.Signature(result_layout(params.outputs, params.width))),
        } | ({
            "o_load": Out(stream.Signature(params.table.load)),
        } if params.table else {}))

    def elaborate(self, platform):
        m = Module()

        if self.bits:
            m.submodules.uart_rx = uart_rx = UartRx(self.params.divisor)
        m.submodules.receiver = receiver = Receiver()
        m.submodules.store    = store    = Store(self.params)
        m.submodules.counters = counters = Counters()
        m.submodules.walker   = walker   = Walker(self.params)
        m.submodules.executor = executor = Executor(self.params)
        if self.bits:
            m.submodules.uart_tx = uart_tx = UartTx(self.params.divisor)

        connect_stream(m, uart_rx.o if self.bits else wiring.flipped(self.i_line), receiver.i)
        connect_stream(m, receiver.o, executor.i)
        connect_stream(m, walker.o_bytes, executor.i_bytes)
        connect_stream(m, walker.o_line, uart_tx.i if self.bits else wiring.flipped(self.o_line))
        connect_stream(m, executor.o_tokens, wiring.flipped(self.o_tokens))
        connect_stream(m, wiring.flipped(self.i_results), executor.i_results)
        wiring.connect(m, executor.walk, walker.walk)
        wiring.connect(m, executor.facts, walker.facts)
        wiring.connect(m, executor.counts, counters.asked)
        wiring.connect(m, receiver.store, store.receive)
        wiring.connect(m, walker.store, store.walk)
        wiring.connect(m, counters.page, store.page)

        if self.bits:
            m.d.comb += [
                uart_rx.rx.eq(self.rx),
                self.tx.eq(uart_tx.tx),
            ]
        m.d.comb += [
            store.slot.eq(executor.slot),
            walker.busy.eq(counters.asked.busy),
            counters.corrupt.eq(receiver.corrupt),
            counters.overrun.eq(receiver.overrun),
            counters.freeze.eq(walker.freeze | executor.decides),
        ]
        if self.params.table:
            m.submodules.loader = loader = Loader(self.params.table)
            wiring.connect(m, executor.loader, loader.control)
            connect_stream(m, executor.o_load, loader.i)
            connect_stream(m, loader.o, wiring.flipped(self.o_load))

        return m
