# SPDX-License-Identifier: Apache-2.0

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from spikewright.command.commands import run_words
from spikewright.command.running.decode import lateness
from spikewright.golden.run import run_golden
from spikewright.host.decode import decode
from spikewright.host.driver import Driver
from spikewright.host.picture import draw, round_length
from spikewright.hw.params import link_params
from spikewright.model.artefact import save_artefact
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.sim.virtual import VirtualBoard
from tests.networks import random_recording, refused, tiny_network

STEPS = 120


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A model folder, its recording's file, the model, the recording and the manifest."""
    folder = tmp_path_factory.mktemp("host")
    recording = random_recording(4, 6, STEPS, rate=0.5)
    recording.reset[[0, 50]] = True
    model, network, facts = compile_network(tiny_network(4), name="tiny", recording=recording)
    manifest = save_artefact(folder / "model", model, network, facts)
    path = folder / "recording.npz"
    np.savez(path, bin=np.repeat(np.arange(STEPS), np.diff(recording.start)),
             channel=recording.channel, n_bins=STEPS, n_channels=6, dt=recording.dt,
             trial_start_bin=np.flatnonzero(recording.reset),
             velocity=np.cumsum(np.random.default_rng(1).normal(size=(STEPS, 2)), axis=0),
             note="SYNTHETIC")
    return folder / "model", path, model, recording, manifest


@pytest.fixture(scope="module")
def board(built, tmp_path_factory):
    _, _, model, _, manifest = built
    core = Plan(model=model, config=CoreConfig(lanes=2))
    link = link_params(core, model_hash=manifest["model_hash"], clock_hz=8_000_000)
    board = VirtualBoard(core, link, tmp_path_factory.mktemp("cache"))
    yield board
    board.close()


def test_run_on_the_virtual_board_equals_golden(built, tmp_path, monkeypatch, capsys):
    folder, path, model, recording, _ = built
    monkeypatch.chdir(tmp_path)
    run_words(["decode", str(folder), str(path), "-o", "out.npz", "--picture", "out.png",
               "--freq", "8"])
    golden = run_golden(model, recording, CoreConfig())
    with np.load(tmp_path / "out.npz") as answer:
        assert np.array_equal(answer["velocity_int"], golden.velocity_int)
        assert np.array_equal(answer["velocity"], golden.velocity)
        assert np.array_equal(answer["cycles"], golden.cycles)
        assert np.array_equal(answer["saturated"], golden.saturated)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    told = capsys.readouterr().out
    assert re.match(r"\d+ steps, \d+ cycles a step \(most \d+\), [\d.]+ ms to simulate a step "
                    r"\(median\)\n", told)
    assert "0 corrupt, 0 repeated, 0 foreign, 0 overrun, 0 dropped" in told
    run_words(["decode", str(folder), str(path), "-o", "out.npz", "--freq", "8", "--steps", "3"])
    with np.load(tmp_path / "out.npz") as answer:
        assert np.array_equal(answer["velocity_int"], golden.velocity_int[:3])


def test_noise_on_the_line_costs_no_step(built, board):
    """Garbage before, between and after requests: every answer is still golden's."""
    _, _, model, recording, manifest = built
    rng = np.random.default_rng(2)
    decoder = Driver(board, manifest["model_hash"], model.outputs)
    decoder.connect()
    golden = run_golden(model, recording, CoreConfig(lanes=2))
    for t in range(20):
        board.write(rng.bytes(int(rng.integers(1, 40))) + b"\0")
        rows = model.channel_row[recording.channel[recording.start[t]:recording.start[t + 1]]]
        answer = decoder.step(rows.tolist(), reset=t == 0)
        assert list(answer.outputs) == golden.velocity_int[t].tolist()
    assert decoder.read_info().corrupt > 0


def test_foreign_model_is_refused_by_name(built, board):
    _, _, model, _, manifest = built
    other = "ab" * 32
    decoder = Driver(board, other, model.outputs)
    with refused(f"Model on the device must be {other[:16]}, not {manifest['model_hash'][:16]}",
                 ValueError):
        decoder.connect()


def test_late_answers_are_counted(built, monkeypatch):
    """One of 10 ms at step 3 delays the next, of 1.5 ms each, until they catch up."""
    _, _, model, recording, _ = built
    now = [0.0]

    def step(rows, reset):
        t = steps.pop(0)
        now[0] += 0.01 if t == 3 else 0.0015
        return SimpleNamespace(step=t, outputs=(0, 0), cycles=1, saturated=False,
                               dropped=False)

    monkeypatch.setattr("spikewright.host.decode.time", SimpleNamespace(
        perf_counter=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)))
    steps = list(range(8))
    live = decode(SimpleNamespace(step=step), model, recording.head(8), live=True)
    assert (1e6 * live.delay).round().tolist() == [1500] * 3 + [10000, 7500, 5000, 2500, 1500]
    assert (1e6 * live.round_trip).round().tolist() == [1500] * 3 + [10000] + 4 * [1500]
    assert lateness(live.delay, 4e-3) == (
        "live: 3 of 8 steps answered more than 4 ms after they were due; the latest 10.00 ms; "
        "behind for at most 3 steps in a row")
    assert lateness(np.array([9, 1, 9, 9, 1, 9]) / 1e3, 4e-3).endswith("most 2 steps in a row")
    assert lateness(live.delay, 20e-3).startswith("live: none of 8 steps answered more than 20 ms")
    steps = list(range(8))
    after = decode(SimpleNamespace(step=step), model, recording.head(8))
    assert np.array_equal(after.delay, after.round_trip)


@pytest.mark.parametrize("arguments, message", [
    (["--port", "/dev/nothing-here"], "Port must be a serial port that opens, not "),
    (["--freq", "1", "--baud", "1000000"], "Link baud must be"),
])
def test_run_refuses(built, tmp_path, arguments, message, monkeypatch):
    folder, path, *_ = built
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        run_words(["decode", str(folder), str(path), "-o", "out.npz", *arguments])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("steps, axes", [(3, 2), (40, 3)])
def test_picture_of_a_short_recording_and_of_other_axes(built, tmp_path, steps, axes):
    *_, model, recording, _ = built
    rng = np.random.default_rng(0)
    short = dataclasses.replace(recording.head(steps), velocity=rng.normal(size=(steps, axes)))
    draw(tmp_path / "p.svg", rng.normal(size=(steps, axes)), short, model.lead_steps, "title")
    assert (tmp_path / "p.svg").stat().st_size > 1000


def test_picture_has_units_gaps_and_a_bar(built, tmp_path):
    """Lines break at trial starts and where the velocity is not known; lengths have a scale."""
    *_, recording, _ = built
    velocity = np.ones((STEPS, 2))
    velocity[20:30] = np.nan
    known = dataclasses.replace(recording, velocity=velocity, unit="cm/s")
    draw(tmp_path / "p.svg", np.ones((STEPS, 2)), known, 0, "title")
    text = (tmp_path / "p.svg").read_text()
    for comment in ("velocity x (cm/s)", "velocity y (cm/s)", "0.05 cm", "path of each trial"):
        assert f"<!-- {comment} -->" in text, comment


@pytest.mark.parametrize("length, rounded", [
    (0.3, 0.2), (1, 1), (9.99, 5), (12, 10), (0.051, 0.05)])
def test_round_length(length, rounded):
    assert round_length(length) == rounded


def test_two_programs_on_a_board_are_noticed(built, board):
    """The steps that the other one took are missing; so they are after a restart."""
    _, _, model, _, manifest = built
    one, other = (Driver(board, manifest["model_hash"], model.outputs) for _ in range(2))
    first = one.step([1], reset=True)
    other.step([2], reset=True)
    with refused(f"Device must answer with step {first.step + 1}, not {first.step + 2}: it has "
                 "restarted, or another program uses it; its state is lost", ValueError):
        one.step([3])
    one.connect()
    one.step([1], reset=True)
    one.step([1])
