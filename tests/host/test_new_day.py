# SPDX-License-Identifier: Apache-2.0
"""A new day: a model learns from a minute of it, and goes into the board between its steps."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.host.driver import Driver
from spikewright.host.loading import table_for
from spikewright.hw.params import link_params
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.sim.virtual import VirtualBoard
from spikewright.train.fitting.recipe import Recipe, Tuning
from spikewright.train.reaches import Units, simulate
from tests.designs import BUILD

CONFIG = CoreConfig(load="model", staging="block")


def session(seed, day, steps):
    return simulate(n_bins=steps, seed=seed, units=Units(channels=64, day=day), dt=0.02, trials=3)


def test_recalibrated_model_goes_into_the_running_board(tmp_path):
    """No step is lost or late: the old model answers until the new one is whole."""
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

    recording = second.head(300)
    golden = run_golden(integers, recording, CONFIG)

    def step(model, t, reset=False):
        channels = recording.channel[recording.start[t]:recording.start[t + 1]]
        rows = model.channel_row[channels]
        answer = driver.step(rows[rows >= 0].tolist(), bool(recording.reset[t]) or reset)
        assert list(answer.outputs) == golden.velocity_int[t].tolist(), t

    for t in range(100):
        step(integers, t, reset=t == 0)
    pieces, line, more = driver.loading(table_for(driver, saved), saved.hash), 0.0, True
    first = 100                     # step of the new model
    while more:
        began = board.now
        step(integers, first)
        first, answered = first + 1, board.now
        more = next(pieces, "no more") != "no more"
        line += board.now - answered
        assert board.now - began < second.dt / 4
    assert 105 < first < 120 and line < 0.1
    again = replace(recording, reset=recording.reset | (np.arange(300) == first))
    old, golden = golden, run_golden(new, again, CONFIG)
    for t in range(first, 300):
        step(new, t)                # the device begins from zero state by itself
    assert (golden.velocity_int[first:] != old.velocity_int[first:]).any()
    info = driver.read_info()
    assert (info.steps, info.foreign, info.corrupt, driver.resent) == (300, 0, 0, 0)
    assert info.model_hash == bytes.fromhex(saved.hash)[:8]
    assert not np.array_equal(new.projections[0].weights, integers.projections[0].weights)
    board.close()
