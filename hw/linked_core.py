# SPDX-License-Identifier: Apache-2.0
"""The core behind its link, from serial line to serial line."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .connect import connect_stream
from .core import Core, CoreParams
from .link import Link, LinkParams

__all__ = ["LinkedCore"]


class LinkedCore(wiring.Component):
    """Core and link. A frame with the events of a step comes in, a frame with the outputs leaves.

    Parameters
    ----------
    core : :class:`CoreParams`
    link : :class:`LinkParams`
        Of the same plan, see `hw.params`.

    Members
    -------
    rx, tx : :py:`In(1)`, :py:`Out(1)`
        The serial line.
    """

    def __init__(self, core: CoreParams, link: LinkParams):
        self.core = core
        self.link = link

        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
        })

    def elaborate(self, platform):
        m = Module()

        m.submodules.link = link = Link(self.link)
        m.submodules.core = core = Core(self.core)
        connect_stream(m, link.o_tokens, core.i)
        connect_stream(m, core.o, link.i_results)
        if self.link.table:
            connect_stream(m, link.o_load, core.load)
        m.d.comb += [
            link.rx.eq(self.rx),
            self.tx.eq(link.tx),
        ]

        return m
