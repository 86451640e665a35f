# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.integers import Widths
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.metrics import published_time
from spikewright.network.network import INPUT
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from spikewright.quantize.prune import prune
from spikewright.train.fitting.recipe import Recipe, Tuning
from spikewright.train.reaches import Units, simulate
from tests.networks import make_recording, nearest_model, refused

try:
    import torch

    from spikewright.train.fitting.fit import fit
    from spikewright.train.tuning.finetune import finetune, integer_score, shaken, unit_of
    from spikewright.train.tuning.integer import Events, IntegerNetwork
    from spikewright.train.tuning.streams import Streams, whole
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.skipif(torch is None, reason="torch is not installed")


@pytest.fixture(scope="module")
def session():
    return simulate(n_bins=2000, seed=1, units=Units(channels=20), dt=0.02, trials=3)


@pytest.fixture(scope="module")
def trained(session, tmp_path_factory):
    """A small checkpoint, trained on ``session``."""
    path = tmp_path_factory.mktemp("trained") / "small.safetensors"
    fit(session, Recipe(hidden=16, epochs=20), progress=False).checkpoint(path)
    return path


def _compiled(trained, session, **bits):
    return compile_network(read_checkpoint(trained), name="m", recording=session,
                           projection_bits=bits, widths=Widths(weight=4, fraction=0))


def _equal(first, second):
    pairs = zip(first.projections, second.projections, strict=True)
    return all(np.array_equal(a.weights, b.weights) for a, b in pairs)


def test_finetune_learns(trained, session):
    rounded, network, facts = _compiled(trained, session)
    model, facts = finetune(rounded, network, facts, session,
                            Tuning(epochs=3, noise=0.0, learning_rate=0.02))
    before, after = (integer_score(each, session).mean() for each in (rounded, model))
    assert after > before + 0.02
    assert facts["finetuned"]["changed"] > 0


def test_finetune_follows_seed(trained, session):
    compiled = _compiled(trained, session)
    first, same, other = (
        finetune(*compiled, session, Tuning(epochs=1, learning_rate=0.02, seed=seed))[0]
        for seed in (1, 1, 2))
    assert _equal(first, same) and not _equal(first, other)


def test_finetuned_model_is_the_trained_network(trained, session):
    """The model's golden run is, bit for bit, the forward pass that was trained."""
    rounded, network, facts = _compiled(trained, session)
    model, _ = finetune(rounded, network, facts, session, Tuning(epochs=1))
    part = session.cut(0, 300)
    with torch.no_grad():
        trained_network = IntegerNetwork(model)
        output, _, _ = trained_network(whole(model, part), trained_network.start(1))
    assert (output[:, 0].numpy() == run_golden(model, part, CoreConfig()).velocity_int).all()


@pytest.mark.parametrize("bits", [{}, {"recurrent": 2}], ids=["alike", "mixed"])
def test_finetune_keeps_the_rest(trained, session, bits):
    """Constants and widths stay; a synapse that the checkpoint lacks stays away."""
    rounded, network, facts = _compiled(trained, session, **bits)
    model, tuned = finetune(rounded, network, facts, session, Tuning(epochs=2, learning_rate=0.02))
    assert not _equal(model, rounded)
    for before, after in zip(rounded.populations, model.populations, strict=True):
        assert np.array_equal(before.kept, after.kept)
        for key in ("threshold", "synaptic_decay", "membrane_decay"):
            assert np.array_equal(getattr(before, key), getattr(after, key))
    assert np.array_equal(model.readout, rounded.readout)
    assert model.widths == rounded.widths
    assert [p.bits for p in model.projections] == [bits.get("recurrent", 4), 4, 4]
    for projection in model.projections:
        assert np.abs(projection.weights).max() <= projection.largest + 1
    for projection, exact in zip(model.projections, network.projections, strict=True):
        assert not projection.weights[exact.weights == 0].any()
    assert tuned["non_zeros"] == sum(np.count_nonzero(p.weights) for p in model.projections)
    assert tuned["dropped"] == facts["dropped"]


def test_finetune_of_channels_that_share_a_row(trained, session):
    """Two channels with the same weights learn as one."""
    network = retime(read_checkpoint(trained))

    def twin(projection):
        weights = projection.weights.copy()
        if projection.source == INPUT:
            weights[1] = weights[0]
        return replace(projection, weights=weights)

    network = replace(network, projections=tuple(map(twin, network.projections)))
    shared, _ = prune(nearest_model(network, Widths(fraction=3), "m"))
    assert shared.rows == 19
    _, _, facts = _compiled(trained, session)
    model, tuned = finetune(shared, network, facts, session, Tuning(epochs=1))
    assert model.channel_row[0] == model.channel_row[1] >= 0
    assert tuned["dropped"]["shared_rows"] == 1


def test_finetune_keeps_the_offset(trained, session):
    """A movement that is far from 0 trains the same weights as one around 0."""
    far = np.array([4000.0, -300.0])
    rounded, network, facts = _compiled(trained, session)
    plain, _ = finetune(rounded, network, facts, session, Tuning(epochs=1, learning_rate=0.02))
    shifted = replace(rounded, offset=rounded.offset + far)
    moved = replace(session, velocity=session.velocity + far)
    tuned, _ = finetune(shifted, network, facts, moved, Tuning(epochs=1, learning_rate=0.02))
    assert (tuned.offset == rounded.offset + far).all() and not _equal(plain, rounded)
    same = [(a.weights == b.weights).mean() for a, b in zip(
        plain.projections, tuned.projections, strict=True)]
    assert min(same) > 0.97
    assert integer_score(tuned, moved).mean() == pytest.approx(
        integer_score(plain, session).mean(), abs=0.01)


def test_finetune_that_changes_nothing(trained, session):
    """A rate too low to reach the next integer: every fact stays but for those of the tuning."""
    rounded, network, facts = _compiled(trained, session)
    model, tuned = finetune(rounded, network, facts, session, Tuning(epochs=1, learning_rate=1e-9))
    assert _equal(model, rounded)
    rule = facts["calibration"]["rule"].split(";")[0] + "; fine-tuned since"
    assert {key: tuned[key] for key in facts} == {
        **facts, "calibration": {**facts["calibration"], "rule": rule}}
    assert tuned["finetuned"] == {"source": session.name, "steps": 2000, "epochs": 1, "seed": 0,
                                  "changed": 0}


def test_finetune_of_axes_that_mix_the_outputs(trained, session):
    """Two axes from two outputs through a rotation: it is the velocity that is learned."""
    network = read_checkpoint(trained)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = replace(session, velocity=session.velocity @ turn.T)
    compiled = compile_network(replace(network, readout=turn), name="m", recording=session,
                               widths=Widths(weight=4, fraction=0))
    model, facts = finetune(*compiled, turned, Tuning(epochs=3, noise=0.0, learning_rate=0.02))
    before, after = (integer_score(each, turned).mean() for each in (compiled[0], model))
    assert after > before + 0.02 and facts["finetuned"]["changed"] > 0
    straight, _ = finetune(*_compiled(trained, session), turned, Tuning(epochs=1))
    assert integer_score(straight, turned).mean() < before


def test_streams_give_every_step_once(trained, session):
    """One pass shows each step to one piece, its events whole, its target ``lead_steps`` on."""
    model = replace(_compiled(trained, session)[0], lead_steps=5)
    streams, lead = Streams(model, session, length=7, batch=4), model.lead_steps
    targets, events, resets = [], 0, 0
    for chunk, target, mask in streams.one_pass(np.random.default_rng(1)):
        assert mask.shape == (7, streams.pieces, 1) and chunk.rows.shape[:2] == (7, streams.pieces)
        targets.append(target[mask[..., 0]].numpy())
        events += int((chunk.rows >= 0).sum())
        resets += int(chunk.reset.sum())
    kept = model.channel_row[session.channel] >= 0
    assert (events, resets) == (kept.sum(), session.reset.sum())
    trial = np.cumsum(session.reset)
    useful = trial[lead:] == trial[:-lead]
    wanted = session.velocity[lead:][useful]
    assert np.array_equal(np.sort(np.concatenate(targets), 0), np.sort(wanted, 0))


@pytest.mark.parametrize("factor, unit", [(1, 1), (12, 1), (0.08, 1), (900, 1e3), (1.2e-3, 1e-3)])
def test_unit_of_a_network(trained, session, factor, unit):
    """Thousandfold is a unit, tenfold is an error."""
    model, _, _ = _compiled(trained, session)
    answer = run_golden(model, session, CoreConfig()).velocity
    answer = published_time(answer, model.lead_steps, session.reset)
    moved  = replace(session, velocity=factor * answer)
    assert unit_of(model, moved) == unit
    if factor == unit:
        assert integer_score(model, moved, unit).tolist() == [1, 1]


def test_shaken_events():
    """The share of events that are gone, and of those there twice; padding stays padding."""
    rows   = torch.arange(40_000).reshape(100, 4, 100)
    events = Events(torch.cat([rows, torch.full_like(rows, -1)], -1), torch.zeros(100, 4) > 0)
    again  = shaken(events, 0.2, torch.Generator().manual_seed(1))
    assert again.reset is events.reset
    taken = torch.bincount(again.rows[again.rows >= 0], minlength=40_000)
    share = torch.bincount(taken, minlength=3) / 40_000
    assert share.tolist() == pytest.approx([0.2, 0.6, 0.2], abs=0.01)
    step = again.rows // 400
    assert ((step == torch.arange(100)[:, None, None]) | (again.rows < 0)).all()


def test_finetune_wrong(trained, session):
    compiled = _compiled(trained, session)
    with refused(f"Recording {session.name} velocity must change on every axis to train on, not "
                 "be constant throughout"):
        finetune(*compiled, replace(session, velocity=session.velocity * [1, 0]), Tuning())
    with refused(f"Recording {session.name} force must change on every axis to train on, not be "
                 "constant throughout"):
        finetune(*compiled, replace(session, velocity=session.velocity * [1, 0], target="force"),
                 Tuning())
    one = replace(compiled[0], readout=compiled[0].readout[:1], offset=None)
    with refused(f"Recording {session.name} velocity must have as many axes as the network, 1, "
                 "not 2"):
        finetune(one, *compiled[1:], session, Tuning())
    with refused("Recording made must hold velocity or force to train on, not only spikes"):
        finetune(*compiled, make_recording([[0]], 20), Tuning())
    with refused("Training epochs must be between 1 and 100000, not 0", ValueError):
        Tuning(epochs=0)
