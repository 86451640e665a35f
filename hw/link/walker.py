# SPDX-License-Identifier: Apache-2.0
"""Walker: goes through a slot byte by byte, to check a frame, to read it, and to answer it."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_GENIBUS
from amaranth.lib.wiring import In, Out

from ..arith import is_above
from .answer import AnswerBytes, AnswerSignature
from .cobs import Cobs
from .cursor import Cursor
from .params import LinkParams
from .store import SlotSignature

__all__ = ["WalkSignature", "Walker"]


def _crc_shifts():
    """What to add to the CRC's high byte so that the CRC and a zero go out, byte by byte.

    A register that is fed its own high byte moves up by a byte. The CRC is the register inverted.
    Fed with the high byte of the CRC, the register moves up too, and a constant is added.
    """
    algorithm = CRC16_GENIBUS(8)
    shifts, fed = [], b""
    for want in (*algorithm.compute(b"").to_bytes(2, "big"), 0):
        shifts.append(algorithm.compute(fed) >> 8 ^ want)
        fed += bytes([want])
    return shifts


CRC_SHIFTS = _crc_shifts()


class WalkSignature(wiring.Signature):
    """How the executor leads the walker.

    Members
    -------
    reading : :py:`Out(1)`
        Check and give the frame in the slot; low in between two frames.
    position, stop : :py:`In(8)`, :py:`Out(1)`
        Where the walker is; a cycle later, whether the CRC of the frame starts there.
    checked, good : :py:`In(1)`
        The frame is checked, in a cycle after one without ``busy``; its coding and CRC are good.
    answer, done : :py:`Out(1)`, :py:`In(1)`
        An answer is wanted, instead of ``reading``; its delimiter has gone to the line.
    keep, kept : :py:`Out(1)`, :py:`In(1)`
        Only with ``keeps``: write the byte at hand to its place in the status page; it is written.
    rewind : :py:`Out(1)`
        Only with ``keeps``: give the frame again, from position 0 on.
    """

    def __init__(self, keeps: bool):
        super().__init__({
            "reading":  Out(1),
            "position": In(8),
            "stop":     Out(1),
            "checked":  In(1),
            "good":     In(1),
            "answer":   Out(1),
            "done":     In(1),
        } | ({
            "keep":     Out(1),
            "kept":     In(1),
            "rewind":   Out(1),
        } if keeps else {}))


class Walker(wiring.Component):
    """Decodes, checks and reads a frame in its slot; then builds its answer there, and sends it.

    A byte takes 5 cycles, one more where it is written, and more while others use the store. A
    frame is walked through once to decode and check it, then given from position 1 on. An answer
    is walked through up, as it is, and down, to code it: the first byte of an answer of n bytes,
    CRC not counted, goes to the line ``12 * n + 60`` cycles after it is wanted, or a few more. Long
    before it reaches the counters, they have counted the request. The longest step is noted by the
    way.

    Parameters
    ----------
    params : :class:`LinkParams`
        Outputs of the core, their width, and its table.

    Members
    -------
    walk : :py:`In(WalkSignature(params.keeps))`
    o_bytes : :py:`Out(stream.Signature(8))`
        Bytes of the frame.
    facts : :py:`In(AnswerSignature(params))`
        What to answer.
    o_line : :py:`Out(stream.Signature(8))`
        Bytes for the line.
    busy, freeze : :py:`In(1)`, :py:`Out(1)`
        Something is yet to be counted; do not begin to count for the receiver.
    store : :py:`Out(SlotSignature())`
        Access to the slot and to the status page.
    """

    def __init__(self, params: LinkParams):
        self.params = params

        super().__init__({
            "walk":    In(WalkSignature(params.keeps)),
            "o_bytes": Out(stream.Signature(8)),
            "facts":   In(AnswerSignature(params)),
            "o_line":  Out(stream.Signature(8)),
            "busy":    In(1),
            "freeze":  Out(1),
            "store":   Out(SlotSignature()),
        })

    def elaborate(self, platform):
        m = Module()

        restart = Signal()
        crc     = CRC16_GENIBUS(8).create()
        m.submodules.crc    = ResetInserter(restart)(crc)
        m.submodules.cobs   = cobs   = Cobs()
        m.submodules.cursor = cursor = Cursor()
        m.submodules.source = source = AnswerBytes(self.params)

        wiring.connect(m, wiring.flipped(self.facts), source.facts)

        byte  = Signal(8, reset_less=True)
        first = Signal()
        with m.If(~cursor.loaded):
            m.d.sync += byte.eq(source.o)
        m.d.sync += [
            first.eq(cursor.position == 0),
            self.walk.good.eq(crc.match_detected & cobs.due),
            self.walk.checked.eq(0),
        ]
        m.d.comb += [
            self.walk.position.eq(cursor.position),
            self.store.position.eq(cursor.position),
            self.store.data.eq(cobs.o),
            cursor.grant.eq(self.store.grant),
            source.crc.eq(crc.crc[8:] ^ Mux(cursor.position[0], CRC_SHIFTS[1], 0)
                          ^ Mux(cursor.position[1], CRC_SHIFTS[2], 0)),
            source.position.eq(cursor.position),
            source.value.eq(self.store.value),
            cobs.i.eq(byte),
            crc.data.eq(cobs.o),
            self.o_bytes.payload.eq(byte),
            self.o_line.payload.eq(byte),
        ]

        act = cursor.settled & self.store.grant
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.comb += cursor.clear.eq(1), restart.eq(1), cobs.start.eq(1)
                with m.If(self.walk.reading):
                    m.next = "CHECK"
                with m.Elif(self.walk.answer):
                    m.next = "BUILD"
            self._read(m, act, first, cursor, cobs, crc)
            self._build(m, act, first, cursor, cobs, crc, source, byte)
        m.d.comb += self.store.read.eq(~fsm.ongoing("IDLE"))

        return m

    def _read(self, m, act, first, cursor, cobs, crc):
        last = Signal()         # byte of the frame

        with m.State("CHECK"):
            m.d.comb += cobs.decode.eq(1)
            with m.If(act):
                m.d.comb += [
                    self.store.write.eq(cobs.due),
                    cobs.en.eq(1),
                    crc.valid.eq(~first),
                    cursor.step.eq(1),
                ]
                m.d.sync += last.eq(self.walk.stop)
                with m.If(last):
                    m.d.comb += cursor.clear.eq(1)
                    m.next = "VERIFY"

        with m.State("VERIFY"):
            m.d.comb += cobs.decode.eq(1)
            with m.If(cursor.settled & ~self.busy):
                m.d.comb += cursor.step.eq(1)
                m.d.sync += self.walk.checked.eq(1)
                m.next = "READ"

        with m.State("READ"):
            m.d.comb += [
                self.o_bytes.valid.eq(cursor.settled),
                cursor.step.eq(self.o_bytes.ready),
            ]
            if self.params.keeps:
                # No code is due in a checked frame, so `cobs` gives the byte as it is.
                m.d.comb += [
                    self.store.page.eq(self.walk.keep),
                    self.store.write.eq(self.walk.keep & act),
                    self.walk.kept.eq(self.walk.keep & act),
                ]
                with m.If(self.walk.rewind):
                    m.d.comb += cursor.clear.eq(1)
            with m.If(~self.walk.reading):
                m.next = "IDLE"

    def _build(self, m, act, first, cursor, cobs, crc, source, byte):
        paged  = Signal()       # from the second word on
        above  = Signal()       # the step is longer than the longest, in the bytes up to this one
        longer = Signal()       # the same, up to the byte before; from last time, it does no harm
        turn   = Signal()       # the next state follows, not the next byte
        turned = Signal()       # `cobs` has followed the change to `decode`
        eight  = self.walk.position[3:]
        m.d.sync += [
            above.eq(is_above(byte, self.store.value, longer)),
            turn.eq(Mux(source.build, source.tail & self.walk.position[1], source.cycles & longer)),
            # The longest step and the counters are at positions 8 to 21.
            self.freeze.eq(source.build & ((eight == 1) | (eight == 2))),
        ]

        # The answer as it is. After its end the CRC, fed to itself, moves out; a zero follows. The
        # CRC is inverted, so each byte that is fed also adds a constant (`CRC_SHIFTS`).
        with m.State("BUILD"):
            m.d.comb += [
                source.build.eq(1),
                cobs.start.eq(1),
                self.store.page.eq(paged & ~cursor.settled),
            ]
            with m.If(act):
                m.d.comb += self.store.write.eq(1), crc.valid.eq(~first)
                with m.If(source.cycles):
                    m.d.sync += longer.eq(above)
                with m.If(self.walk.position[:2] == 3):
                    m.d.sync += paged.eq(1)
                with m.If(turn):
                    m.d.sync += paged.eq(0)
                    m.next = "CODE"
                with m.Else():
                    m.d.comb += cursor.step.eq(1)

        with m.State("CODE"):
            m.d.comb += cursor.down.eq(1)
            with m.If(act):
                m.d.comb += self.store.write.eq(1), cobs.en.eq(1)
                with m.If(first):
                    m.d.comb += cursor.clear.eq(1)
                    m.next = "SEND"
                with m.Elif(turn):
                    m.next = "NOTE"
                with m.Else():
                    m.d.comb += cursor.step.eq(1)

        # A byte of the longest step, as it is: decoding changes nothing where no code is due.
        with m.State("NOTE"):
            m.d.comb += [
                cursor.down.eq(1),
                self.store.page.eq(1),
                cobs.decode.eq(1),
            ]
            with m.If(act):
                m.d.sync += turned.eq(~turned)
                with m.If(turned):
                    m.d.comb += self.store.write.eq(1), cursor.step.eq(1)
                    m.next = "CODE"

        with m.State("SEND"):
            m.d.comb += self.o_line.valid.eq(cursor.settled)
            with m.If(cursor.settled & self.o_line.ready):
                m.d.comb += cursor.step.eq(1)
                with m.If(cobs.zero):
                    m.d.comb += self.walk.done.eq(1)
                    m.next = "IDLE"
