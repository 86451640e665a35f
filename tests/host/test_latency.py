# SPDX-License-Identifier: Apache-2.0
"""Last spike to velocity: its parts, computed and measured."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from spikewright.command.commands import run_words
from spikewright.host.driver import Driver
from spikewright.host.latency import Latency, check_events, latency_of, lines_of
from spikewright.hw.params import link_params
from spikewright.sim.virtual import VirtualBoard
from tests.boards.boards_bench import saved_model
from tests.designs import BUILD, plan_of
from tests.networks import deep_model, refused

HASH = "ab" * 32


@pytest.mark.parametrize("baud", [1_000_000, 125_000])
def test_parts_add_up_on_the_virtual_board(baud):
    """All but the host is what the board's own clock says, to a few per cent of its own part."""
    plan  = plan_of(deep_model(4))
    board = VirtualBoard(plan, link_params(plan, model_hash=HASH, clock_hz=8_000_000, baud=baud),
                         BUILD)
    driver = Driver(board, HASH, plan.model.outputs)
    driver.connect()
    events = np.array([0, 1, 5, 20, 100])
    took, cycles = [], []
    for count in events:
        began = board.now
        cycles.append(driver.step([1] * count, reset=True).cycles)
        took.append(board.now - began)
    answer = SimpleNamespace(round_trip=np.array(took), cycles=np.array(cycles))
    latency = latency_of(answer, events, rows=plan.model.rows, outputs=plan.model.outputs,
                         baud=baud, clock_hz=8_000_000)
    # The cycles of a reset are not among those of its step.
    assert (np.abs(latency.host) < 0.15 * latency.board + 2e-5).all(), latency.host / latency.board
    board.close()


def test_percentiles_are_told():
    total = np.arange(1, 102) / 1e3
    lines = lines_of(Latency(total=total, line=np.full(101, 25e-5), board=np.full(101, 5e-4)))
    assert lines == [
        "last spike to velocity  p50 51.000 ms, p95 96.000 ms, p99 100.000 ms, longest 101.000 ms",
        "host                    p50 50.250 ms, p95 95.250 ms, p99 99.250 ms, longest 100.250 ms",
        "line                    p50 0.250 ms, p95 0.250 ms, p99 0.250 ms, longest 0.250 ms",
        "board                   p50 0.500 ms, p95 0.500 ms, p99 0.500 ms, longest 0.500 ms"]


def test_steps_of_several_frames_are_refused():
    check_events(np.array([3, 218]), rows=96)
    with refused("Events of a step must be 218 or fewer, so that each step is one frame, not 219"):
        check_events(np.array([3, 219]), rows=96)


def test_command_refuses_steps_of_several_frames_before_it_connects(tmp_path, call_command,
                                                                    monkeypatch):
    monkeypatch.setattr("spikewright.host.latency.events_max", lambda rows: 0)
    status, out, err = call_command("latency", saved_model(tmp_path / "model"), "--port",
                                    tmp_path / "none")
    assert (status, out) == (2, "") and re.match("^error: Events of a step must be 0 or fewer, so "
                                                 r"that each step is one frame, not \d+\n$", err)


def test_command_measures_the_virtual_board(tmp_path, capsys):
    folder = saved_model(tmp_path / "model")
    run_words(["latency", str(folder), "--steps", "50", "--freq", "8", "--lanes", "2"])
    head, *lines = capsys.readouterr().out.splitlines()
    assert re.match(r"^50 steps, \d+\.\d events a step, 1,000,000 baud, 8 MHz$", head)
    assert [line.split("p50")[0].strip() for line in lines] == [
        "last spike to velocity", "host", "line", "board"]
