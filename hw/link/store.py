# SPDX-License-Identifier: Apache-2.0
"""The link's one block RAM, shared by three users."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from .layouts import page_address, page_init

__all__ = ["PageSignature", "ReceiveSignature", "SlotSignature", "Store"]


class ReceiveSignature(wiring.Signature):
    """How the receiver writes a byte, in the cycles with ``write``.

    ``soon`` tells in the cycle before each of them.
    """

    def __init__(self):
        super().__init__({
            "soon":    Out(1),
            "write":   Out(1),
            "address": Out(9),
            "data":    Out(8),
        })


class PageSignature(wiring.Signature):
    """How the counters reach the status page, in the cycles with ``claim``.

    ``soon`` tells in the cycle before each of them. ``value`` is the byte at the ``position`` of
    the previous cycle. Write only with ``grant``.
    """

    def __init__(self):
        super().__init__({
            "soon":     Out(1),
            "claim":    Out(1),
            "position": Out(5),
            "write":    Out(1),
            "data":     Out(8),
            "value":    In(8),
            "grant":    In(1),
        })


class SlotSignature(wiring.Signature):
    """How the walker reaches its slot, or the status ``page``, in the cycles with ``grant``.

    ``value`` is the byte at the ``position`` of the previous cycle, if that had ``read``.
    """

    def __init__(self):
        super().__init__({
            "read":     Out(1),
            "position": Out(8),
            "page":     Out(1),
            "write":    Out(1),
            "data":     Out(8),
            "value":    In(8),
            "grant":    In(1),
        })


class Store(wiring.Component):
    """Two frame slots and the status page, in one block RAM of 512 bytes.

    The last bytes of each slot are the status page, which is laid out as the INFO answer is.
    The receiver always goes first, then the counters, then the walker. A write is carried out one
    cycle later; the walker waits for that cycle, so that nothing is read while it is written.

    Parameters
    ----------
    params : :class:`LinkParams`
        Identity, which the status page holds from configuration on. Reset does not clear counters.

    Members
    -------
    receive : :py:`In(ReceiveSignature())`
        What the receiver writes.
    page : :py:`In(PageSignature())`
        The counters' access.
    slot, walk : :py:`In(1)`, :py:`In(SlotSignature())`
        The walker's slot, and its access.
    """

    def __init__(self, params):
        self.params = params

        super().__init__({
            "receive": In(ReceiveSignature()),
            "page":    In(PageSignature()),
            "slot":    In(1),
            "walk":    In(SlotSignature()),
        })

    def elaborate(self, platform):
        m = Module()

        m.submodules.ram = ram = memory.Memory(shape=8, depth=512, init=page_init(self.params))
        read  = ram.read_port()
        write = ram.write_port()

        receive, page, walk = self.receive, self.page, self.walk
        position = Mux(page.claim, page.position, walk.position)
        address  = Mux(page.claim | walk.page, page_address(position),
                       Cat(walk.position, self.slot))
        m.d.sync += [
            write.en.eq(receive.write | page.write | walk.write),
            write.addr.eq(Mux(receive.write, receive.address, address)),
            write.data.eq(Mux(receive.write, receive.data,
                              Mux(page.claim, page.data, walk.data))),
            # A cycle ahead: much waits for it.
            walk.grant.eq(~(receive.soon | receive.write | page.soon | page.claim
                            | walk.write)),
        ]
        m.d.comb += [
            read.en.eq(page.claim | walk.read),
            read.addr.eq(address),
            page.value.eq(read.data),
            page.grant.eq(~receive.write),
            walk.value.eq(read.data),
        ]

        return m
