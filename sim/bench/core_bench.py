# SPDX-License-Identifier: Apache-2.0
"""cocotb tests of the core.

``+script=PATH`` gives the file of the script. ``+stalled=STEPS`` gives the number of its steps to
run with stalls.
"""

from pathlib import Path
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

from .agents import PERIOD, Driver, Monitor
from .checker import Checker
from .script import Script, load_script

# Steps between two lines of the log.
NOTE = 50


@cocotb.test()
async def without_stalls(dut):
    """After configuration, without stalls: values, cycles and latency."""
    script = await _begin(dut)
    await _run(dut, script, script.steps)


@cocotb.test()
async def with_stalls(dut):
    """After a reset in the middle of work, with random stalls on both sides: values and cycles.

    The reset line clears registers, but not memories. The RESET token clears the memories.
    """
    script = await _begin(dut)
    dut.rst.value = 1
    for _ in range(2):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    await _run(dut, script, int(cocotb.plusargs["stalled"]), Random(cocotb.RANDOM_SEED))


async def _begin(dut) -> Script:
    """Set every input, start the clock with its low half, and return the script."""
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
