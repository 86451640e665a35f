# SPDX-License-Identifier: Apache-2.0
"""NIR graphs of six frameworks as integers of 8 bits: the compiled core answers as golden.

``SPIKEWRIGHT_STEPS=5000`` in the environment runs so many steps of each instead of 500.
"""

import os

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.sim.compiled import run_compiled
from tests.designs import BUILD
from tests.network.nir.corpus import NAMES, Entry, needs_corpus

STEPS = int(os.environ.get("SPIKEWRIGHT_STEPS", "500"))

# One or two of each reset; all of them with more steps.
SOME = ["graph-cubalif-old-current", "graph-delays-skip", "norse-lif-cuba", "sj-lif-vreset",
        "snn-rsynaptic-zero", "spyx-lif"]


@needs_corpus
@pytest.mark.parametrize("name", NAMES if STEPS > 500 else SOME)
def test_graph_as_integers(name):
    entry = Entry(name)
    network, recording = entry.reading.network, entry.repeated(STEPS)
    model, _, _ = compile_network(network, name=name, recording=recording)
    config = CoreConfig(tables="smallest")
    expected = run_golden(model, recording, config)
    found = run_compiled(Plan(model=model, config=config), recording, BUILD)
    for field in ("velocity_int", "spikes", "cycles", "latency", "saturated"):
        assert np.array_equal(getattr(found, field), getattr(expected, field)), field
    assert expected.spikes.any()
