# SPDX-License-Identifier: Apache-2.0
"""Models in compiled RTL, held against golden."""

from pathlib import Path

import pytest

from spikewright.golden.compare import differences
from spikewright.golden.run import run_golden
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.recording import poisson_recording, read_recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.sim.compiled import run_compiled

__all__ = ["BUILD", "CORES", "ROOT", "equal_answer", "plan_of", "published_form", "published_model",
           "published_recordings"]

ROOT = Path(__file__).parent.parent

# Keeps compiled designs from one run of the tests to the next; a changed design is compiled anew.
BUILD = ROOT / "build" / "tests"


def plan_of(model, lanes=4, **choices):
    """A plan of ``model``; ``choices`` are further fields of `CoreConfig`."""
    return Plan(model=model, config=CoreConfig(lanes=lanes, **choices))


# The choices of a core that change its hardware, one or two of each kind.
CORES = [
    {}, {"lanes": 1}, {"lanes": 17}, {"tables": "bitmap"}, {"tables": "rows"},
    {"multiplier": "serial"}, {"neurons": "lanes"}, {"neurons": "lanes", "lanes": 1},
    {"neurons": "lanes", "lanes": 3, "tables": "rows"},
    {"neurons": "lanes", "lanes": 4, "tables": "bitmap"},
    {"neurons": "lanes", "lanes": 8, "weight_memory": "large"}, {"neurons": "lanes", "lanes": 17},
]


def equal_answer(model, recording, lanes=4, **choices):
    """Golden's answer, which that of the compiled RTL must equal in every value and cycle."""
    plan = plan_of(model, lanes, **choices)
    answer = run_golden(model, recording, plan.config)
    assert differences(answer, run_compiled(plan, recording, BUILD)) == []
    return answer


def published_form(network, rate=60):
    """The integer model of a network, calibrated on simulated spikes."""
    recording = poisson_recording(network.channels, network.dt, steps=500, rate=rate, seed=5)
    return compile_network(network, name="small", recording=recording)[0]


def published_model(shared, checkpoint):
    """The integer model of a published network."""
    pytest.importorskip("torch", reason="torch is not installed; the published networks are .pth")
    return compile_network(read_checkpoint(shared / "checkpoints" / f"{checkpoint}.pth"),
                           name=Path(checkpoint).stem)[0]


def published_recordings(shared, checkpoint):
    """The spikes that come with a published network: simulated, and for some real ones."""
    files = sorted((shared / "reference").glob(f"{checkpoint.replace('/', '_')}_*.npz"))
    return [read_recording(file) for file in files]
