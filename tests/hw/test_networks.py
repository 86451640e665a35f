# SPDX-License-Identifier: Apache-2.0
"""Random networks of every kind: the RTL answers as golden, in values, spikes and cycles.

``SPIKEWRIGHT_NETWORKS=5000`` in the environment runs so many networks instead of 300.
"""

import os

import numpy as np
import pytest

from spikewright.model.integers import Widths
from spikewright.network.network import RESETS
from spikewright.network.retime import in_order, retime
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import MOST_BITS, Plan
from spikewright.quantize.integer import quantize
from spikewright.quantize.rounding import nearest
from tests.hw.test_core import check_core
from tests.networks import general_network, random_recording

PARTS, STEPS = 6, 12
NETWORKS = int(os.environ.get("SPIKEWRIGHT_NETWORKS", "300"))

WIDTHS = (Widths(weight=5, current=9, membrane=11, decay=6, fraction=2),
          Widths(weight=8, current=18, membrane=22, decay=12, fraction=4),
          Widths(weight=3, current=12, membrane=17, decay=5, fraction=3))


def random_config(rng, bits):
    """A configuration of the core: any lanes, tables, neurons and multiplier that go together.

    One core of eight has more than 8 lanes. ``bits`` are those of a weight.
    """
    tables = str(rng.choice(["dense", "dense", "rows", "bitmap", "smallest"]))
    many = rng.random() < 1 / 8
    if tables in ("bitmap", "smallest"):
        lanes = rng.choice([16, 32, 64], p=[0.6, 0.3, 0.1]) if many else 1 << rng.integers(0, 4)
    else:
        lanes = rng.integers(9, 65) if many else rng.integers(1, 9)
    large = tables == "dense" and lanes * bits <= MOST_BITS and rng.random() < 0.5
    neurons = str(rng.choice(["shared", "shared", "lanes"]))
    serial = neurons == "shared" and rng.random() < 0.5
    return CoreConfig(lanes=int(lanes), tables=tables, neurons=neurons,
                      weight_memory="large" if large else "block",
                      multiplier="serial" if serial else "parallel")


def random_plan(seed):
    """The plan of a random network. One network of 20 is large.

    Each projection has its own bits, except in large memory.
    """
    rng = np.random.default_rng([seed, 1])
    widths = WIDTHS[rng.integers(len(WIDTHS))]
    config = random_config(rng, widths.weight)
    network = general_network(seed, most=6 if seed % 20 else 80)
    network = retime(network) if rng.random() < 0.5 else in_order(network)
    bits = np.full(len(network.projections), widths.weight)
    if config.weight_memory == "block":
        bits[1:] = np.maximum(2, bits[1:] - rng.integers(0, 3, len(bits) - 1))
    rounded = nearest(network, tuple(bits.tolist()))
    return Plan(model=quantize(network, rounded, widths, "random"), config=config)


@pytest.mark.parametrize("part", range(PARTS))
def test_rtl_equals_golden(part):
    for seed in range(part, NETWORKS, PARTS):
        check_network(seed)


def check_network(seed):
    """Run a random network with stalls and resets, and compare each result with golden."""
    plan, rng = random_plan(seed), np.random.default_rng([seed, 2])
    stall = int(rng.choice([0, 0, 1, 13]))
    recording = random_recording(seed, plan.model.channels, STEPS, rate=rng.choice([0.2, 1.2, 1.2]),
                                 reset=rng.integers(0, STEPS, rng.integers(0, 4)))
    tokens = len(recording.channel) + recording.steps + int(recording.reset.sum())
    check_core(plan, recording, seed=seed, stall=stall,
               most=lambda cycles: 4 * cycles + 3 * stall * tokens + 2000)


def test_networks_have_every_part():
    """The networks of the test above are of every kind, and their cores, too."""
    plans = [random_plan(seed) for seed in range(100)]
    models, configs = [plan.model for plan in plans], [plan.config for plan in plans]
    projections = [p for model in models for p in model.projections]
    assert {p.reset for model in models for p in model.populations if p.spiking} == set(RESETS)
    assert {plan.program.log_room > 0 for plan in plans} == {True, False}
    assert any(add.target is None for plan in plans for add in plan.program.adds)
    assert {model.factor_bits for model in models} == {5, 6, 7, 12, 13}
    assert {"start", "constant", "counts"} <= {p.name for m in models for p in m.populations}
    assert set(range(7)) <= {p.delay for p in projections}
    assert {p.bits for p in projections} == {2, 3, 4, 5, 6, 7, 8}
    assert max(p.neurons for model in models for p in model.populations) > 50
    for name, values in (("tables", 4), ("weight_memory", 2), ("neurons", 2), ("multiplier", 2)):
        assert len({getattr(config, name) for config in configs}) == values
    lanes = {config.lanes for config in configs}
    assert {*range(1, 9)} < lanes and max(lanes) > 50
