# SPDX-License-Identifier: Apache-2.0
"""What a design does while it has nothing to do: flip-flops that toggle, RAMs that are read."""

from amaranth.hdl import Fragment, MemoryInstance
from amaranth.sim import Simulator

__all__ = ["idle_work"]

# Cycles until the design is at rest, and cycles that are watched: several bytes of a slow line.
SETTLE, WATCH = 1000, 1000


def idle_work(component, *, settle: int = SETTLE, watch: int = WATCH) -> dict:
    """Simulate ``component`` with idle inputs, and count what still happens in it.

    Registers and memories count as they are described, before synthesis drops, merges or cuts any.
    The clock itself counts nothing.

    Returns
    -------
    dict
        ``flip_flops``: bits of all registers; ``toggles``: mean number that change per cycle;
        ``read_ports``: of all memories; ``reads``: mean number that read per cycle.
    """
    fragment = Fragment.get(component, None)
    registers = list({id(signal): signal for signal in _registers(fragment)}.values())
    enables = list(_read_enables(fragment))
    changed = reads = 0

    async def bench(ctx):
        nonlocal changed, reads
        await ctx.tick().repeat(settle)
        before = [ctx.get(signal) for signal in registers]
        for _ in range(watch):
            reads += sum(ctx.get(enable) for enable in enables)
            await ctx.tick()
            now = [ctx.get(signal) for signal in registers]
            changed += sum((int(a) ^ int(b)).bit_count()
                           for a, b in zip(before, now, strict=True) if a != b)
            before = now

    simulator = Simulator(fragment)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return {"flip_flops": sum(len(signal) for signal in registers), "toggles": changed / watch,
            "read_ports": len(enables), "reads": reads / watch}


def _registers(fragment):
    """Signals that a clock domain of ``fragment`` or of its parts drives."""
    for domain, statements in fragment.statements.items():
        if domain != "comb":
            for statement in statements:
                yield from statement._lhs_signals()
    for part, *_ in fragment.subfragments:
        yield from _registers(part)


def _read_enables(fragment):
    """What enables each read port of a memory in ``fragment`` or its parts."""
    if isinstance(fragment, MemoryInstance):
        for port in fragment._read_ports:
            yield port._en
    for part, *_ in fragment.subfragments:
        yield from _read_enables(part)
