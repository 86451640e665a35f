# SPDX-License-Identifier: Apache-2.0
"""Serial line: 8 data bits, no parity, 1 stop bit."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from .layouts import line_layout

__all__ = ["UartRx", "UartTx"]


def _check_divisor(divisor):
    if type(divisor) is not int:
        raise TypeError(f"UART divisor must be an int, not {divisor!r}")
    if divisor < 4:
        raise ValueError(f"UART divisor must be at least 4, not {divisor!r}")


class UartRx(wiring.Component):
    """Serial receiver.

    Each bit is sampled in its middle. A start bit that is gone by then is taken for noise. A byte
    without a stop bit is marked bad, and the line must rest before the next one. Bytes come at most
    every ``10 * divisor`` cycles, and each must be taken within ``divisor`` cycles, for which its
    ``data`` stays, taken or not.

    Parameters
    ----------
    divisor : :class:`int`
        Clock cycles per bit, at least 4.

    Members
    -------
    rx : :py:`In(1)`
        The line, asynchronous.
    o : :py:`Out(stream.Signature(line_layout()))`
        Received bytes.
    """

    def __init__(self, divisor):
        _check_divisor(divisor)
        self.divisor = divisor

        super().__init__({
            "rx": In(1, init=1),
            "o":  Out(stream.Signature(line_layout())),
        })

    def elaborate(self, platform):
        m = Module()

        rx = Signal(init=1)
        m.submodules.sync = FFSynchronizer(self.rx, rx, init=1)

        timer  = Signal(range(self.divisor), reset_less=True)
        bits   = Signal(9, reset_less=True)     # a one runs ahead of the 8 data bits
        idle   = Signal()
        sample = Signal()
        m.d.sync += [
            timer.eq(Mux(idle | (timer == 0), self.divisor - 1, timer - 1)),
            sample.eq(~idle & (timer == self.divisor // 2 + 1)),
        ]
        m.d.comb += self.o.p.data.eq(bits[1:])
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += idle.eq(1)
                with m.If(~rx):
                    m.next = "START"

            with m.State("START"):
                with m.If(sample):
                    m.d.sync += bits.eq(1 << 8)
                    m.next = "DATA"
                    with m.If(rx):
                        m.next = "IDLE"

            with m.State("DATA"):
                with m.If(sample):
                    with m.If(bits[0]):
                        m.d.sync += [
                            self.o.valid.eq(1),
                            self.o.p.bad.eq(~rx),
                            self.o.p.zero.eq(rx & (bits[1:] == 0)),
                        ]
                        m.next = "IDLE"
                        with m.If(~rx):
                            m.next = "REST"
                    with m.Else():
                        m.d.sync += bits.eq(Cat(bits[1:], rx))

            with m.State("REST"):
                with m.If(rx):
                    m.next = "IDLE"

        return m


class UartTx(wiring.Component):
    """Serial transmitter.

    A byte takes ``10 * divisor + 1`` cycles, then the next one is accepted.

    Parameters
    ----------
    divisor : :class:`int`
        Clock cycles per bit, at least 4.

    Members
    -------
    i : :py:`In(stream.Signature(8))`
        Bytes to send.
    tx : :py:`Out(1)`
        The line, driven by a flip-flop.
    """

    def __init__(self, divisor):
        _check_divisor(divisor)
        self.divisor = divisor

        super().__init__({
            "i":  In(stream.Signature(8)),
            "tx": Out(1, init=1),
        })

    def elaborate(self, platform):
        m = Module()

        timer = Signal(range(self.divisor), reset_less=True)
        bits  = Signal(10, init=1)      # the stop bit is a one with only zeros behind it
        ready = Signal(init=1)
        m.d.comb += [
            self.tx.eq(bits[0]),
            self.i.ready.eq(ready),
        ]
        m.d.sync += timer.eq(Mux(ready | (timer == 0), self.divisor - 1, timer - 1))

        with m.If(ready):
            with m.If(self.i.valid):
                m.d.sync += [
                    bits.eq(Cat(Const(0, 1), self.i.payload, 1)),
                    ready.eq(0),
                ]
        with m.Elif(timer == 0):
            with m.If(bits[1:] == 0):
                m.d.sync += ready.eq(1)
            with m.Else():
                m.d.sync += bits.eq(bits[1:])

        return m
