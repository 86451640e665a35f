# SPDX-License-Identifier: Apache-2.0
"""Driver and monitor: one for the inputs of the core, one for its outputs."""

from dataclasses import dataclass
from random import Random

import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from cocotb.utils import get_sim_time

from spikewright.hw.layouts import TokenKind, load_layout, result_layout, spike_layout, token_layout

from .script import Script

__all__ = ["PERIOD", "Driver", "Monitor", "Result"]

PERIOD = 10                             # ns of a clock cycle
LONGEST_STALL = 40                      # cycles


class Agent:
    """An agent acts once per clock cycle.

    It begins at a falling edge of the clock, and changes inputs there. It reads outputs at the end
    of the same instant, when they have the values that the next rising edge will see. All
    simulators therefore give the same result, whatever the order in which they run the tasks.

    Parameters
    ----------
    dut
    random : Random, optional
        Source of the stalls. Without it, the agent never stalls.
    """

    def __init__(self, dut, random: Random | None):
        self.dut = dut
        self.random = random

    def stall(self) -> int:
        """Cycles to wait. In most cases 0, so that there are bursts between stalls."""
        if self.random is None or self.random.random() < 0.7:
            return 0
        return self.random.randint(1, LONGEST_STALL)

    async def falling(self) -> None:
        """Wait for the moment to change inputs."""
        await FallingEdge(self.dut.clk)

    async def settled(self) -> None:
        """Wait for the moment to read outputs, as the next rising edge will see them."""
        await ReadOnly()

    def cycle(self) -> int:
        """Number of the clock cycle in the simulation."""
        return int(get_sim_time("ns")) // PERIOD


class Driver(Agent):
    """Sends the tokens of a script. Each token is offered until the core takes it.

    ``last_event`` is the cycle in which the core took the last event of the step. In a step without
    events, it is the cycle in which the core took the STEP token. ``was_reset`` becomes True when
    the core takes a RESET. The user of the driver sets it to False.
    """

    def __init__(self, dut, script: Script, random: Random | None):
        super().__init__(dut, random)
        self.script = script
        self.layout = token_layout(script.rows)
        self.last_event = 0
        self.events = False             # the last token was an event
        self.was_reset = False

    async def send(self, kind: int, row: int) -> None:
        """Offer one token until it is taken."""
        for _ in range(self.stall()):
            self.dut.i__valid.value = 0
            await self.falling()
        self.dut.i__valid.value = 1
        self.dut.i__payload.value = self.layout.const({"kind": kind, "row": row}).as_bits()
        await self.settled()
        while not self.dut.i__ready.value:
            await self.falling()
            await self.settled()
        self._note(kind)
        await self.falling()

    async def load(self) -> None:
        """Load the table of the script, byte by byte."""
        layout = load_layout(self.script.words, self.script.word_bytes)
        for k, byte in enumerate(self.script.table.tolist()):
            for _ in range(self.stall()):
                self.dut.load__valid.value = 0
                await self.falling()
            word, byte_in_word = divmod(k, self.script.word_bytes)
            self.dut.load__valid.value = 1
            self.dut.load__payload.value = layout.const(
                {"word": word, "byte": byte_in_word, "data": byte}).as_bits()
            await self.settled()
            while not self.dut.load__ready.value:
                await self.falling()
                await self.settled()
            await self.falling()
        self.dut.load__valid.value = 0

    async def run(self, *, clear: bool) -> None:
        """Load the table, if there is one, and send every token of the script.

        If ``clear``, a RESET goes before the tokens.
        """
        if len(self.script.table):
            await self.load()
        if clear:
            await self.send(TokenKind.RESET.value, 0)
        for kind, row in zip(self.script.kind.tolist(), self.script.row.tolist(), strict=True):
            await self.send(kind, row)
        self.dut.i__valid.value = 0

    def resets(self) -> bool:
        """Whether the core takes a RESET in this cycle, whose signals have settled."""
        if not (self.dut.i__valid.value and self.dut.i__ready.value):
            return False
        token = self.layout.from_bits(int(self.dut.i__payload.value))
        return token.kind == TokenKind.RESET

    def _note(self, kind):
        if kind == TokenKind.EVENT.value or (kind == TokenKind.STEP.value and not self.events):
            self.last_event = self.cycle()
        self.events = kind == TokenKind.EVENT.value
        self.was_reset |= kind == TokenKind.RESET.value


@dataclass(frozen=True, kw_only=True)
class Result:
    """Result of one step. The monitor counts ``busy`` and ``latency``, in cycles."""

    step: int
    velocity_int: list[int]
    saturated: bool
    cycles: int
    spikes: list[int]
    values: dict[int, int]
    busy: int
    latency: int


class Monitor(Agent):
    """Takes results, each at once or after some cycles, and watches the other outputs.

    A result must not change until it is taken. Until then, the core must take no token. Busy cycles
    after a result count for the next step. The first step has as many busy cycles before it.
    """

    def __init__(self, dut, script: Script, driver: Driver, random: Random | None):
        super().__init__(dut, random)
        self.driver = driver
        self.layout = result_layout(script.velocity_int.shape[1], script.membrane)
        steps = np.flatnonzero(script.kind == TokenKind.STEP.value)
        tokens = int(np.diff(steps, prepend=-1).max(initial=0)) + 2
        self.column, self.inner = script.column, script.inner
        self.places = len(script.column) // script.inner
        self.spike = spike_layout(self.places // script.units, script.units, script.value,
                                  script.inner)
        self.valued = script.value > 0
        self.busy = 0
        self.most = 4 * int(script.cycles.max()) + 1000 + tokens * LONGEST_STALL
        # The first result comes after the table.
        self.most += len(script.table) * (LONGEST_STALL if random else 2)

    async def result(self) -> Result:
        """Wait for a result and take it."""
        spikes, values, busy, payload, latency, wait = [], {}, 0, None, 0, self.stall()
        units = self.spike["fired"].width
        for _ in range(self.most):
            self.dut.o__ready.value = int(wait == 0)
            await self.settled()
            taken = wait == 0 and bool(self.dut.o__valid.value)
            # The lowest bit is `valid`. If it is 0, other bits may be undefined.
            if self.dut.spike.value[0]:
                spike = self.spike.from_bits(int(self.dut.spike.value))
                if self.valued and self.column[spike.group] == -1:
                    values[spike.group] = spike.value
                else:
                    first = spike.inner * self.places if self.inner > 1 else 0
                    spikes += [first + spike.group * units + k
                               for k in range(units) if spike.fired >> k & 1]
            if self.driver.resets():
                spikes, values = [], {}     # what came before is no part of the step
            if self.dut.o__valid.value:
                now = int(self.dut.o__payload.value)
                if payload is None:
                    payload, latency = now, self.cycle() - self.driver.last_event
                    busy, self.busy = self.busy, 0
                assert now == payload, "o must keep its payload until it is taken"
                assert not self.dut.i__ready.value, "i must not be ready while a result waits"
                wait -= 1
            else:
                assert payload is None, "o must stay valid until it is taken"
            self.busy += int(self.dut.busy.value)
            await self.falling()
            if taken:
                break
        else:
            raise AssertionError(f"o must be valid within {self.most} cycles")
        value = self.layout.from_bits(payload)
        return Result(step=value.step, velocity_int=list(value.outputs), cycles=value.cycles,
                      saturated=bool(value.saturated), spikes=spikes, values=values, busy=busy,
                      latency=latency)
