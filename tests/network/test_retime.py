# SPDX-License-Identifier: Apache-2.0

import dataclasses

import numpy as np
import pytest

from spikewright.network.network import INPUT
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from tests.networks import make_network, random_recording, refused, tiny_network

CHAIN = {"a": 5, "b": 4, "c": 3, "out": 2}

# Sizes, edges (source, target, delay), the delays after retiming, and the steps gained.
NETWORKS = {
    "published": (
        {"hidden": 5, "out": 2},
        [("hidden", "hidden", 3), (INPUT, "hidden", 2), ("hidden", "out", 3)], [3, 0, 0], 5),
    "chain_of_three": (
        CHAIN, [(INPUT, "a", 1), ("a", "b", 2), ("b", "c", 3), ("c", "out", 4)], [0, 0, 0, 0], 10),
    "self_loop_of_one_step": (
        {"a": 4, "out": 2}, [(INPUT, "a", 4), ("a", "a", 1), ("a", "out", 0)], [0, 1, 0], 4),
    "loop_over_two": (
        {"a": 4, "b": 4, "out": 2},
        [(INPUT, "a", 1), ("a", "b", 2), ("b", "a", 3), ("b", "out", 1)], [0, 0, 5, 0], 4),
    "skip_holds_back": (
        {"a": 4, "b": 4, "out": 2},
        [(INPUT, "a", 1), ("a", "b", 5), ("a", "out", 2), ("b", "out", 1)], [0, 0, 0, 4], 3),
    "parallel_delays": (
        {"a": 4, "out": 2},
        [(INPUT, "a", 2), (INPUT, "a", 3), ("a", "out", 1), ("a", "out", 3)], [0, 1, 0, 2], 3),
    "nothing_to_gain": ({"a": 4, "out": 2}, [(INPUT, "a", 0), ("a", "out", 0)], [0, 0], 0),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", range(3))
def test_retime_shifts_outputs_bit_for_bit(name, seed):
    sizes, edges, delays, lead = NETWORKS[name]
    late = make_network(seed, sizes, edges)
    early = retime(late)
    assert [p.delay for p in early.projections] == delays
    assert early.lead_steps == lead
    recording = random_recording(seed, late.channels, 150)
    shown, wanted = run_reference(early, recording), run_reference(late, recording)
    assert wanted.spikes.sum() > 50
    assert np.array_equal(shown.velocity[:150 - lead], wanted.velocity[lead:])
    assert not wanted.velocity[:lead].any()


def test_retime_random_graphs():
    """With any delays, the outputs are equal, and no further shift is possible."""
    rng = np.random.default_rng(1)
    for seed in range(20):
        edges = [(INPUT, "a", int(rng.integers(0, 4))),
                 *((source, target, int(rng.integers(1, 5))) for source in "abc"
                   for target in "abc" if rng.random() < 0.5),
                 ("a", "b", 2), ("b", "c", 3), ("c", "out", int(rng.integers(0, 4)))]
        late = make_network(seed, CHAIN, edges)
        early = retime(late)
        lead = early.lead_steps
        recording = random_recording(seed, late.channels, 80)
        assert np.array_equal(run_reference(early, recording).velocity[:80 - lead],
                              run_reference(late, recording).velocity[lead:]), edges
        assert 0 in [p.delay for p in early.projections if p.target == "out"], edges


@pytest.mark.parametrize("sizes, edges, order", [
    ({"b": 2, "a": 3, "out": 2}, [(INPUT, "a", 1), ("a", "b", 1), ("b", "out", 1)],
     ["a", "b", "out"]),
    ({"a": 2, "b": 3, "c": 2, "out": 2},
     [(INPUT, "a", 1), (INPUT, "c", 1), ("a", "b", 1), ("b", "out", 1), ("c", "out", 1)],
     ["a", "b", "c", "out"]),
])
def test_retime_orders_populations_along_delay_0(sizes, edges, order):
    assert [p.name for p in retime(make_network(0, sizes, edges)).populations] == order


def test_retime_of_several_outputs_keeps_them_in_step():
    one = make_network(0, {"a": 3, "out": 2}, [(INPUT, "a", 2), ("a", "out", 1)])
    two = make_network(0, {"a": 3, "other": 1}, [(INPUT, "a", 2), ("a", "other", 4)])
    both = type(one)(channels=4, dt=one.dt,
                     populations=(*one.populations, two.population("other")),
                     projections=(*one.projections, two.projections[1]))
    early = retime(both)
    assert early.lead_steps == 3
    assert [p.delay for p in early.projections] == [0, 0, 3]
    recording = random_recording(1, 4, 60)
    assert np.array_equal(run_reference(early, recording).velocity[:57],
                          run_reference(both, recording).velocity[3:])


def test_retime_never_swaps_outputs():
    """The first output depends on a later population, and is still the first output."""
    late = make_network(0, {"a": 3, "one": 1, "b": 3, "two": 2}, [
        (INPUT, "a", 1), ("a", "b", 1), ("b", "one", 1), ("a", "two", 1)])
    one = dataclasses.replace(late.population("one"), spiking=False)
    late = dataclasses.replace(late, readout=None, offset=None, populations=(
        late.populations[0], one, late.population("two"), late.population("b")))
    early = retime(late)
    assert [p.name for p in early.populations] == ["a", "b", "one", "two"]


def test_retime_twice_changes_nothing():
    once = retime(tiny_network(0))
    twice = retime(once)
    assert twice.lead_steps == once.lead_steps == 5
    assert [p.delay for p in twice.projections] == [p.delay for p in once.projections]


def test_retime_unreachable():
    network = make_network(0, {"a": 3, "island": 3, "out": 2}, [
        (INPUT, "a", 1), ("island", "island", 1), ("a", "out", 1), ("island", "out", 1)])
    with refused("Population island must be reachable from the input, not driven by nothing",
                 ValueError):
        retime(network)
