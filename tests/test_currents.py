# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from hw.currents import CurrentMemory

from .bench import simulate
from .designs import core_params
from .networks import deep_model


@pytest.mark.parametrize("lanes", [1, 3, 8, 16])
def test_current_memory(lanes):
    """A read and a write per cycle; each lane is written by itself; all zero at first."""
    params = core_params(deep_model(1), lanes)
    dut, rng = CurrentMemory(params), np.random.default_rng(1)
    words = [[0] * lanes for _ in range(params.state_words)]
    half = 1 << params.widths.current - 1

    async def bench(ctx):
        for word in range(params.state_words):
            ctx.set(dut.read_word, word)
            await ctx.tick()
            assert list(ctx.get(dut.read)) == words[word]
        for _ in range(300):
            read, word = rng.integers(0, params.state_words, 2).tolist()
            values = rng.integers(-half, half, lanes).tolist()
            enable = int(rng.integers(0, 1 << lanes))
            ctx.set(dut.read_word, read)
            ctx.set(dut.write_word, word)
            ctx.set(dut.write, values)
            ctx.set(dut.write_lanes, enable)
            await ctx.tick()
            # A word that is read while it is written reads as anything in a block RAM.
            if read != word or not enable:
                assert list(ctx.get(dut.read)) == words[read]
            words[word] = [values[k] if enable >> k & 1 else value
                           for k, value in enumerate(words[word])]

    simulate(dut, bench, max_cycles=params.state_words + 301)
