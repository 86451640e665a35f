# SPDX-License-Identifier: Apache-2.0
"""Activity of an idle design: flip-flops that toggle, and RAMs that are read."""

from amaranth.hdl import Fragment, MemoryInstance
from amaranth.sim import Simulator

__all__ = ["idle_work"]

# Cycles until the design is idle, and cycles of the measurement. A byte of a slow line is shorter.
SETTLE, WATCH = 1000, 1000


def idle_work(component, *, settle: int = SETTLE, watch: int = WATCH) -> dict:
    """Simulate ``component`` with idle inputs, and count toggles and reads.

    Registers and memories are counted before synthesis, which may remove or merge some of them.
    The clock is not counted.

    Parameters
    ----------
    component : Component
    settle : int
        Cycles before the measurement.
    watch : int
        Cycles of the measurement.

    Returns
    -------
    dict
        ``flip_flops``: bits of all registers. ``toggles``: mean number of these bits that change
        per cycle. ``read_ports``: read ports of all memories. ``reads``: mean number of these ports
        that read per cycle.
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
    """Signals that are driven in a clock domain of ``fragment`` or of its parts."""
    for domain, statements in fragment.statements.items():
        if domain != "comb":
            for statement in statements:
                yield from statement._lhs_signals()
    for part, *_ in fragment.subfragments:
        yield from _registers(part)


def _read_enables(fragment):
    """Enable of each read port of the memories in ``fragment`` and its parts."""
    if isinstance(fragment, MemoryInstance):
        for port in fragment._read_ports:
            yield port._en
    for part, *_ in fragment.subfragments:
        yield from _read_enables(part)
