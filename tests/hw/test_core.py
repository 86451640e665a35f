# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""The whole core in Amaranth's simulator against golden, with tokens and results stalled."""

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.hw.core import Core
from spikewright.hw.layouts import TokenKind
from spikewright.hw.params import core_params
from spikewright.hw.tokens import recording_tokens, resets_of
from tests.designs import plan_of
from tests.hw.bench import simulate, stream_get, stream_put
from tests.networks import deep_model, make_recording, random_recording


class Watcher:
    """Spikes since they were last looked at, and busy cycles of ``steps``, from result to result.

    They are seen at the monitor ports. A spike has the number of its inner step, and its place in
    the groups. Spikes before a RESET of the same step do not count.
    ``values`` has those of graded units, by group.
    """

    def __init__(self, dut):
        self.dut, self.spikes, self.busy, self.steps, self.values = dut, [], 0, [], {}

    async def watch(self, ctx):
        waited = False
        port = self.dut.i
        async for _, _, spike, busy, valid, token, offered, taken in ctx.tick().sample(
                self.dut.spike, self.dut.busy, self.dut.o.valid, port.payload, port.valid,
                port.ready):
            if valid and not waited:
                self.steps.append(self.busy)
                self.busy = 0
            waited = valid
            units = self.dut.params.neurons.units
            if spike.valid:
                inner = spike.inner if "inner" in self.dut.params.spike.members else 0
                self.spikes += [(inner, spike.group * units + k)
                                for k in range(units) if spike.fired >> k & 1]
                if "value" in self.dut.params.spike.members:
                    self.values[spike.group] = spike.value
            if offered and taken and token.kind == TokenKind.RESET:
                self.spikes, self.values = [], {}
            self.busy += busy


def token(kind, row=0):
    return {"kind": kind, "row": row}


def equals(result, answer, t):
    assert result.step == t
    assert list(result.outputs) == answer.velocity_int[t].tolist()
    assert bool(result.saturated) == answer.saturated[t]
    assert result.cycles == answer.cycles[t], t


def tokens_of(plan, recording):
    """Tokens of a recording, as payloads."""
    kinds, rows = recording_tokens(plan, recording)
    return [token(TokenKind(kind), row)
            for kind, row in zip(kinds.tolist(), rows.tolist(), strict=True)]


def check_core(plan, recording, *, seed, stall, most):
    """Run a core in Amaranth's simulator, and compare each result with golden.

    Large memory is filled first. Each token and each result waits for up to ``stall`` cycles, and
    ``seed`` says for how many.
    ``most`` is a function from the cycles of all steps to the most cycles of the run.
    """
    answer = run_golden(plan.model, recording, plan.config)
    dut, rng = Core(core_params(plan)), np.random.default_rng(seed)
    columns, neuron_at = plan.layout.inner_columns, plan.layout.neuron_at
    watcher = Watcher(dut)

    async def feed(ctx):
        for k, byte in enumerate(plan.loaded_bytes):
            await stream_put(ctx, dut.load, {"word": k // plan.word_bytes,
                                             "byte": k % plan.word_bytes, "data": byte})
        for payload in tokens_of(plan, recording):
            await stream_put(ctx, dut.i, payload, stall=int(rng.integers(0, stall + 1)))

    async def check(ctx):
        for t in range(recording.steps):
            equals(await stream_get(ctx, dut.o), answer, t)
            fired = [columns[inner, neuron_at[k]] for inner, k in watcher.spikes]
            assert sorted(c for c in fired if c >= 0) == np.flatnonzero(answer.spikes[t]).tolist()
            given = {k: value for k, value in enumerate(answer.values[t].tolist()) if value}
            assert {k: value for k, value in watcher.values.items()
                    if k < answer.values.shape[1]} == given, t
            watcher.spikes, watcher.values = [], {}
            await ctx.tick().repeat(int(rng.integers(0, stall + 1)) + 1)

    simulate(dut, feed, check, background=(watcher.watch,),
             max_cycles=len(plan.loaded_bytes) + most(int(answer.cycles.sum())))
    counts = ~resets_of(plan, recording)
    assert np.array_equal(np.array(watcher.steps)[counts], answer.cycles[counts])


LANES, SERIAL = {"neurons": "lanes"}, {"multiplier": "serial"}


@pytest.mark.parametrize("lanes, stall, choices", [
    (1, 0, {}), (4, 0, {}), (4, 1, {}), (4, 13, {}), (16, 30, {}), (1, 0, SERIAL), (2, 9, SERIAL),
    (1, 0, LANES), (4, 0, LANES), (3, 1, LANES), (4, 13, LANES), (16, 30, LANES),
    (17, 0, {}), (17, 3, {}), (17, 2, SERIAL), (17, 5, LANES),
])
def test_core(lanes, stall, choices):
    """Values, spikes and cycles, however tokens and results are stalled."""
    recording = random_recording(1, 6, 15, rate=1.0, reset=[6, 7])
    stalls = stall * (len(recording.channel) + 2 * recording.steps)
    check_core(plan_of(deep_model(1), lanes, **choices), recording, seed=1, stall=stall,
               most=lambda cycles: 2 * cycles + stalls)


@pytest.mark.parametrize("choices", [{}, LANES])
def test_core_holds_its_result(choices):
    """A result stays as it is until taken; until then no token is taken and the core rests.

    It rests once the currents have decayed, if that comes after the result.
    """
    model = deep_model(4)
    plan = plan_of(model, **choices)
    recording = random_recording(4, 6, 3, rate=1.0)
    answer = run_golden(model, recording, plan.config)
    dut = Core(core_params(plan))

    async def feed(ctx):
        for payload in tokens_of(plan, recording):
            await stream_put(ctx, dut.i, payload)

    async def check(ctx):
        for t in range(3):
            while not ctx.get(dut.o.valid):
                await ctx.tick()
            for cycle in range(150):
                assert ctx.get(dut.o.valid) and not ctx.get(dut.i.ready)
                assert ctx.get(dut.busy) == (cycle < plan.program.decay_cycles)
                equals(ctx.get(dut.o.payload), answer, t)
                await ctx.tick()
            equals(await stream_get(ctx, dut.o), answer, t)

    simulate(dut, feed, check, max_cycles=600 + int(answer.cycles.sum()) + 100)


@pytest.mark.parametrize("stall, choices", [(0, {}), (4, {}), (0, LANES), (4, LANES), (0, SERIAL)])
def test_core_reset_starts_the_step_over(stall, choices):
    """RESET amid a step forgets its events, the state, the saturation and the cycles so far."""
    model = deep_model(4)
    plan = plan_of(model, **choices)
    before = random_recording(4, 6, 12, rate=3.0)
    after = random_recording(5, 6, 3, rate=0.5)
    first = run_golden(model, before, plan.config)
    second = run_golden(model, after, plan.config)
    assert first.saturated[-1] and not second.saturated[0]
    dut = Core(core_params(plan))

    async def feed(ctx):
        abandoned = [token(TokenKind.EVENT, row) for row in (0, 3, 3, 1)]
        for payload in (*tokens_of(plan, before), *abandoned, token(TokenKind.RESET),
                        *abandoned[:1], token(TokenKind.RESET), *tokens_of(plan, after)):
            await stream_put(ctx, dut.i, payload, stall=stall)

    async def check(ctx):
        for t in range(12):
            equals(await stream_get(ctx, dut.o), first, t)
        for t in range(3):
            result = await stream_get(ctx, dut.o)
            # The step count goes on.
            assert result.step == 12 + t
            assert list(result.outputs) == second.velocity_int[t].tolist()
            assert bool(result.saturated) == second.saturated[t]
            assert result.cycles == second.cycles[t]

    simulate(dut, feed, check, max_cycles=8000)


@pytest.mark.parametrize("choices", [{}, LANES, SERIAL, {"lanes": 17}])
def test_core_latency(choices):
    """From the last event taken, or the STEP of a step without one, to a valid result."""
    model = deep_model(4)
    plan = plan_of(model, **choices)
    recording = make_recording([[0], [], [2, 3, 5, 0, 0], [5, 5]] * 3, 6)
    answer = run_golden(model, recording, plan.config)
    dut = Core(core_params(plan))
    cycle, last, latency = 0, 0, []

    async def feed(ctx):
        nonlocal last
        begun = False
        for payload in tokens_of(plan, recording):
            await stream_put(ctx, dut.i, payload)
            if payload["kind"] == TokenKind.EVENT or not begun:
                last = cycle
            begun = payload["kind"] == TokenKind.EVENT

    async def check(ctx):
        for _ in range(recording.steps):
            await stream_get(ctx, dut.o)
            latency.append(cycle - last)

    async def count(ctx):
        nonlocal cycle
        async for _ in ctx.tick():
            cycle += 1

    simulate(dut, feed, check, background=(count,), max_cycles=4000)
    assert latency == answer.latency.tolist()
