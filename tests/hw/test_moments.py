# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Counts of a normalized window and their sums against plain Python."""

import numpy as np

from spikewright.hw.memories.moments import Moments, MomentsParams
from tests.hw.bench import simulate


def test_moments():
    """Events enter and leave in any order, every other cycle; then all is cleared."""
    dut = Moments(MomentsParams(parts=3, rows=5, count=6, square=11))
    rng = np.random.default_rng(1)

    async def move(ctx, part, row, leaves):
        ctx.set(dut.move, {"valid": 1, "part": part, "row": row, "leaves": leaves})
        await ctx.tick()
        ctx.set(dut.move, {"valid": 0, "part": 0, "row": 0, "leaves": 0})
        await ctx.tick()

    async def bench(ctx):
        for _ in range(2):
            counts = np.zeros((3, 5), int)
            for _ in range(120):
                part, row = int(rng.integers(3)), int(rng.integers(5))
                leaves = int(counts[part, row] and (counts.sum() > 40 or rng.random() < 0.4))
                counts[part, row] += -1 if leaves else 1
                await move(ctx, part, row, leaves)
                assert ctx.get(dut.update.once) == counts.sum()
                assert ctx.get(dut.update.squares) == (counts ** 2).sum()
            ctx.set(dut.clear, 1)
            for part, row in np.ndindex(3, 5):
                ctx.set(dut.update.zero, {"valid": 1, "part": part, "row": row})
                await ctx.tick()
            ctx.set(dut.update.zero, {"valid": 0, "part": 0, "row": 0})
            ctx.set(dut.clear, 0)
            assert ctx.get(dut.update.once) == ctx.get(dut.update.squares) == 0

    simulate(dut, bench, max_cycles=600)
