# SPDX-License-Identifier: Apache-2.0
"""Memory of weights, cut into banks that fill whole block RAMs."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from spikewright.plan.loads import LoadMap

from ..layouts import stored_layout
from .joiner import is_in

__all__ = ["BankedRom", "bank_depths"]

# Words of a 4-kbit block RAM that is 2, 4, 8 or 16 bits wide.
DEPTHS = (2048, 1024, 512, 256)
WIDEST = 16

# A table with more words than DEEP fits only chips whose block RAMs have 16 kbit: 1, 2, 4, 8, 16 or
# 32 bits wide. A smaller bank would leave a part of one empty.
DEEP  = 16384
LARGE = (8192, 2048, 1024, 512)

# Words of a table that a few LUTs hold, and that would leave a block RAM nearly empty.
FEW = 64


def bank_depths(depth: int) -> list[int]:
    """Cut ``depth`` words into banks. Each is as deep as a block RAM can be; the last is smaller.

    Few deep and narrow banks take no more block RAMs than many shallow and wide ones, and need a
    smaller multiplexer behind them.
    """
    banks = []
    for size in LARGE if depth > DEEP else DEPTHS:
        while depth >= size:
            banks.append(size)
            depth -= size
    return [*banks, depth] if depth else banks


class BankedRom(wiring.Component):
    """Table: one word per cycle, one cycle after its address.

    In a cycle without ``en`` no block RAM reads. A host may store other words, in cycles without
    ``en``.

    Parameters
    ----------
    image : list of :class:`int`
        One unsigned integer per word.
    shape : shape-like
        Of a word.
    loads : :class:`LoadMap`, optional
        What a host loads. None if the table is read-only.
    name : :class:`str`
        Name of the table's region in ``loads``.

    Members
    -------
    en : :py:`In(1)`
        Read in this cycle.
    address : :py:`In(range(len(image)))`
    data : :py:`Out(shape)`
        The word. Past the end of the table, and after a cycle without ``en``: any value.
    stored : :py:`In(stored_layout(words, word_bytes))`
        Only with ``loads``: a word to store, if it is in the table's region.
    """

    def __init__(self, image: list[int], shape, loads: LoadMap | None = None, name: str = ""):
        self.image  = image
        self.region = loads.region(name) if loads else None

        super().__init__({
            "en":      In(1),
            "address": In(range(max(len(image), 2))),
            "data":    Out(shape),
        } | ({
            "stored":  In(stored_layout(loads.words, loads.word_bytes)),
        } if loads else {}))

    def elaborate(self, platform):
        m = Module()

        data, base = Value.cast(self.data), 0
        # Left to itself, synthesis makes the small rest of a table of LUTs: some hundred of them,
        # where a single block RAM holds it.
        whole = {"ram_style": "block"} if len(data) <= WIDEST else {}
        parts = []
        for number, depth in enumerate(bank_depths(len(self.image))):
            bank = memory.Memory(shape=unsigned(len(data)), depth=depth,
                                 init=self.image[base:base + depth],
                                 attrs=whole if depth > FEW else {})
            m.submodules[f"bank_{number}"] = bank
            port = bank.read_port()
            # Banks lie in order of falling size, so the low bits address within each.
            m.d.comb += [
                port.addr.eq(self.address),
                port.en.eq(self.en),
            ]
            if self.region:
                self._store(m, bank, base)
            chosen = Signal(name=f"chosen_{number}")
            m.d.sync += chosen.eq(self.address >= base)
            if len(self.image) > DEEP:
                parts.append((chosen, port.data))
            else:
                with m.If(chosen):
                    m.d.comb += data.eq(port.data)
            base += depth
        if parts:       # a chain of multiplexers through so many banks would be slow
            behind = [*(chosen for chosen, _ in parts[1:]), Const(0)]
            m.d.comb += data.eq(_any([Mux(chosen & ~after, part, 0) for (chosen, part), after in
                                      zip(parts, behind, strict=True)]))

        return m

    def _store(self, m, bank, base):
        """Write a word of the host if it is in the bank that begins at ``base``."""
        assert self.region is not None
        write = bank.write_port()
        m.d.comb += [
            write.addr.eq(self.stored.word),
            write.data.eq(self.stored.data),
            write.en.eq(self.stored.valid
                        & is_in(self.stored.word, self.region, base, bank.depth)),
        ]


def _any(words):
    """Or of all ``words``, as a tree."""
    if len(words) == 1:
        return words[0]
    half = len(words) // 2
    return _any(words[:half]) | _any(words[half:])
