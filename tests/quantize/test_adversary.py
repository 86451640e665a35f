# SPDX-License-Identifier: Apache-2.0
"""A search for inputs that break the proven widths of the states."""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.arrays import Stimulus, Trace
from spikewright.golden.core import run_steps
from spikewright.golden.run import constants_of, zero_state
from spikewright.model.integers import Widths
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.network import INPUT, RESETS
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.bounds import proven_bits
from spikewright.quantize.integer import quantize, with_states
from spikewright.quantize.rounding import nearest
from tests.networks import CHECKPOINTS, general_network, nearest_model

BLOCK = 48      # steps from zero state


@pytest.fixture(params=[*(f"default {reset}" for reset in RESETS), *CHECKPOINTS[::4]])
def wide(request):
    """A model with 8-bit weights, a shift, and states that nothing can fill."""
    default, _, reset = request.param.partition(" ")
    if default == "default":
        file = "data/default.safetensors"
    else:
        pytest.importorskip("torch", reason="reading .pth needs torch")
        file = request.getfixturevalue("shared") / "checkpoints" / f"{request.param}.pth"
    network = read_checkpoint(file)
    if reset:
        network = dataclasses.replace(network, populations=tuple(
            dataclasses.replace(p, reset=reset) if p.spiking else p for p in network.populations))
    network = retime(network)
    widths = Widths(current=32, membrane=32, fraction=3)
    return quantize(network, nearest(network, (widths.weight,) * 3, (1, 0, 0)), widths, "wide")


def _peaks(model, blocks, times):
    """Largest and smallest m of every neuron, (blocks, neurons), and whether a state saturated.

    ``blocks`` bool (blocks, BLOCK, channels): channels that spike, ``times`` times each.
    """
    plan = Plan(model=model, config=CoreConfig())
    constants = constants_of(plan)
    steps = len(blocks) * BLOCK
    step, channel = np.nonzero(blocks.reshape(steps, -1))
    start = np.searchsorted(np.repeat(step, times), np.arange(steps + 1))
    trace = Trace(membrane=np.zeros((steps, len(constants.a)), np.int64),
                  values=np.zeros((steps, 0), np.int64),
                  fired=np.zeros((steps, 1, len(constants.a)), bool),
                  events=np.zeros((steps, len(constants.operations)), np.int64),
                  saturated=np.zeros(steps, bool))
    stimulus = Stimulus(row=model.channel_row[np.repeat(channel, times)], start=start,
                        reset=np.arange(steps) % BLOCK == 0)
    run_steps(constants, zero_state(plan), stimulus, trace)
    m = trace.membrane.reshape(len(blocks), BLOCK, -1)
    return m.max(axis=1), m.min(axis=1), bool(trace.saturated.any())


def _attacks(model):
    """Blocks of channels that drive each hidden neuron up or down: always, by turns, or late."""
    weights = {p.source: p.weights for p in model.projections
               if p.target == model.populations[0].name}
    inward, recurrent = weights.pop(INPUT), next(iter(weights.values()))
    blocks = []
    for sign in (1, -1):
        for i in range(inward.shape[1]):
            own = sign * inward[:, i] > 0
            # Channels that make those neurons fire that push neuron i.
            others = inward @ np.maximum(sign * recurrent[:, i], 0) > 0
            other_steps = np.arange(BLOCK)[:, None] % 2 == 0
            blocks += [np.tile(own, (BLOCK, 1)), np.tile(own | others, (BLOCK, 1)),
                       np.where(other_steps, own, others),
                       np.where(np.arange(BLOCK)[:, None] < BLOCK - 4, others, own)]
    return np.array([*blocks, np.ones((BLOCK, len(inward)), bool)])


def _search(model, blocks, high, low, times=1):
    """Random changes of the best blocks, kept if a peak grows. Whether a state saturated."""
    rng, broken = np.random.default_rng(1), False
    for peaks in (high, -low):
        best = blocks[peaks.max(axis=1).argsort()[-8:]]
        reached = peaks.max(axis=1)[peaks.max(axis=1).argsort()[-8:]]
        for _ in range(10):
            trial = best ^ (rng.random(best.shape) < 0.01)
            up, down, saturated = _peaks(model, trial, times)
            broken |= saturated
            found = (up if peaks is high else -down).max(axis=1)
            best, reached = (np.where((found > reached)[:, None, None], trial, best),
                             np.maximum(found, reached))
    return broken


@pytest.mark.parametrize("times", [1, 3])
def test_proven_widths_hold_against_an_adversary(wide, times):
    """Greedy inputs for every neuron, then random changes that are kept if a peak grows."""
    current, membrane = proven_bits(wide, times)
    model = with_states(wide, current, membrane)
    blocks = _attacks(model)
    high, low, saturated = _peaks(model, blocks, times)
    assert not saturated
    assert not _search(model, blocks, high, low, times)
    # The search is serious: it comes near to what the proof allows for.
    assert max(high.max(), -low.min()) > 1 << membrane - 5


def test_narrower_states_are_broken_by_the_adversary(wide):
    current, membrane = proven_bits(wide)
    blocks = _attacks(wide)
    assert _peaks(with_states(wide, current - 2, membrane), blocks, 1)[2]
    assert _peaks(with_states(wide, current, membrane - 4), blocks, 1)[2]


def test_with_states_changes_no_answer(wide):
    """If no state exceeds its width, wider states give the same result."""
    blocks = _attacks(wide)[::9]
    high, low, _ = _peaks(wide, blocks, 1)
    narrow = with_states(wide, *proven_bits(wide))
    assert np.array_equal(_peaks(narrow, blocks, 1)[0], high)
    assert np.array_equal(_peaks(narrow, blocks, 1)[1], low)


def test_with_states_keeps_to_what_weights_need(wide):
    widths = with_states(wide, 2, 2).widths
    assert (widths.current, widths.membrane) == (12, 12)      # 8 bits, 3 fraction bits, shift 1
    assert dataclasses.replace(widths, current=32, membrane=32) == wide.widths


def _general(seed):
    """A random network with every kind of neuron as a model, and the bits that are proven for it.

    There is no proof where an integrator without a leak takes more and more.
    """
    wide = Widths(weight=6, current=32, membrane=32, decay=8, fraction=2)
    model = nearest_model(retime(general_network(seed, most=8)), wide, "general")
    current, membrane = proven_bits(model)
    return model, current, membrane if membrane and max(current, membrane) <= 32 else None


def _general_attacks(model, seed):
    """Blocks of random channels, and of those that drive a neuron up or down."""
    rng = np.random.default_rng(seed)
    density = rng.choice([0.1, 0.5, 0.9], (64, 1, 1))
    blocks = [*(rng.random((64, BLOCK, model.channels)) < density),
              np.ones((BLOCK, model.channels), bool), np.zeros((BLOCK, model.channels), bool)]
    for projection in model.projections:
        if projection.source == INPUT:
            weights = projection.weights[model.channel_row]
            blocks += [np.tile(sign * weights[:, i] > 0, (BLOCK, 1))
                       for i in range(weights.shape[1]) for sign in (1, -1)]
    return np.array(blocks)


def test_proven_widths_of_every_neuron_hold_against_an_adversary():
    """Biases, starts, counts, delays, every reset, decays of 0 and 1, and `>=`."""
    spare, kinds = [], set()
    for seed in range(100):
        wide, current, membrane = _general(seed)
        if membrane is None:
            continue
        blocks = _general_attacks(wide, seed)
        model = with_states(wide, current, membrane)
        high, low, saturated = _peaks(model, blocks, 1)
        assert not saturated, seed
        assert not _search(model, blocks, high, low), seed
        needed = max(int(high.max()).bit_length(), int(-1 - low.min()).bit_length()) + 1
        spare.append(membrane - needed)
        kinds |= {p.reset for p in wide.populations} | {p.name for p in wide.populations}
    # The search is serious: in the mean, it leaves less than one of the proven bits.
    assert len(spare) >= 20 and np.mean(spare) < 1
    assert kinds >= {*RESETS, "constant", "start", "counts"}
