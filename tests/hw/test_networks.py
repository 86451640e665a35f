# SPDX-License-Identifier: Apache-2.0
"""Random networks of every kind: the RTL answers as golden, in values, spikes and cycles.

``SPIKEWRIGHT_NETWORKS=5000`` in the environment runs so many networks instead of 300.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spikewright.model.integers import Widths
from spikewright.network.network import RESETS
from spikewright.network.retime import in_order, retime
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from tests.hw.test_core import check_core
from tests.networks import general_network, nearest_model, random_recording

PARTS = 6
NETWORKS = int(os.environ.get("SPIKEWRIGHT_NETWORKS", "300"))

WIDTHS = (Widths(weight=5, current=9, membrane=11, decay=6, fraction=2),
          Widths(weight=8, current=18, membrane=22, decay=12, fraction=4),
          Widths(weight=3, current=12, membrane=17, decay=5, fraction=3))


@st.composite
def configs(draw):
    """A configuration of the core: any lanes, tables, neurons and multiplier that go together."""
    tables = draw(st.sampled_from(("dense", "dense", "rows", "bitmap", "smallest")))
    lanes = draw(st.sampled_from((1, 2, 4, 8, 16, 32) if tables in ("bitmap", "smallest") else
                                 (1, 2, 3, 4, 5, 7, 8, 17, 19, 32, 64)))
    neurons = draw(st.sampled_from(("shared", "shared", "lanes")))
    return CoreConfig(lanes=lanes, tables=tables, neurons=neurons, multiplier="parallel" if
                      neurons == "lanes" else draw(st.sampled_from(("parallel", "serial"))))


@pytest.mark.parametrize("part", range(PARTS))
def test_rtl_equals_golden(part):
    @settings(deadline=None, max_examples=-(-NETWORKS // PARTS), derandomize=True, database=None,
              suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
    @given(seed=st.integers(0, 10**6), config=configs(), widths=st.sampled_from(WIDTHS),
           retimed=st.booleans(), stall=st.sampled_from((0, 0, 1, 13)))
    def check(seed, config, widths, retimed, stall):
        check_network(PARTS * seed + part, config, widths, retimed, stall)

    check()


def check_network(seed, config, widths, retimed, stall):
    """Run a random network, and compare each result with golden."""
    network = general_network(seed, most=6 if seed % 20 else 80)
    network = retime(network) if retimed else in_order(network)
    plan = Plan(model=nearest_model(network, widths, "random"), config=config)
    recording = random_recording(seed, network.channels, 12, rate=1.2 if seed % 3 else 0.2,
                                 reset=[5, 6])
    tokens = len(recording.channel) + recording.steps + int(recording.reset.sum())
    check_core(plan, recording, seed=seed, stall=stall,
               most=lambda cycles: 4 * cycles + 3 * stall * tokens + 2000)


def test_networks_have_every_part():
    """The networks of the test above have every reset, and every way to take the input."""
    models = [nearest_model(retime(general_network(seed, most=6)), WIDTHS[1], "m")
              for seed in range(60)]
    programs = [Plan(model=model, config=CoreConfig()).program for model in models]
    assert {p.reset for model in models for p in model.populations if p.spiking} == set(RESETS)
    assert {program.log_room > 0 for program in programs} == {True, False}
    assert any(add.target is None for program in programs for add in program.adds)
    assert {model.factor_bits for model in models} == {12, 13}
    assert any(p.name == "start" for model in models for p in model.populations)
