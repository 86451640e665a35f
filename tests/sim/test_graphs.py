# SPDX-License-Identifier: Apache-2.0
"""NIR graphs of six frameworks as integers of 8 bits: the core answers as golden.

``SPIKEWRIGHT_STEPS=5000`` in the environment runs so many steps of each compiled core instead of
500, and a graph of each reset instead of one in both simulators of cocotb.
"""

import os
import shutil

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.sim.cocotb_runner import run_bench
from spikewright.sim.compiled import run_compiled
from tests.designs import BUILD
from tests.network.nir.corpus import NAMES, OF_RESET, Entry, needs_corpus

STEPS = int(os.environ.get("SPIKEWRIGHT_STEPS", "500"))

# One or two of each reset; all of them with more steps.
SOME = ["graph-cubalif-old-current", "graph-delays-skip", "norse-lif-cuba", "sj-lif-vreset",
        "snn-rsynaptic-zero", "spyx-lif"]


def graph_plan(name, steps):
    """The plan of a graph as integers, and its recording."""
    entry = Entry(name)
    recording = entry.repeated(steps)
    model, _, _ = compile_network(entry.reading.network, name=name, recording=recording)
    return Plan(model=model, config=CoreConfig(tables="smallest")), recording


@needs_corpus
@pytest.mark.parametrize("name", NAMES if STEPS > 500 else SOME)
def test_graph_as_integers(name):
    plan, recording = graph_plan(name, STEPS)
    expected = run_golden(plan.model, recording, plan.config)
    found = run_compiled(plan, recording, BUILD)
    for field in ("velocity_int", "spikes", "cycles", "latency", "saturated"):
        assert np.array_equal(getattr(found, field), getattr(expected, field)), field
    assert expected.spikes.any()


@needs_corpus
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
@pytest.mark.parametrize("name", OF_RESET if STEPS > 500 else OF_RESET[:1])
def test_graph_on_verilog(name, simulator):
    """With stalls and without."""
    pytest.importorskip("cocotb", reason="cocotb is not installed (pip install -e '.[test]')")
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed (Debian: apt install iverilog)")
    plan, recording = graph_plan(name, 150)
    assert run_bench(plan, recording, simulator=simulator, folder=BUILD, seed=1) == []
