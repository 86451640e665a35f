# SPDX-License-Identifier: Apache-2.0
"""The published and the trained weights of all graded networks, in compiled RTL and as gates.

The tests run only with ``SPIKEWRIGHT_STEPS=20000`` in the environment: for so many steps of spikes
that were recorded, and of every input. The gates run for a hundredth of that.
"""

import os
from functools import cache

import numpy as np
import pytest

from docs.make.vectors import hybrid_tensors
from spikewright.boards.board.platforms import BOARDS
from spikewright.network.recording import Recording
from spikewright.network.state_dicts.srtnet import srtnet_network
from spikewright.quantize.graded.compile import compile_graded
from spikewright.verify.gates.core import check_gates
from tests.designs import BUILD, equal_answer, plan_of
from tests.graded import every_input, recording_of
from tests.vectors import SESSIONS, WEIGHTS, dense, published, vector

STEPS = int(os.environ.get("SPIKEWRIGHT_STEPS", "0"))

pytestmark = pytest.mark.skipif(not STEPS, reason="SPIKEWRIGHT_STEPS is not set")

FOLDERS = {"ANN": "2D_ANN_Weight", "ANN_Flat": "3D_ANN_Weight", "SNN_Flat": "SNN3_Weight"}
NETWORKS = [*((kind, session) for kind in FOLDERS for session in SESSIONS), ("sRTnet", "jango")]


@cache
def case(kind: str, session: str):
    """The integers of a network, and the spikes that were recorded."""
    if kind == "sRTnet":
        data = vector("trained_srtnet")
        network, recording = srtnet_network(hybrid_tensors(data), 4e-3), recording_of(dense(data))
    else:
        path = WEIGHTS / FOLDERS[kind] / f"{session}_model_state_dict.pth"
        network, recording, _ = published(kind, session, path)
    bits = 10 if kind == "SNN_Flat" else 8
    return compile_graded(network, name="made", recording=recording, weight_bits=bits)[0], recording


def counts_of(recording: Recording) -> np.ndarray:
    """Events of each channel in each step."""
    counts = np.zeros((recording.steps, recording.channels), np.int64)
    np.add.at(counts, (np.repeat(np.arange(recording.steps), np.diff(recording.start)),
                       recording.channel), 1)
    return counts


def again(recording: Recording, steps: int) -> Recording:
    """The recording again and again, for so many steps, each time from a reset on."""
    times = -(-steps // recording.steps)
    longer = recording_of(np.tile(counts_of(recording), (times, 1))[:steps])
    longer.reset[::recording.steps] = True
    return longer


@pytest.mark.parametrize("spikes", ["recorded", "every"])
@pytest.mark.parametrize("kind, session", NETWORKS)
def test_compiled_core_equals_golden(kind, session, spikes):
    model, recording = case(kind, session)
    equal_answer(model, again(recording, STEPS) if spikes == "recorded" else
                 every_input(model.channels, STEPS), weight_memory="large")


@pytest.mark.parametrize("kind, session", NETWORKS)
def test_gates_equal_golden(kind, session):
    """As on an iCEBreaker: recorded spikes, a reset, and then each channel in each step."""
    model, recording = case(kind, session)
    most = STEPS // 100
    counts = counts_of(recording)[:most]
    spikes = recording_of(np.concatenate([counts, np.ones((70, model.channels), int)]))
    spikes.reset[len(counts)] = True
    plan = plan_of(model, weight_memory="large")
    assert check_gates(plan, BOARDS["icebreaker"], spikes, BUILD) == []
