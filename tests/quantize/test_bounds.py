# SPDX-License-Identifier: Apache-2.0

import dataclasses

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.integers import Widths
from spikewright.network.network import INPUT, Network, Population, Projection
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.bounds import _bits, proven_bits
from tests.networks import (
    deep_model,
    general_network,
    make_recording,
    nearest_model,
    random_recording,
    tiny_network,
)

WIDE = Widths(weight=6, current=32, membrane=32, decay=8, fraction=2)


def _with_widths(model, current, membrane):
    widths = dataclasses.replace(model.widths, current=current, membrane=max(membrane, current))
    high = (1 << widths.membrane - 1) - 1
    populations = tuple(
        dataclasses.replace(p, threshold=np.minimum(p.threshold, high) if p.spiking
                            else np.full(p.neurons, high)) for p in model.populations)
    return dataclasses.replace(model, widths=widths, populations=populations)


def _worst(model, name, neuron, sign):
    """Channels with weights of one sign to one neuron."""
    weights = sum(p.weights[:, neuron] for p in model.projections
                  if p.source == INPUT and p.target == name)
    rows = np.flatnonzero(sign * weights > 0)
    return np.flatnonzero(np.isin(model.channel_row, rows)).tolist()


def _deep(seed):
    model = deep_model(seed, WIDE)
    # Fast decays in one seed, slow ones in the next: a slow one makes a state sum for long.
    low, high = ((0, 256), (200, 256), (252, 256))[seed % 3]
    rng = np.random.default_rng(seed)
    # Low thresholds, so that the neurons fire.
    populations = tuple(dataclasses.replace(
        p, threshold=p.threshold if not p.spiking else 200 + 100 * np.arange(p.neurons),
        synaptic_decay=rng.integers(low, high, p.neurons),
        membrane_decay=rng.integers(low, high, p.neurons)) for p in model.populations)
    return dataclasses.replace(model, populations=populations)


@pytest.mark.parametrize("seed", range(9))
def test_proven_widths_never_saturate(seed):
    wide = _deep(seed)
    bits = proven_bits(wide)
    model = _with_widths(wide, *bits)
    events = random_recording(seed, 6, 500, rate=2)
    once = [sorted(set(events.channel[a:b].tolist()))
            for a, b in zip(events.start, events.start[1:], strict=False)]
    drives = [once, [list(range(6))] * 500]
    for name, neuron, sign in (("first", 0, 1), ("first", 0, -1), ("first", 3, 1),
                               ("first", 3, -1)):
        there, back = _worst(wide, name, neuron, sign), _worst(wide, name, neuron, -sign)
        drives += [[there] * 400, ([there] * 100 + [back] * 100) * 3]
    for steps in drives:
        recording = make_recording(steps, 6)
        narrow, free = (run_golden(m, recording, CoreConfig()) for m in (model, wide))
        assert not narrow.saturated.any()
        assert np.array_equal(narrow.velocity_int, free.velocity_int)


def test_proven_bits_hold_several_events_per_channel():
    wide = _deep(4)
    assert proven_bits(wide, 7)[0] > proven_bits(wide, 1)[0]
    model = _with_widths(wide, *proven_bits(wide, 7))
    for sign in (1, -1):
        steps = [_worst(wide, "first", 1, sign) * 7] * 400
        assert not run_golden(model, make_recording(steps, 6), CoreConfig()).saturated.any()


@pytest.mark.parametrize("sign", [1, -1])
def test_proven_bits_are_reached(sign):
    """If one channel alone drives a neuron, the bound is at most one bit too large."""
    network = retime(tiny_network(0, channels=1, hidden=1, outputs=1))
    model = nearest_model(network, Widths(current=24, membrane=32), "m")
    recurrent, inward, out = (p.weights for p in model.projections)
    recurrent[:], inward[:], out[:] = 0, sign * 127, 0
    model.populations[0].threshold[:] = (1 << 31) - 1
    current, membrane = proven_bits(model)
    steps = make_recording([[0]] * 3000, 1)
    assert not run_golden(_with_widths(model, current, membrane), steps,
                          CoreConfig()).saturated.any()
    assert membrane > current
    for narrow in ((current - 1, membrane), (current, membrane - 1)):
        assert run_golden(_with_widths(model, *narrow), steps, CoreConfig()).saturated.any()


def test_proven_bits_of_a_bound_worked_by_hand():
    """Weights 3 and -2, decays 1/2 and 3/4 of 16.

    Upward s <= (12 + .5) / .5 = 25, m <= (25 + .5) / .25 = 102 or 3/4 threshold + .5 + 25;
    downward s <= (8 + .5) / .5 = 17, m <= (17 + .5) / .25 = 70: 6 bits of s, of m 8.
    """
    network = retime(tiny_network(0, channels=2, hidden=1, outputs=1))
    model = nearest_model(network, Widths(decay=4, fraction=2), "m")
    recurrent, inward, out = (p.weights for p in model.projections)
    recurrent[:], inward[:], out[:] = 0, [[3], [-2]], 0
    for population in model.populations:
        population.synaptic_decay[:], population.membrane_decay[:] = 8, 12
    hidden = model.populations[0]
    for threshold, bits in ((110, 8), (50, 8), (0, 8)):         # 102, 63, 25; -70 in all cases
        hidden.threshold[:] = threshold
        assert proven_bits(model) == (6, bits)
    inward[1] = 0                                               # downward only rounding: -1 and -6
    for threshold, bits in ((110, 8), (52, 8), (50, 7), (0, 6)):    # 102, 64, 63, 25
        hidden.threshold[:] = threshold
        assert proven_bits(model) == (6, bits)
    assert proven_bits(model, 3) == (8, 8)                      # s <= 73, m <= 73 with threshold 0
    recurrent[:], hidden.threshold[:] = 5, 110                  # 20 / (1 - 1/4) more: s <= 51
    assert proven_bits(model) == (7, 9)                         # m <= 134


@pytest.mark.parametrize("sign, peak, bits", [(1, 127, 8), (1, 128, 9), (-1, 128, 8), (-1, 129, 9),
                                              (1, 127.9, 8), (-1, 128.9, 8)])
def test_bits_reach_one_further_down(sign, peak, bits):
    assert _bits(peak, sign) == bits


def _once(recording):
    """``recording`` with at most one event of a channel in a step."""
    return make_recording([sorted(set(recording.channel[a:b].tolist())) for a, b in zip(
        recording.start, recording.start[1:], strict=False)], recording.channels)


@pytest.mark.parametrize("seed", range(60))
def test_proven_widths_of_any_neuron_never_saturate(seed):
    """A log keeps 64 events, and no network here has as many channels."""
    network = retime(general_network(seed))
    wide = nearest_model(network, WIDE, "m")
    current, membrane = proven_bits(wide)
    known = membrane is not None and max(current, membrane) <= 32
    model = _with_widths(wide, current, membrane if known else 32)
    spikes = [_once(random_recording(seed, network.channels, 300, rate=rate))
              for rate in (0.1, 0.7, 9)]
    for recording in spikes:
        answer = run_golden(model, recording, CoreConfig())
        if known:
            assert not answer.saturated.any()


def test_some_proofs_exist():
    proofs = [proven_bits(nearest_model(retime(general_network(seed)), WIDE, "m"))[1]
              for seed in range(60)]
    assert 10 < sum(proof is None for proof in proofs) < 50


@pytest.mark.parametrize("window, bits", [(3, 3), (None, None)])
def test_bits_of_a_count_over_a_window(window, bits):
    """One neuron may fire in each of three steps: 0 to 3 take three bits, with their sign."""
    one = np.ones(1)
    counts = [(0, 1.0)] + ([(window, -1.0)] if window else [])
    network = Network(
        channels=1, dt=4e-3,
        populations=(Population(name="n", spiking=True, reset="zero_keep", threshold=0.5 * one,
                                synaptic_decay=0 * one, membrane_decay=0 * one),
                     Population(name="out", spiking=False, synaptic_decay=0 * one,
                                membrane_decay=one, threshold=one)),
        projections=(Projection(source=INPUT, target="n", delay=0, weights=one[:, None]), *(
            Projection(source="n", target="out", delay=delay, weights=np.array([[weight]]))
            for delay, weight in counts)))
    model = nearest_model(network, Widths(weight=2, current=8, membrane=8, fraction=0), "m")
    assert proven_bits(model)[1] == bits
