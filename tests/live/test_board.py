# SPDX-License-Identifier: Apache-2.0
"""The loop with a board on a serial port: a pulled cable, a reset, and another model."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.host.decoder import Decoder
from spikewright.live.engine import Engine
from spikewright.live.loop import Loop
from spikewright.live.sources.recording import Player
from spikewright.model.saved import Model
from spikewright.network.recording import read_recording
from spikewright.plan.config import CoreConfig
from tests.networks import refused
from tests.sim.test_model_load import changed

from .board import Board
from .conftest import lines
from .test_loop import Kept


@pytest.fixture
def board(session, tmp_path):
    board = Board(session[1], tmp_path / "port")
    yield board
    if board.place.is_symlink():
        board.pull()


def expected(session):
    folder, model, _ = session
    return run_golden(model.integers, read_recording(folder / "rec.npz"), CoreConfig()).velocity


def run(session, board, notices, events):
    """Run the recording; ``events`` are what happens before a step, by its number."""
    seen = iter(range(10 ** 6))
    kept, recording = Kept(), read_recording(session[0] / "rec.npz")
    with Decoder.open(f"serial:{board.place}", session[1]) as decoder:
        loop = Loop(Player(recording, fast=True), Engine(session[1], decoder, notices.append),
                    [kept], notice=notices.append,
                    commands=lambda loop: events.get(next(seen), lambda: None)())
        totals = loop.run()
    return totals, kept, loop


def test_a_session_on_a_board(session, board, tmp_path, call_command):
    folder = session[0]
    status, _, err = call_command("live", folder / "tiny", "--in", folder / "rec.npz", "--port",
                                  board.place, "--out", tmp_path / "a.jsonl", "--fast")
    assert (status, err) == (0, "")
    assert np.array_equal([line["velocity"] for line in lines(tmp_path / "a.jsonl")[1:]],
                          expected(session))


def test_a_pulled_cable_is_put_back(session, board, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.engine.RETRY", 0.0)
    totals, kept, loop = run(session, board, notices, {100: board.pull, 110: board.plug})
    # One step notices it; the port is not there yet for nine more.
    assert (totals.steps, totals.undecoded) == (290, 10)
    assert loop.counts()["port lost"] == 1
    assert notices[0].startswith("Port must stay connected until the end, not fail: ")
    assert notices[0].endswith(": trying again for 30 s")
    assert notices[1].startswith("the decoder answers again after ")
    assert np.array_equal(kept.velocity[:100], expected(session)[:100])
    assert kept.answers[100].reset


def test_a_board_that_is_reset_in_mid_stream(session, board, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.engine.RETRY", 0.0)
    totals, kept, _ = run(session, board, notices, {100: board.reset})
    assert (totals.steps, totals.undecoded) == (299, 1)
    assert notices[0] == ("Device must answer with step 101, not 0: it has restarted, or another "
                          "program uses it; its state is lost: trying again for 30 s")
    assert notices[1].startswith("the decoder answers again after ")
    assert np.array_equal(kept.velocity[:100], expected(session)[:100])
    assert kept.answers[100].reset


def test_a_board_with_another_model(session, board, call_command, notices):
    folder, model, other = session
    message = f"Model on the device must be {other.hash[:16]}, not {model.hash[:16]}"
    assert call_command("live", folder / "other", "--in", folder / "rec.npz", "--port",
                        board.place) == (2, "", f"error: {message}\n")
    # LOAD of a page: this board takes no model, and goes on with its own.
    with Decoder.open(f"serial:{board.place}", model) as decoder:
        engine = Engine(model, decoder, notices.append)
        with refused("Device must be built with --load model, not without it, to take another "
                     "model"):
            list(engine.loading(other))
        assert engine.model is model and engine.step([1], True) is not None


def today(model):
    """A model of the same form."""
    return Model(integers=changed(model.integers), network=model.network, facts=model.facts)


def test_a_model_is_loaded_between_the_steps(session, tmp_path, notices):
    """No step is lost, and none waits: the old model answers until the new one is whole."""
    folder, model, _ = session
    other, recording = today(model), read_recording(folder / "rec.npz")
    board, seen, kept = Board(model, tmp_path / "port", other), iter(range(10 ** 6)), Kept()
    with Decoder.open(f"serial:{board.place}", model) as decoder:
        totals = Loop(Player(recording, fast=True), Engine(model, decoder, notices.append), [kept],
                      notice=notices.append,
                      commands=lambda loop: next(seen) == 60 and loop.load(other)).run()
    board.pull()
    assert (totals.steps, totals.undecoded) == (recording.steps, 0)
    assert notices == [f"model {other.name} ({other.hash[:16]}) runs now"]
    first = next(answer.step for answer in kept.answers[60:] if answer.reset)
    assert first > 60
    assert np.array_equal(kept.velocity[:first], expected(session)[:first])
    rest = replace(recording, reset=np.arange(recording.steps) == first)
    golden = run_golden(other.integers, rest, CoreConfig())
    assert np.array_equal(kept.velocity[first:], golden.velocity[first:])


def test_a_cable_is_pulled_while_a_model_is_loaded(session, tmp_path, notices, monkeypatch):
    """The old model goes on once the port is back."""
    monkeypatch.setattr("spikewright.live.engine.RETRY", 0.0)
    folder, model, _ = session
    other = today(model)
    board, seen, kept = Board(model, tmp_path / "port", other), iter(range(10 ** 6)), Kept()
    events = {60: lambda loop: loop.load(other), 63: lambda loop: board.pull(),
              68: lambda loop: board.plug()}
    with Decoder.open(f"serial:{board.place}", model) as decoder:
        totals = Loop(Player(read_recording(folder / "rec.npz"), fast=True),
                      Engine(model, decoder, notices.append), [kept], notice=notices.append,
                      commands=lambda loop: events.get(next(seen), lambda loop: None)(loop)).run()
    board.pull()
    assert totals.undecoded == 5
    assert notices[2].startswith("not loaded: Port must stay connected until the end")
    first = next(answer.step for answer in kept.answers[60:] if answer.reset)
    rest = replace(read_recording(folder / "rec.npz"), reset=np.arange(300) == first + 5)
    golden = run_golden(model.integers, rest, CoreConfig())
    assert np.array_equal(kept.velocity[first:], golden.velocity[first + 5:])


def test_counters_of_the_link(session, board, notices):
    with Decoder.open(f"serial:{board.place}", session[1]) as decoder:
        engine = Engine(session[1], decoder, notices.append)
        board.write(b"\x01\x02\x03\0")          # noise on the line
        engine.ask()
        assert engine.counts == {
            "port lost": 0, "sent again": 0, "corrupt answers": 0, "corrupt frames": 1,
            "repeated frames": 0, "foreign frames": 0, "overrun frames": 0, "dropped events": 0}
        board.write(b"\x01\x02\x03\0")
        engine.ask()                                # not so soon
        assert engine.counts["corrupt frames"] == 1
