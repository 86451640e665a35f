# SPDX-License-Identifier: Apache-2.0
"""Diagnosis of a new day, and training of the same core on it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.train.fitting.recipe import Recipe, Tuning
from spikewright.train.reaches import Units, simulate
from spikewright.train.tuning.diagnosis import corrected, decoded, diagnose
from tests.networks import refused

try:
    import torch

    from spikewright.train.fitting.fit import fit
    from spikewright.train.tuning.finetune import integer_score
    from spikewright.train.tuning.held_out import _network
    from spikewright.train.tuning.recalibrate import fitted, recalibrate
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.skipif(torch is None, reason="torch is not installed")

USUAL = np.arange(64)


def _session(seed, day=0, n_bins=4000):
    return simulate(n_bins=n_bins, seed=seed, units=Units(channels=64, day=day), dt=0.02, trials=3)


@pytest.fixture(scope="module")
def compiled():
    """A model of a simulated day, its network, and its facts."""
    first = _session(1, n_bins=6000)
    network = _network(fit(first, Recipe(hidden=16, epochs=60, window=1.0), progress=False))
    return compile_network(network, name="m", recording=first)


@pytest.fixture(scope="module")
def second():
    return _session(2)


def _ordered(recording, order):
    """``recording`` with the units that were on the channels ``order``."""
    return replace(recording, channel=np.argsort(order)[recording.channel])


def _turned(recording, turn):
    return replace(recording, velocity=recording.velocity @ np.array(turn).T)


def _rotation(degrees):
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_no_change_is_found_where_there_is_none(compiled, second):
    for recording in (second, _session(3, day=2), second.head(2000)):
        found = diagnose(compiled[0], recording)
        assert (found.axes, found.order, found.recognised, found.silent) == ("", "", True, [])
        assert (found.turn == np.eye(2)).all() and (found.channels == USUAL).all()


@pytest.mark.parametrize("turn, name", [
    ([[0, 1], [1, 0]], "swapped"), ([[0, -1], [-1, 0]], "swapped and flipped"),
    ([[-1, 0], [0, 1]], "with x flipped"), ([[1, 0], [0, -1]], "with y flipped"),
    ([[0, -1], [1, 0]], "rotated by 90 degrees"), ([[0, 1], [-1, 0]], "rotated by -90 degrees"),
    ([[-1, 0], [0, -1]], "rotated by 180 degrees")])
def test_changed_axes_are_named(compiled, second, turn, name):
    """Size and offset of each axis do not matter."""
    recording = _turned(second, turn)
    recording = replace(recording, velocity=recording.velocity * [1e-3, 5e-3] + [4.0, -7.0])
    found = diagnose(compiled[0], recording)
    assert (found.axes, found.order, found.recognised) == (name, "", True)
    assert (found.turn == turn).all()


@pytest.mark.parametrize("degrees, flip", [(40, 1), (-50, 1), (130, 1), (40, -1)])
def test_rotated_axes_are_named(compiled, second, degrees, flip):
    turn  = _rotation(degrees) @ np.diag([1, flip])
    found = diagnose(compiled[0], _turned(second, turn))
    assert np.abs(found.turn - turn).max() < 0.15
    angle = np.degrees(np.arctan2(found.turn[1, 0], found.turn[0, 0]))
    assert found.axes == f"rotated by {angle:.0f} degrees" + (
        " after a flip of y" if flip < 0 else "")


@pytest.mark.parametrize("order, name", [
    (USUAL[::-1], "reversed"),
    (np.roll(USUAL, -3), "shifted: channel 0 is channel 3 of the model"),
    (USUAL.reshape(-1, 8)[:, ::-1].ravel(), "reversed in each block of 8"),
    (USUAL.reshape(-1, 8)[::-1].ravel(), "in blocks of 8 whose order is reversed"),
    (USUAL.reshape(-1, 8).T.ravel(), "interleaved: channel 1 is channel 8 of the model")])
def test_changed_channels_are_named(compiled, second, order, name):
    """Also with swapped axes. The corrected model decodes as if nothing had changed."""
    swap = [[0, 1], [1, 0]]
    changed = _turned(_ordered(second, order), swap)
    found = diagnose(compiled[0], changed)
    assert (found.order, found.axes, found.recognised) == (name, "swapped", True)
    assert (found.channels == order).all()
    right = corrected(compiled[0], channels=found.channels, turn=found.turn)
    assert (decoded(right, changed) == decoded(compiled[0], second) @ np.array(swap).T).all()


def test_other_channels_are_not_recognised(compiled, second):
    order = np.random.default_rng(0).permutation(USUAL)
    found = diagnose(compiled[0], _turned(_ordered(second, order), [[0, 1], [1, 0]]))
    assert not found.recognised and (found.axes, found.order) == ("", "")


def test_silent_channels(compiled, second):
    kept = ~np.isin(second.channel, [4, 31])
    start = np.concatenate([[0], np.cumsum(kept)])[second.start]
    found = diagnose(compiled[0], replace(second, channel=second.channel[kept], start=start))
    assert found.silent == [4, 31] and found.recognised and not found.axes


def _shape(model):
    """What a core is built for. Large weight memory takes any weights of this shape."""
    plan = Plan(model=model, config=CoreConfig(weight_memory="large"))
    return (model.widths, len(plan.loaded), plan.word_bytes, model.rows,
            [(p.name, p.kept.tolist(), p.threshold.tolist(), p.synaptic_decay.tolist(),
              p.membrane_decay.tolist(), p.reset) for p in model.populations],
            [(p.title, p.delay, p.bits, p.shift, p.weights.shape) for p in model.projections])


def _other_weights(one, two):
    return [p.title for p, q in zip(one.projections, two.projections, strict=True)
            if (p.weights != q.weights).any()]


@pytest.mark.parametrize("readout_only", [False, True])
def test_recalibrated_model_decodes_the_new_day(compiled, readout_only):
    day = _turned(_ordered(_session(3, day=6), USUAL[::-1]), [[0, 1], [1, 0]])
    seen, unseen = day.cut(0, 3200), day.cut(3200, 4000)
    model, facts, found = recalibrate(
        *compiled, seen, Tuning(epochs=10, learning_rate=0.01), readout_only=readout_only)
    put_right = corrected(compiled[0], channels=found.channels, turn=found.turn)
    scores = [integer_score(each, unseen).mean() for each in (compiled[0], put_right, model)]
    assert scores[0] < 0 < scores[1] < scores[2] - (0.005 if readout_only else 0.02)
    assert _shape(model) == _shape(compiled[0])
    titles = ["input->hidden", "hidden->hidden", "hidden->readout"]
    assert _other_weights(compiled[0], model) == titles[2:] if readout_only else titles
    for projection, exact in zip(model.projections, compiled[1].projections, strict=True):
        assert not projection.weights[exact.weights == 0].any()
    told = facts["recalibrated"]
    assert told.pop("changed") > 5 and len(told.pop("model_hash")) == 64
    assert told == {"source": day.name, "steps": 3200, "epochs": 10, "seed": 0, "axes": "swapped",
                    "order": "reversed", "readout_only": readout_only}
    assert "finetuned" not in facts and facts["dropped"] == compiled[2]["dropped"]
    assert facts["calibration"]["rule"].endswith("; fine-tuned since")


def test_recalibration_follows_seed(compiled, second):
    first, same, other = (
        recalibrate(*compiled, second.head(600), Tuning(epochs=1, seed=seed))[0]
        for seed in (1, 1, 2))
    assert not _other_weights(first, same) and _other_weights(first, other)


def test_best_affine_function(compiled, second):
    """It undoes any affine change of the axes."""
    day = replace(second, velocity=second.velocity @ np.array([[0.5, 2], [-1, 3]]) + [100, -20])
    best = integer_score(fitted(compiled[0], day), day)
    assert best.mean() == pytest.approx(integer_score(fitted(compiled[0], second), second).mean(),
                                        abs=0.05)
    assert integer_score(compiled[0], day).mean() < best.mean() - 0.5


def test_recalibrate_wrong(compiled, second):
    model = compiled[0]
    one = replace(model, readout=model.readout[:1], offset=None)
    with refused(f"Model m must have as many axes as recording {second.name}, 2, not 1"):
        diagnose(one, second)
    with refused(f"Recording {second.name} n_channels must be 64, as the network has, not 65"):
        diagnose(model, replace(second, channels=65))


SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not in ../shared")
def test_a_minute_of_a_real_day():
    """The columns of day 0 are swapped against day 16: they are named and put right.

    60 s of day 16 then lift the integers of day 0 on its last 180 s. With the columns put right by
    hand, no change is named. Seen from day 16, day 0 is swapped, too.
    """
    from spikewright.network.recording import read_recording
    first, right, late = (read_recording(SHARED / f"jango_iso_{day}_50ms.npz", "force")
                          for day in ("day0", "day0_xy", "day16"))
    first = first.head(12000)
    network = _network(fit(first, Recipe(epochs=60), progress=False))
    compiled = compile_network(network, name="m", recording=first)
    model, facts, found = recalibrate(*compiled, late.head(1200), Tuning())
    assert (found.axes, found.order, found.recognised) == ("swapped", "", True)
    assert found.silent == [66, 69] and facts["recalibrated"]["axes"] == "swapped"
    put_right = corrected(compiled[0], turn=np.array([[0, 1], [1, 0]]))
    before, turned, after = (integer_score(each, late.cut(14400, 18000)).mean()
                             for each in (compiled[0], put_right, model))
    assert before < 0 < turned < 0.65 and after > 0.78
    assert diagnose(put_right, late.head(1200)).axes == ""
    assert diagnose(compiled[0], first.head(1200)).axes == ""
    assert diagnose(compiled[0], right.head(1200)).axes == "swapped"
