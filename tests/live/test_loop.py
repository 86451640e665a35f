# SPDX-License-Identifier: Apache-2.0
"""The loop: answers equal golden's, and faults end in a line or in recovery."""

import json
import tracemalloc

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.golden.run import run_golden
from spikewright.host.serial_port import PortError
from spikewright.live.affine import Affine
from spikewright.live.bins import Answer, Bin
from spikewright.live.counters import Delays
from spikewright.live.engine import Engine
from spikewright.live.loop import Loop
from spikewright.live.sources.recording import Player
from spikewright.network.recording import read_recording
from spikewright.plan.config import CoreConfig
from tests.networks import refused

from .conftest import golden


def answer_of(velocity, **more):
    return Answer(step=0, bin=Bin(channels=[1], due=1.0, last=0.5), velocity=velocity,
                  answered=1.001, epoch=100.0, cycles=7,
                  **{"late": False, "reset": False, "saturated": False} | more)


class Kept:
    """A sink that keeps everything."""

    title, counts = "kept", {}

    def __init__(self):
        self.answers, self.notes = [], []

    def send(self, answer):
        self.answers.append(answer)

    def note(self, facts):
        self.notes.append(facts)

    @property
    def velocity(self):
        return np.array([answer.velocity for answer in self.answers])


@pytest.fixture
def looped(session, notices):
    """Make a loop that plays the recording, with the sink that keeps its answers."""
    folder, model, _ = session
    recording = read_recording(folder / "rec.npz")

    def make(decoder=None, bins=None, **options):
        kept = Kept()
        source = Player(recording, fast=True) if bins is None else Bins(bins)
        engine = Engine(model, decoder or golden(model), notices.append)
        return Loop(source, engine, [kept], notice=notices.append, **options), kept
    return make


class Bins:
    """A source with the bins of a test."""

    title, counts = "test", {}

    def __init__(self, bins):
        self._bins = bins

    def bins(self):
        yield from self._bins


def expected(session, model=None):
    folder, first, _ = session
    return run_golden((model or first).integers, read_recording(folder / "rec.npz"),
                      CoreConfig()).velocity


def test_answers_equal_golden(session, looped, notices):
    loop, kept = looped()
    totals = loop.run()
    assert np.array_equal(kept.velocity, expected(session))
    assert totals.steps == 300 and notices == []
    assert [answer.step for answer in kept.answers if answer.reset] == [0, 50]
    facts = kept.notes[0]
    assert (facts["model"], facts["model_hash"], facts["channels"], facts["axes"]) == (
        "tiny", session[1].hash, 6, 2)
    assert loop.counts() == {"late": totals.late, "undecoded": 0, "port lost": 0}


def test_memory_is_flat(session, notices):
    """Two thousand steps more need no memory that a thousand did not need."""
    recording = read_recording(session[0] / "rec.npz")
    loop = Loop(Player(recording, fast=True, repeat=True),
                Engine(session[1], golden(session[1]), notices.append), [], notice=notices.append,
                commands=lambda loop: seen.append(tracemalloc.get_traced_memory()[0])
                if loop.totals.steps in (1000, 3000) else None)
    seen = []
    tracemalloc.start()
    loop.run(3001 * 0.004)
    tracemalloc.stop()
    assert seen[1] - seen[0] < 10_000


def test_seconds_end_the_loop(looped):
    loop, kept = looped()
    loop.run(seconds=0.04)
    assert len(kept.answers) == 10


def test_less_than_a_step_is_one_step(looped):
    loop, kept = looped()
    loop.run(seconds=1e-6)
    assert len(kept.answers) == 1


def test_affine(session, looped):
    loop, kept = looped(affine=Affine(np.array([[0.0, 2.0]]), np.array([1.0])))
    loop.run()
    assert np.array_equal(kept.velocity[:, 0], 2 * expected(session)[:, 1] + 1)
    assert kept.notes[0]["axes"] == 1


@pytest.mark.parametrize("text, reason", [
    (f'{{"matrix": [[1, {10 ** 400}]]}}', "OverflowError('int too large to convert to float')"),
    (100_000 * "[", ("RecursionError('maximum recursion depth exceeded while decoding a JSON array "
                     "from a unicode string')")),
    ('{"matrix": [["a", 1]]}', "ValueError(\"could not convert string to float: 'a'\")"),
    ("{}", "KeyError('matrix')")])
def test_a_file_that_is_no_affine_map(tmp_path, text, reason):
    (tmp_path / "a.json").write_text(text)
    with refused(f"Affine map {tmp_path / 'a.json'} must be a .json file with lists of numbers as "
                 f"'matrix' and 'offset', not one that fails: {reason}"):
        Affine.read(tmp_path / "a.json", 2)


def test_pause_reset_and_stop(session, looped):
    calls = {10: lambda loop: loop.pause(True), 20: lambda loop: loop.pause(False),
             30: lambda loop: loop.reset(), 39: lambda loop: loop.stop()}
    seen = iter(range(1000))
    loop, kept = looped(commands=lambda loop: calls.get(next(seen), lambda _: None)(loop))
    totals = loop.run()
    assert (totals.steps, totals.paused) == (30, 10)
    assert [answer.step for answer in kept.answers if answer.reset] == [0, 10, 20]


def test_another_model_goes_on_from_zero(session, looped, notices):
    folder, _, other = session
    seen = iter(range(1000))
    loop, kept = looped(commands=lambda loop: next(seen) == 50 and loop.load(other))
    loop.run()
    assert np.array_equal(kept.velocity[:50], expected(session)[:50])
    assert np.array_equal(kept.velocity[50:], expected(session, other)[50:])
    assert [facts["model_hash"] for facts in kept.notes] == [session[1].hash, other.hash]
    assert notices == [f"model other ({other.hash[:16]}) runs now"]


def test_a_load_in_the_place_of_another_is_told(session, looped, notices, monkeypatch):
    decoder = golden(session[1])
    monkeypatch.setattr(decoder, "loading", lambda *_: iter([None, None]))
    loop, _ = looped(decoder)
    loop.load(session[2])
    loop.load(session[1])
    assert notices == [
        (f"load of model other ({session[2].hash[:16]}) given up for model {session[1].name} "
         f"({session[1].hash[:16]})")]


class Cable:
    """A decoder whose port goes away at a step, for some tries."""

    def __init__(self, model, at, away):
        self._decoder, self._left, self._away = golden(model), at, away

    def __getattr__(self, name):
        return getattr(self._decoder, name)

    def step(self, channels):
        self._left -= 1
        if self._left < 0 and self._away:
            self._away -= 1
            raise PortError("Port must stay connected until the end, not fail: 'x'")
        return self._decoder.step(channels)


def test_a_pulled_cable_that_is_put_back(session, looped, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.engine.RETRY", 0.0)
    loop, kept = looped(Cable(session[1], at=101, away=4))
    totals = loop.run()
    assert (totals.steps, totals.undecoded) == (296, 4)
    assert notices[0] == ("Port must stay connected until the end, not fail: 'x': trying again for "
                          "30 s")
    assert notices[1].startswith("the decoder answers again after 0.") and len(notices) == 2
    assert loop.counts()["port lost"] == 1
    # The reset of the recording at step 50 is before, and the state is zero after.
    assert np.array_equal(kept.velocity[:100], expected(session)[:100])
    assert kept.answers[100].reset


def test_a_port_that_is_away_is_not_tried_at_each_step(session, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.engine.RETRY", 1e9)
    cable = Cable(session[1], at=1, away=10 ** 9)
    engine = Engine(session[1], cable, notices.append)
    assert [engine.step([1], False) for _ in range(10)] == 10 * [None]
    assert cable._left == -2            # at once, and then no more


def test_a_port_that_stays_away(session, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.engine.RETRY", 0.0)
    engine = Engine(session[1], Cable(session[1], at=1, away=10 ** 9), notices.append,
                    patience=0.02)
    assert engine.step([1], False) is None
    with refused("Decoder must answer again within 0.02 s, not fail: Port must stay connected "
                 "until the end, not fail: 'x'"):
        while True:
            engine.step([1], False)


def test_a_model_of_another_shape_is_refused(session, looped, monkeypatch):
    loop, _ = looped()
    other = session[2]
    monkeypatch.setattr(type(other), "channels", property(lambda model: 6 + (model is other)))
    with refused("Model other must have 6 channels, 2 axes and a dt of 0.004 s, as the running one "
                 "has, not 7, 2 and 0.004"):
        loop.load(other)


def test_a_device_that_refuses_a_model_keeps_the_old_one(session, looped, monkeypatch):
    _, model, other = session
    decoder = golden(model)

    def refuse(wanted, seconds):
        raise InputError("Device must be built with --load model to take another model")
    monkeypatch.setattr(decoder, "loading", refuse)
    loop, kept = looped(decoder)
    with refused("Device must be built with --load model to take another model"):
        loop.load(other)
    loop.run()
    assert loop.engine.model is model and np.array_equal(kept.velocity, expected(session))


def test_a_device_that_does_not_answer_the_first_step(session, notices):
    with refused("Port must stay connected until the end, not fail: 'x'"):
        Engine(session[1], Cable(session[1], at=0, away=1), notices.append)


def test_a_silent_source_is_noticed_and_its_return(looped, notices, monkeypatch):
    monkeypatch.setattr("spikewright.live.loop.SILENCE", 0.0)
    bins = [Bin(channels=[1], due=0.0), Bin(channels=[], due=0.0), None, Bin(channels=[2], due=0.0)]
    loop, kept = looped(bins=bins)
    assert loop.run().steps == 3
    assert notices[0] == "test has had no spike for 0 s"
    assert notices[1].startswith("test has spikes again after 0.")


def test_a_late_answer_is_counted(looped):
    loop, kept = looped(bins=[Bin(channels=[1], due=0.0), Bin(channels=[1], due=1e9)])
    assert loop.run().late == 1 and [answer.late for answer in kept.answers] == [True, False]


def test_the_line_of_an_answer():
    answer = answer_of(np.array([1.5, -2.0]), reset=True, late=True)
    assert answer.line == (b'{"step":0,"time":101.0,"velocity":[1.5,-2.0],"delay_ms":1.0}\n')
    assert json.loads(answer.record) == {
        "step": 0, "time": 101.0, "velocity": [1.5, -2.0], "delay_ms": 1.0, "spikes": [1],
        "cycles": 7, "spike_ms": 501.0, "late": True, "reset": True}
    truth = Answer(step=0, bin=Bin(channels=[], due=1.0, truth=[1.0, float("nan")]),
                   velocity=np.zeros(2), answered=1.0, epoch=0.0, late=False, reset=False,
                   cycles=1, saturated=True)
    assert json.loads(truth.record) == {
        "step": 0, "time": 1.0, "velocity": [0.0, 0.0], "delay_ms": 0.0, "spikes": [],
        "cycles": 1, "saturated": True, "truth": [1.0, None]}


def test_delays():
    delays = Delays()
    assert delays.percentile(99) == 0 and delays.number == 0
    for k in range(1000):
        delays.add(1e-5 * k + 5e-6)
    delays.add(-1.0)
    delays.add(5.0)
    assert delays.percentile(50) == pytest.approx(5e-3, abs=2e-5)
    assert delays.percentile(99) == pytest.approx(9.91e-3, abs=2e-5)
    assert delays.longest == 5.0 and delays.number == 1002
    assert delays.milliseconds() == "p50 5.00, p99 9.91, most 5000.00 ms"
