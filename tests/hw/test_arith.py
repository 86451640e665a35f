# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from amaranth import *
from amaranth.sim import Simulator

from spikewright.golden.core import saturate as golden_saturate
from spikewright.golden.core import scaled
from spikewright.hw.arith import overflows, round_half_up, saturate, times


def evaluate(expression, inputs, rows):
    """Values of a combinational ``expression`` for every row of ``inputs``."""
    result = []

    async def bench(ctx):
        for row in rows:
            for signal, value in zip(inputs, row, strict=True):
                ctx.set(signal, int(value))
            result.append(ctx.get(expression))

    sim = Simulator(Module())
    sim.add_testbench(bench)
    sim.run()
    return result


@pytest.mark.parametrize("wide, narrow", [(2, 2), (4, 2), (6, 5), (8, 3), (9, 8)])
def test_saturate_every_value(wide, narrow):
    value = Signal(signed(wide))
    every = range(-(1 << wide - 1), 1 << wide - 1)
    largest = (1 << narrow - 1) - 1
    flags = [np.zeros(1, np.int64) for _ in every]
    want = [int(golden_saturate(v, largest, flag)) for v, flag in zip(every, flags, strict=True)]
    assert evaluate(saturate(value, narrow), [value], [(v,) for v in every]) == want
    assert evaluate(overflows(value, narrow), [value], [(v,) for v in every]) == [
        int(flag[0]) for flag in flags]


@pytest.mark.parametrize("bits", [1, 2, 5])
def test_round_half_up_every_value(bits):
    value = Signal(signed(8))
    every = range(-128, 128)
    got = evaluate(round_half_up(value, bits, C(0, 1)), [value], [(v,) for v in every])
    assert got == [int(scaled(v, 1, bits)) for v in every]
    # Halves go up: -1.5 -> -1, -0.5 -> 0, 0.5 -> 1, 1.5 -> 2.
    half = 1 << bits - 1
    assert [got[128 + k * half] for k in (-3, -1, 1, 3)] == [-1, 0, 1, 2]


def test_round_half_up_of_products():
    x, k, plus = Signal(signed(20)), Signal(12), Signal(signed(16))
    rng = np.random.default_rng(1)
    rows = np.stack([rng.integers(-(1 << 19), 1 << 19, 300), rng.integers(0, 1 << 12, 300),
                     rng.integers(-(1 << 15), 1 << 15, 300)], 1)
    rows[:5] = [(-(1 << 19), 4095, -(1 << 15)), ((1 << 19) - 1, 4095, (1 << 15) - 1),
                (-(1 << 19), 0, -1), (1, 2048, 0), (1, 2048, -1)]
    assert evaluate(round_half_up(x * k, 12, plus), [x, k, plus], rows) == [
        int(scaled(a, b, 12)) + c for a, b, c in rows]


@pytest.mark.parametrize("constant", [1, 2, 3, 7, 11, 16, 23, 45])
def test_times_every_value(constant):
    value = Signal(6)
    every = range(64)
    assert evaluate(times(value, constant), [value], [(v,) for v in every]) == [
        v * constant for v in every]
