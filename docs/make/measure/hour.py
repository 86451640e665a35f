# SPDX-License-Identifier: Apache-2.0
"""An hour of simulated spikes through the virtual board, held against golden.

``python -m docs.make.measure.hour`` decodes 900,000 steps of the default network with a line of 3
Mbaud, and prints how it went. ``--steps`` takes fewer. The state is reset every minute.
"""

import argparse
import resource
import time

import numpy as np

from docs.make.kept import ROOT
from spikewright.base.cache import cache_folder
from spikewright.golden.run import run_golden, stimulus_of
from spikewright.host.driver import Driver
from spikewright.hw.params import link_params
from spikewright.model.saved import Model
from spikewright.network.recording import poisson_recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.sim.virtual import VirtualBoard

__all__ = ["hour"]

CLOCK_HZ, BAUD = 24_000_000, 3_000_000
CHUNK = 15_000          # steps of which the spikes are made at once
RATE  = 25              # spikes per second of a channel


def hour(model: Model, steps: int) -> list[str]:
    """Decode ``steps`` steps, and return the lines that say how it went.

    Raises
    ------
    AssertionError
        If an answer is not golden's.
    """
    integers = model.integers
    plan = Plan(model=integers, config=CoreConfig())
    board = VirtualBoard(plan, link_params(plan, model_hash=model.hash, clock_hz=CLOCK_HZ,
                                           baud=BAUD), cache_folder(None))
    driver = Driver(board, model.hash, integers.outputs)
    driver.connect()
    spent, began, first = 0.0, board.now, 0.0
    for chunk in range(0, steps, CHUNK):
        recording = poisson_recording(integers.channels, integers.dt,
                                      steps=min(CHUNK, steps - chunk), rate=RATE, seed=chunk)
        stimulus = stimulus_of(integers, recording)
        rows = [stimulus.row[begin:end].tolist() for begin, end in
                zip(stimulus.start[:-1], stimulus.start[1:], strict=True)]
        start = time.process_time()
        outputs, numbers = [], []
        for t, events in enumerate(rows):
            answer = driver.step(events, reset=t == 0)
            outputs.extend(answer.outputs)
            numbers.extend((answer.step, answer.cycles))
        spent += time.process_time() - start
        golden = run_golden(integers, recording, plan.config)
        assert np.array_equal(numbers[::2], np.arange(chunk, chunk + len(rows))), chunk
        assert np.array_equal(np.reshape(outputs, (-1, integers.outputs)),
                              golden.velocity_int), chunk
        assert np.array_equal(numbers[1::2], golden.cycles), chunk
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        first = first or memory
    info = driver.read_info()
    return [
        (f"{steps} steps, all as golden gives them; {driver.resent} sent again; device: "
         f"{info.steps} steps, {info.corrupt} corrupt, {info.foreign} foreign, {info.overrun} "
         f"overrun, {info.dropped} dropped"),
        f"memory: {first:.0f} MB after {min(CHUNK, steps)} steps, {memory:.0f} MB at the end",
        (f"{1e3 * spent / steps:.3f} ms of one core a step, {integers.dt * steps / spent:.1f} "
         f"times real time; {1e3 * (board.now - began) / steps:.3f} ms of the board's time a step")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An hour through the virtual board.")
    parser.add_argument("--steps", type=int, default=900_000)
    parser.add_argument("--model", default=ROOT / "build" / "kept" / "default" / "model")
    arguments = parser.parse_args()
    print("\n".join(hour(Model.load(arguments.model), arguments.steps)))
