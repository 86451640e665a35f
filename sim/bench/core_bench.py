# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of the core.

The plan's file comes as ``+plan=PATH``; ``+stalled=STEPS`` says how much of it to run with stalls.
"""

from pathlib import Path
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, Timer

from .agents import PERIOD, Driver, Monitor
from .checker import Checker
from .plan import load_plan

# Steps between two lines in the log.
NOTE = 50


@cocotb.test()
async def without_stalls(dut):
    """From configuration: values, cycles and latency, with tokens and results never held up."""
    await _begin(dut)
    await _run(dut, None, None)


@cocotb.test()
async def with_stalls(dut):
    """After a reset in the middle of work: values and cycles, with random stalls on both sides."""
    await _begin(dut)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2, FallingEdge)
    dut.rst.value = 0
    await _run(dut, int(cocotb.plusargs["stalled"]), Random(cocotb.RANDOM_SEED))


async def _begin(dut) -> None:
    """Let every input have a value before the first edge of the clock."""
    for port in (dut.rst, dut.i__valid, dut.i__payload, dut.o__ready):
        port.value = 0
    await Timer(PERIOD, unit="ns")
    Clock(dut.clk, PERIOD, unit="ns").start()


async def _run(dut, steps: int | None, random: Random | None) -> None:
    plan = load_plan(Path(str(cocotb.plusargs["plan"])))
    driver = Driver(dut, plan, random)
    monitor = Monitor(dut, plan, driver, random)
    checker = Checker(plan, latency=random is None)
    cocotb.start_soon(driver.run())
    for t in range(plan.steps if steps is None else steps):
        result = await monitor.result()
        checker.check(t, result, was_reset=driver.was_reset)
        driver.was_reset = False
        if t % NOTE == NOTE - 1:
            dut._log.info("%d more steps equal golden", NOTE)
