# SPDX-License-Identifier: Apache-2.0
"""The decoder for asyncio: in order, without blocking, and its errors."""

import asyncio

import numpy as np
import pytest

import spikewright as sw
from spikewright.golden.run import run_golden
from spikewright.network.recording import read_recording
from spikewright.plan.config import CoreConfig


def test_steps_in_order(session):
    folder, model, _ = session
    recording = read_recording(folder / "rec.npz")
    wanted = run_golden(model.integers, recording, CoreConfig()).velocity
    spikes = np.split(recording.channel, recording.start[1:-1])

    async def decoded():
        async with await sw.AsyncDecoder.open("golden:", model) as decoder:
            # All steps are begun before the first has ended.
            return await asyncio.gather(*(decoder.step(spikes[t], reset=bool(recording.reset[t]))
                                          for t in range(recording.steps)))
    assert np.array_equal(asyncio.run(decoded()), wanted)


def test_the_event_loop_goes_on(session):
    _, model, _ = session

    async def ticks():
        async with await sw.AsyncDecoder.open("golden:", model) as decoder:
            step = asyncio.create_task(decoder.step([1]))
            await asyncio.sleep(0)
            assert not step.done()
            return await step
    assert asyncio.run(ticks()).shape == (2,)


def test_errors_reach_the_caller(session):
    _, model, _ = session

    async def wrong():
        with pytest.raises(sw.InputError, match="Decoder must be"):
            await sw.AsyncDecoder.open("nowhere", model)
        async with await sw.AsyncDecoder.open("golden:", model) as decoder:
            with pytest.raises(ValueError, match="Channel of spike 0 must be between 0 and 5"):
                await decoder.step([6])
            await decoder.step([5])
    asyncio.run(wrong())
