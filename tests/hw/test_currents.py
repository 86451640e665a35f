# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from spikewright.hw.memories.currents import CurrentMemory

from tests.designs import core_params
from tests.hw.bench import simulate
from tests.networks import deep_model


@pytest.mark.parametrize("lanes", [1, 3, 8, 16, 17])
def test_current_memory(lanes):
    """A read and a write per cycle; each lane is written by itself; all zero at first.

    What is read stays until the next cycle with ``reads``. Where rows stream, all lanes have the
    same word, and one that is read while it is written is the new one.
    """
    params = core_params(deep_model(1), lanes)
    dut, rng = CurrentMemory(params), np.random.default_rng(1)
    words = [[0] * lanes for _ in range(params.state_words)]
    half = 1 << params.widths.current - 1

    async def bench(ctx):
        ctx.set(dut.reads, 1)
        for word in range(params.state_words):
            ctx.set(dut.read_words, [word] * lanes)
            await ctx.tick()
            assert list(ctx.get(dut.read)) == words[word]
        for _ in range(300):
            read, word = rng.integers(0, params.state_words, (2, lanes)).tolist()
            if params.streams:
                read, word = [read[0]] * lanes, [word[0]] * lanes
            values = rng.integers(-half, half, lanes).tolist()
            enable = int(rng.integers(0, 1 << lanes))
            reads = int(rng.integers(0, 2))
            before = list(ctx.get(dut.read))
            ctx.set(dut.reads, reads)
            ctx.set(dut.read_words, read)
            ctx.set(dut.write_words, word)
            ctx.set(dut.write, values)
            ctx.set(dut.write_lanes, enable)
            await ctx.tick()
            found = list(ctx.get(dut.read))
            for k in range(lanes):
                written = enable >> k & 1
                # A word that is read while it is written reads as anything in a block RAM.
                if not reads:
                    assert found[k] == before[k]
                elif params.streams and read[k] == word[k] and written:
                    assert found[k] == values[k]
                elif read[k] != word[k] or not written:
                    assert found[k] == words[read[k]][k]
                if written:
                    words[word[k]][k] = values[k]

    simulate(dut, bench, max_cycles=params.state_words + 301)
