# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from amaranth.hdl import signed
from amaranth.lib import data

from spikewright.hw.memories.weights import DEEP, DEPTHS, LARGE, BankedRom, bank_depths
from tests.hw.bench import simulate


@pytest.mark.parametrize("depth", [0, 1, 255, 256, 257, 1000, 2048, 2592, 5000, 16384, 16385, 29118,
                                   145408])
def test_bank_depths(depth):
    banks = bank_depths(depth)
    assert sum(banks) == depth
    assert banks == sorted(banks, reverse=True)
    sizes = LARGE if depth > DEEP else DEPTHS
    assert all(bank in sizes for bank in banks[:-1]) and 0 not in banks


def test_bank_depths_of_default_core():
    """96 x 16 + 64 x 16 + 64 x 1 words."""
    assert bank_depths(2624) == [2048, 512, 64]


def test_bank_depths_of_large_tables():
    """No bank is smaller than a block RAM of 16 kbit with words of 32 bits, but the last."""
    assert bank_depths(16384) == 8 * [2048]
    assert bank_depths(29118) == [*3 * [8192], *2 * [2048], 446]
    assert bank_depths(145408) == [*17 * [8192], *3 * [2048]]


@pytest.mark.parametrize("depth, width, lanes", [
    (1, 8, 1), (2, 2, 3), (3, 8, 4), (257, 5, 2), (700, 16, 1), (2624, 4, 2),
    (16385, 3, 2), (29118, 2, 1),
])
def test_banked_rom(depth, width, lanes):
    """A word per cycle, one cycle after its address."""
    rng = np.random.default_rng(1)
    weights = rng.integers(-(1 << width - 1), 1 << width - 1, (depth, lanes)).tolist()
    image = [sum((weight & (1 << width) - 1) << width * lane for lane, weight in enumerate(row))
             for row in weights]
    dut = BankedRom(image, data.ArrayLayout(signed(width), lanes))
    ends = np.cumsum(bank_depths(depth)).tolist()
    addresses = [0, *(end - k for end in ends for k in (1, 0) if end > k and end - k < depth),
                 *rng.integers(0, depth, 200).tolist()]

    async def bench(ctx):
        for address in addresses:
            ctx.set(dut.en, 1)
            ctx.set(dut.address, address)
            await ctx.tick()
            ctx.set(dut.en, 0)
            ctx.set(dut.address, (address + 1) % depth)
            assert list(ctx.get(dut.data)) == weights[address], address

    simulate(dut, bench, max_cycles=len(addresses) + 1)
