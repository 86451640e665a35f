# SPDX-License-Identifier: Apache-2.0
"""A new day: a model learns from a minute of it, and goes into the running board."""

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.host.driver import Driver
from spikewright.host.loading import load_model
from spikewright.hw.params import link_params
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.sim.virtual import VirtualBoard
from spikewright.train.fitting.recipe import Recipe, Tuning
from spikewright.train.reaches import Units, simulate
from tests.designs import BUILD

CONFIG = CoreConfig(load="model")


def session(seed, day, steps):
    return simulate(n_bins=steps, seed=seed, units=Units(channels=64, day=day), dt=0.02, trials=3)


def test_recalibrated_model_goes_into_the_running_board(tmp_path):
    """No step is lost: those that fall due while the board takes the model are sent after it."""
    pytest.importorskip("torch", reason="torch is not installed")
    from spikewright.train.fitting.fit import fit
    from spikewright.train.tuning.held_out import _network
    from spikewright.train.tuning.recalibrate import recalibrate
    first, second = session(1, 0, 3000), session(2, 1, 3000)
    network = _network(fit(first, Recipe(hidden=16, epochs=3, window=1.0), progress=False))
    integers, network, facts = compile_network(network, name="day 0", recording=first)
    new, told, _ = recalibrate(integers, network, facts, second, Tuning(epochs=1))
    saved = Model(integers=new, network=network, facts=told)
    saved.save(tmp_path / "new")
    saved = Model.load(tmp_path / "new")
    plan  = Plan(model=integers, config=CONFIG)
    board = VirtualBoard(plan, link_params(plan, model_hash="01" * 32, clock_hz=24_000_000,
                                           baud=1_000_000), BUILD)
    driver = Driver(board, "01" * 32, integers.outputs)
    driver.connect()

    def decode(model, steps):
        recording = second.head(steps)
        golden = run_golden(model, recording, CONFIG)
        for t in range(steps):
            channels = recording.channel[recording.start[t]:recording.start[t + 1]]
            rows = model.channel_row[channels]
            answer = driver.step(rows[rows >= 0].tolist(), reset=bool(recording.reset[t]) or t == 0)
            assert list(answer.outputs) == golden.velocity_int[t].tolist(), t
        return golden

    old = decode(integers, 200)
    began = board.now
    load_model(driver, saved)
    line = board.now - began
    assert line < 0.5
    # The line is faster than the steps: those that waited are decoded within a few steps.
    began = board.now
    assert (decode(new, 200).velocity_int != old.velocity_int).any()
    assert board.now - began + line < 200 * second.dt
    info = driver.read_info()
    assert (info.steps, info.foreign, info.corrupt, driver.resent) == (400, 0, 0, 0)
    assert info.model_hash == bytes.fromhex(saved.hash)[:8]
    assert not np.array_equal(new.projections[0].weights, integers.projections[0].weights)
    board.close()
