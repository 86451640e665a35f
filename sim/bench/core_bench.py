# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of the core.

The script's file comes as ``+script=PATH``. ``+stalled=STEPS`` says how many of its steps to run
with stalls.
"""

from pathlib import Path
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

from .agents import PERIOD, Driver, Monitor
from .checker import Checker
from .script import Script, load_script

# Steps between two lines in the log.
NOTE = 50


@cocotb.test()
async def without_stalls(dut):
    """From configuration: values, cycles and latency, with tokens and results never held up."""
    script = await _begin(dut)
    await _run(dut, script, script.steps)


@cocotb.test()
async def with_stalls(dut):
    """Reset in the middle of work: values and cycles, with random stalls on both sides.

    The reset line clears registers, not memories; the RESET token then clears those.
    """
    script = await _begin(dut)
    dut.rst.value = 1
    for _ in range(2):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    await _run(dut, script, int(cocotb.plusargs["stalled"]), Random(cocotb.RANDOM_SEED))


async def _begin(dut) -> Script:
    """Give every input a value, and start the clock with its low half."""
    script = load_script(Path(str(cocotb.plusargs["script"])))
    load = (dut.load__valid, dut.load__payload) if len(script.table) else ()
    for port in (dut.rst, dut.i__valid, dut.i__payload, dut.o__ready, *load):
        port.value = 0
    await Timer(PERIOD, unit="ns")
    Clock(dut.clk, PERIOD, unit="ns").start(start_high=False)
    return script


async def _run(dut, script: Script, steps: int, random: Random | None = None) -> None:
    """Run the first ``steps`` steps of ``script``, with stalls if ``random`` is given."""
    driver = Driver(dut, script, random)
    monitor = Monitor(dut, script, driver, random)
    checker = Checker(script, latency=random is None)
    cocotb.start_soon(driver.run(clear=random is not None))
    for t in range(steps):
        result = await monitor.result()
        checker.check(t, result, was_reset=driver.was_reset)
        driver.was_reset = False
        if t % NOTE == NOTE - 1:
            dut._log.info("%d more steps equal golden", NOTE)
