# SPDX-License-Identifier: Apache-2.0
"""What a design does while it has nothing to do: the flip-flops that still toggle."""

from amaranth.hdl import Fragment
from amaranth.sim import Simulator

__all__ = ["idle_toggles"]

# Cycles until the design is at rest, and cycles that are watched: several bytes of a slow line.
SETTLE, WATCH = 1000, 1000


def idle_toggles(component, *, settle: int = SETTLE, watch: int = WATCH) -> dict:
    """Simulate ``component`` with idle inputs, and count the bits of its registers that change.

    Bits count as they are described, before synthesis drops or merges any. A block RAM, and the
    clock itself, count nothing.

    Returns
    -------
    dict
        ``flip_flops``: bits of all registers; ``toggles``: mean number that change per cycle.
    """
    fragment = Fragment.get(component, None)
    registers = list({id(signal): signal for signal in _registers(fragment)}.values())
    changed = 0

    async def bench(ctx):
        nonlocal changed
        await ctx.tick().repeat(settle)
        before = [ctx.get(signal) for signal in registers]
        for _ in range(watch):
            await ctx.tick()
            now = [ctx.get(signal) for signal in registers]
            changed += sum((int(a) ^ int(b)).bit_count()
                           for a, b in zip(before, now, strict=True) if a != b)
            before = now

    simulator = Simulator(fragment)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return {"flip_flops": sum(len(signal) for signal in registers), "toggles": changed / watch}


def _registers(fragment):
    """Signals that a clock domain of ``fragment`` or of its parts drives."""
    for domain, statements in fragment.statements.items():
        if domain != "comb":
            for statement in statements:
                yield from statement._lhs_signals()
    for part, *_ in fragment.subfragments:
        yield from _registers(part)
