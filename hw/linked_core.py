# SPDX-License-Identifier: Apache-2.0
"""The core behind its link, from serial line to serial line."""

from amaranth import *
from amaranth.lib import wiring

from .connect import connect_stream
from .core import Core, CoreParams
from .link import Link, LinkParams, line_members

__all__ = ["LinkedCore"]


class LinkedCore(wiring.Component):
    """Core and link. A frame with the events of a step comes in, a frame with the outputs leaves.

    Parameters
    ----------
    core : :class:`CoreParams`
    link : :class:`LinkParams`
        Of the same plan, see `hw.params`.
    bits : :class:`bool`
        See :class:`Link`.

    Members
    -------
    rx, tx, or i_line, o_line
        The serial line, see :class:`Link`.
    """

    def __init__(self, core: CoreParams, link: LinkParams, *, bits: bool = True):
        self.core = core
        self.link = link
        self.bits = bits

        super().__init__(line_members(bits))

    def elaborate(self, platform):
        m = Module()

        m.submodules.link = link = Link(self.link, bits=self.bits)
        m.submodules.core = core = Core(self.core)
        connect_stream(m, link.o_tokens, core.i)
        connect_stream(m, core.o, link.i_results)
        if self.link.table:
            connect_stream(m, link.o_load, core.load)
        if self.bits:
            m.d.comb += [
                link.rx.eq(self.rx),
                self.tx.eq(link.tx),
            ]
        else:
            connect_stream(m, wiring.flipped(self.i_line), link.i_line)
            connect_stream(m, link.o_line, wiring.flipped(self.o_line))

        return m
