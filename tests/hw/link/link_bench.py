# SPDX-License-Identifier: Apache-2.0
"""A bench around the link: its serial line, and a stub in place of the core."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from spikewright.host.codec import decode_answer
from spikewright.hw.layouts import TokenKind
from spikewright.hw.link import Link, LinkParams
from spikewright.plan.framing import FrameReader
from tests.hw.bench import CYCLE, simulate

__all__ = ["HASH", "PROGRAM", "LinkBench", "link_params", "stub_output"]

HASH    = bytes.fromhex("9f3ac5017be2d844")
PROGRAM = b"program!"


def link_params(**changes):
    """Parameters of a small link with a fast line: 8 cycles per bit."""
    values = {"rows": 96, "outputs": 2, "width": 18, "model_hash": HASH,
              "program_hash": PROGRAM,
              "clock_hz": 24_000_000, "baud": 3_000_000}
    return LinkParams(**{**values, **changes})


async def _high(ctx, signal):
    """Wait, without a look at every cycle, until ``signal`` is high, and not only for a moment."""
    while not ctx.get(signal):
        await ctx.edge(signal, 1)
        await ctx.delay(CYCLE / 4)


def stub_output(step, rows, number, width):
    """Output of the stub: anything that fits into ``width`` bits."""
    value = (sum(rows) + 1) * 0x9e3779b1 + (step + 1) * 0x85ebca6b + number * 0xc2b2ae35
    return (value >> 7) % (1 << width) - (1 << width - 1)


class _Timed(wiring.Component):
    """A link, and the number of the cycle."""

    now: Out(32)

    def __init__(self, params):
        self.link = Link(params)
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = self.link
        m.d.sync += self.now.eq(self.now + 1)
        return m


class LinkBench:
    """Feeds bytes to a link, keeps what comes back, and plays the core.

    The stub's result of a step: :func:`stub_output`; 1000 cycles plus one per event; saturated if
    reset.

    ``table`` is what was loaded: byte by place, as (word, byte); ``loads`` counts the bytes. Where
    words are staged, ``staged`` has them first, and ``copies`` counts those that were copied.

    ``steps`` are the stub's steps, as (reset, rows). ``times`` are the cycles of: the last stop
    bit's middle to the link, the first token, the last result, the first start bit from the link.
    """

    def __init__(self, *, delay=20, stall=0, slow=0, **changes):
        self.params = link_params(**changes)
        self.delay  = delay     # cycles of the stub's step
        self.stall  = stall     # cycles for which each token waits
        self.slow   = slow      # the line to the link is this much slower, in parts of 1
        self.steps  = []
        self.table  = {}
        self.loads  = self.copies = 0
        self.staged = {}
        self.times  = {}
        self._bytes = bytearray()
        self._busy  = False

    def run(self, *chunks, quiet=1500, max_cycles=150_000):
        """Send ``chunks`` back to back: bytes, or pauses in cycles. Returns the answers.

        It ends when the link has been quiet for that many cycles.
        """
        self._dut = _Timed(self.params)
        self._link = self._dut.link
        self._bit = self.params.divisor * CYCLE

        async def send(ctx):
            for chunk in chunks:
                if isinstance(chunk, int):
                    await ctx.delay(chunk * CYCLE)
                elif callable(chunk):
                    await chunk(ctx)
                else:
                    for byte in chunk:
                        await self._send(ctx, byte)
            heard = None
            while heard != len(self._bytes) or self._busy:
                heard = len(self._bytes)
                await ctx.delay(quiet * CYCLE)

        background = [self._listen, self._core, *([self._load] if self.params.table else [])]
        simulate(self._dut, send, background=background, max_cycles=max_cycles)
        reader = FrameReader()
        contents = reader.feed(bytes(self._bytes))
        assert reader.corrupt == 0 and self._bytes[-1:] in (b"", b"\0")
        return [decode_answer(content) for content in contents]

    def pulse(self, cycles):
        """A chunk: the line goes low for ``cycles``."""
        async def send(ctx):
            ctx.set(self._link.rx, 0)
            await ctx.delay(cycles * CYCLE)
            ctx.set(self._link.rx, 1)
            await ctx.delay(self._bit)
        return send

    def levels(self, levels):
        """A chunk: the line takes each level for the time of a bit, and is then high for two."""
        async def send(ctx):
            for level in (*levels, 1, 1):
                ctx.set(self._link.rx, level)
                await ctx.delay(self._bit)
        return send

    def _note(self, ctx, name):
        self.times[name] = ctx.get(self._dut.now)

    async def _send(self, ctx, byte):
        bit = self._bit * (1 + self.slow)
        stop = byte >= 0        # a negative number stands for a byte without a stop bit
        for level in (0, *((byte >> k & 1) for k in range(8))):
            ctx.set(self._link.rx, level)
            await ctx.delay(bit)
        ctx.set(self._link.rx, stop)
        await ctx.delay(bit / 2)
        self._note(ctx, "stop")
        await ctx.delay(bit / 2)
        ctx.set(self._link.rx, 1)
        if not stop:
            await ctx.delay(bit)

    async def _listen(self, ctx):
        tx = self._link.tx
        while True:
            await ctx.edge(tx, 0)
            self.times.setdefault("start", ctx.get(self._dut.now))
            await ctx.delay(self._bit / 2)
            byte = 0
            for k in range(8):
                await ctx.delay(self._bit)
                byte |= ctx.get(tx) << k
            await ctx.delay(self._bit)
            assert ctx.get(tx), "stop bit missing"
            self._bytes.append(byte)

    async def _core(self, ctx):
        tokens, results = self._link.o_tokens, self._link.i_results
        rows, reset = [], 0
        while True:
            await _high(ctx, tokens.valid)
            await ctx.delay(self.stall * CYCLE)
            token = ctx.get(tokens.payload)
            assert ctx.get(tokens.valid), "token taken back"
            ctx.set(tokens.ready, 1)
            self.times.setdefault("token", ctx.get(self._dut.now))
            await ctx.tick()
            ctx.set(tokens.ready, 0)
            if token.kind == TokenKind.EVENT:
                rows.append(token.row)
            elif token.kind == TokenKind.RESET:
                assert not rows
                reset = 1
            else:
                assert not ctx.get(results.valid), "step before the last result was taken"
                self._busy = True
                await ctx.delay(self.delay * CYCLE)
                outputs = [stub_output(len(self.steps), rows, k, self.params.width)
                           for k in range(self.params.outputs)]
                self.steps.append((reset, rows))
                ctx.set(results.payload, {
                    "step": 0xdead, "cycles": 1000 + len(rows), "saturated": reset,
                    "outputs": outputs})
                ctx.set(results.valid, 1)
                self._note(ctx, "result")
                rows, reset = [], 0
                self._busy = False
                await _high(ctx, results.ready)
                assert not ctx.get(tokens.valid), "token before the last result was taken"
                await ctx.tick()
                ctx.set(results.valid, 0)

    async def _load(self, ctx):
        port = self._link.o_load
        while True:
            await _high(ctx, port.valid)
            await ctx.delay(self.stall * CYCLE)
            assert ctx.get(port.valid), "byte taken back"
            assert not ctx.get(self._link.o_tokens.valid), "token while a table is loaded"
            self._take_load(ctx.get(port.payload))
            ctx.set(port.ready, 1)
            await ctx.tick()
            ctx.set(port.ready, 0)

    def _take_load(self, load):
        table = self.params.table
        if table.staged and load.copy:
            self.table |= {(load.word, k): self.staged[load.word, k]
                           for k in range(table.word_bytes)}
            self.copies += 1
            return
        (self.staged if table.staged else self.table)[load.word, load.byte] = load.data
        self.loads += 1
