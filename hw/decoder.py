# SPDX-License-Identifier: Apache-2.0
"""The whole decoder: the core behind its link, from serial line to serial line."""

import binascii

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from spikewright.plan.config import BAUD
from spikewright.plan.images import load_bytes

from .connect import connect_stream
from .core import Core
from .link import Link, LinkParams, TableParams
from .link.layouts import FRAME_MAX
from .params import CoreParams

__all__ = ["MOST_EVENTS", "Decoder", "link_params"]

# Beside its events, a STEP frame holds type, sequence number, flags and CRC.
MOST_EVENTS = FRAME_MAX - 5


def link_params(params: CoreParams, *, model_hash: str, clock_hz: int,
                baud: int = BAUD) -> LinkParams:
    """Parameters of the link to a core of ``params``.

    Parameters
    ----------
    params : :class:`CoreParams`
    model_hash : :class:`str`
        Hash of the model as its manifest gives it, in hex.
    clock_hz : :class:`int`
        Frequency of the ``sync`` domain, in Hz.
    baud : :class:`int`
        Bits per second on the line.
    """
    table = None
    if params.large:
        content = load_bytes(params.loaded, params.word_bytes)
        table = TableParams(words=len(params.loaded), word_bytes=params.word_bytes,
                            lanes=params.lanes, crc=binascii.crc_hqx(content, 0xffff))
    return LinkParams(rows=params.rows, outputs=params.outputs, width=params.widths.membrane,
                      model_hash=bytes.fromhex(model_hash)[:8], clock_hz=clock_hz, baud=baud,
                      table=table)


class Decoder(wiring.Component):
    """Core and link. A frame with the events of a step comes in, a frame with the outputs leaves.

    Parameters
    ----------
    core : :class:`CoreParams`
    link : :class:`LinkParams`
        Of the same model, see :func:`link_params`.

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
