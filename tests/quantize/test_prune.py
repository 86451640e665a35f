# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.integers import Widths
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.bounds import proven_bits
from spikewright.quantize.prune import firing, prune, without_empty
from tests.networks import (
    deep_model,
    make_network,
    nearest_model,
    random_recording,
    refused,
    tiny_network,
)


def _model(change, seed=0, hidden=5):
    """A small model after ``change`` of its weights: recurrent, input, output."""
    model = nearest_model(retime(tiny_network(seed, channels=6, hidden=hidden)), Widths(), "m")
    change(*(projection.weights for projection in model.projections))
    return model


def _weights(model):
    return [projection.weights for projection in model.projections]


def test_prune_nothing():
    model = _model(lambda *_: None)
    smaller, counts = prune(model)
    assert counts == {"channels": 0, "neurons": 0, "empty_rows": 0, "shared_rows": 0}
    assert smaller.channel_row.tolist() == [0, 1, 2, 3, 4, 5]
    assert all(map(np.array_equal, _weights(smaller), _weights(model)))


def test_prune_channels():
    def empty(recurrent, inward, out):
        inward[[0, 3]] = 0
    model = _model(empty)
    smaller, counts = prune(model)
    assert counts == {"channels": 2, "neurons": 0, "empty_rows": 0, "shared_rows": 0}
    assert smaller.channel_row.tolist() == [-1, 0, 1, -1, 2, 3]
    assert (smaller.rows, smaller.channels) == (4, 6)
    assert np.array_equal(smaller.projections[1].weights,
                          model.projections[1].weights[[1, 2, 4, 5]])


def test_prune_shares_the_row_of_equal_channels():
    def repeat(recurrent, inward, out):
        inward[4] = inward[1]
        inward[0] = 0
    model = _model(repeat)
    smaller, counts = prune(model)
    assert counts == {"channels": 1, "neurons": 0, "empty_rows": 0, "shared_rows": 1}
    assert smaller.channel_row.tolist() == [-1, 0, 1, 2, 0, 3]
    assert np.array_equal(smaller.projections[1].weights,
                          model.projections[1].weights[[1, 2, 3, 5]])
    recording = random_recording(2, 6, 200)
    whole, part = (run_golden(m, recording, CoreConfig()) for m in (model, smaller))
    assert whole.spikes.any() and np.array_equal(whole.velocity_int, part.velocity_int)
    # Both channels may spike in one step.
    assert proven_bits(smaller) == proven_bits(model)


def test_prune_neuron_that_can_never_fire():
    def hold_down(recurrent, inward, out):
        recurrent[:, 2] = -np.abs(recurrent[:, 2])
        inward[:, 2] = 0
    model = _model(hold_down)
    smaller, counts = prune(model)
    assert counts == {"channels": 0, "neurons": 1, "empty_rows": 0, "shared_rows": 0}
    keep, hidden = [0, 1, 3, 4], smaller.index("hidden")
    assert (hidden.kept.tolist(), hidden.size, smaller.hidden) == (keep, 5, 5)
    for key in ("threshold", "synaptic_decay", "membrane_decay"):
        assert np.array_equal(getattr(hidden, key), getattr(model.index("hidden"), key)[keep])
    recurrent, inward, out = _weights(model)
    for got, wanted in zip(_weights(smaller), (recurrent[keep][:, keep], inward[:, keep],
                                               out[keep]), strict=True):
        assert np.array_equal(got, wanted)


def test_prune_repeats_until_nothing_changes():
    """Only neuron 0, which never fires, drives neuron 1. Channel 5 drives only neuron 1."""
    def chain(recurrent, inward, out):
        recurrent[:, :2] = 0
        inward[:, :2] = 0
        recurrent[0, 1] = 5
        inward[5] = 0
        inward[5, 1] = -3
    _, counts = prune(_model(chain))
    assert counts == {"channels": 1, "neurons": 2, "empty_rows": 0, "shared_rows": 0}


def test_firing_of_weights_and_of_integers():
    """Nothing but neuron 3 drives neuron 3, so it never fires. prune does not find this."""
    def chain(recurrent, inward, out):
        recurrent[:, :2] = inward[:, :2] = 0
        recurrent[0, 1] = 5
        recurrent[:, 3] = inward[:, 3] = -1
        recurrent[3, 3] = 2
    network = retime(tiny_network(0, channels=6, hidden=5))
    chain(*(projection.weights for projection in network.projections))
    for form in (network, _model(chain)):
        assert {name: fires.tolist() for name, fires in firing(form).items()} == {
            "hidden": [False, False, True, True, True], "readout": [True, True]}


def test_prune_counts_empty_rows_but_keeps_them():
    def empty(recurrent, inward, out):
        recurrent[1] = 0
        out[[1, 4]] = 0
    model = _model(empty)
    smaller, counts = prune(model)
    assert counts == {"channels": 0, "neurons": 0, "empty_rows": 3, "shared_rows": 0}
    assert smaller.projections[2].weights.shape == (5, 2)


def test_prune_twice_changes_nothing():
    def empty(recurrent, inward, out):
        inward[[0, 3]] = 0
        recurrent[:, 2] = inward[:, 2] = -1
    once, _ = prune(_model(empty))
    twice, counts = prune(once)
    assert counts == {"channels": 0, "neurons": 0, "empty_rows": 0, "shared_rows": 0}
    assert np.array_equal(twice.channel_row, once.channel_row)
    assert all(map(np.array_equal, _weights(twice), _weights(once)))


@pytest.mark.parametrize("seed", range(8))
def test_prune_changes_no_answer(seed):
    """Half of the parts are dropped, and golden still gives the same spikes and velocities."""
    rng = np.random.default_rng(seed)

    def thin(recurrent, inward, out):
        for weights in (recurrent, inward, out):
            weights[rng.random(weights.shape) < 0.6] = 0
        for neuron in rng.choice(12, 2, replace=False):
            recurrent[:, neuron] = np.minimum(recurrent[:, neuron], 0)
            inward[:, neuron] = np.minimum(inward[:, neuron], 0)
        inward[rng.choice(6, 2, replace=False)] = 0
    model = _model(thin, seed, hidden=12)
    smaller, counts = prune(model)
    assert counts["channels"] >= 2 and counts["neurons"] >= 2
    recording = random_recording(seed, 6, 300, reset=[100])
    whole, part = (run_golden(m, recording, CoreConfig()) for m in (model, smaller))
    assert whole.spikes.any()
    assert np.array_equal(whole.spikes, part.spikes)
    assert np.array_equal(whole.velocity_int, part.velocity_int)


def test_prune_of_a_model_with_dropped_parts():
    """Indices in the checkpoint and channels without rows are the same after a second pruning."""
    model = deep_model(0)
    model.projections[0].weights[:, 1] = -1
    model.projections[1].weights[:, 1] = -1
    model.projections[2].weights[:, 1] = -1
    model.projections[1].weights[0] = 0
    smaller, counts = prune(model)
    assert (counts["channels"], counts["neurons"]) == (1, 1)
    assert smaller.channel_row.tolist() == [1, -1, -1, 0, -1, 2]
    assert smaller.index("first").kept.tolist() == [0, 3, 5, 6]


def test_prune_population_that_is_silent():
    model = _model(lambda recurrent, inward, out: (recurrent.fill(-1), inward.fill(-1)))
    with refused("Population hidden must have a neuron with a positive weight, not only neurons "
                 "that can never fire", ValueError):
        prune(model)


EDGES = [("input", "a", 0), ("a", "a", 1), ("a", "b", 0), ("b", "a", 2), ("b", "out", 0),
         ("a", "out", 1)]


def _emptied(*empty):
    """A network of ``EDGES`` in which the projections ``empty`` have only zeros."""
    network = make_network(1, {"a": 6, "b": 4, "out": 2}, EDGES)
    for k in empty:
        network.projections[k].weights[:] = 0
    return network


@pytest.mark.parametrize("empty, dropped", [
    ((), []),
    ((1,), ["a->a"]),
    ((1, 3, 5), ["a->a", "b->a", "a->out"]),
    ((0,), ["input->a"]),
    ((2,), []),
    ((4, 5), ["a->out"]),
    ((0, 1, 3), ["a->a", "b->a"]),
], ids=str)
def test_projections_without_weights(empty, dropped):
    """A population keeps one projection, even if this has only zeros."""
    network, titles = without_empty(_emptied(*empty))
    assert titles == dropped
    kept = [p.title for p in _emptied().projections if p.title not in dropped]
    assert [p.title for p in network.projections] == kept


@pytest.mark.parametrize("empty", [(1,), (1, 3), (2,), (4, 5), (1, 3, 5)], ids=str)
def test_projections_without_weights_change_no_answer(empty):
    network, recording = _emptied(*empty), random_recording(3, 4, 300, rate=0.8, reset=[100])
    smaller, _ = without_empty(network)
    whole, part = (run_golden(nearest_model(n, Widths(), "m"), recording, CoreConfig())
                   for n in (network, smaller))
    assert whole.spikes[:, :6].any()
    assert np.array_equal(whole.velocity_int, part.velocity_int)
    assert np.array_equal(whole.spikes, part.spikes)
    assert (whole.cycles >= part.cycles).all()
    assert (whole.cycles > part.cycles).any() == (len(smaller.projections) < len(EDGES))
