# SPDX-License-Identifier: Apache-2.0
"""Networks of the other state dicts in compiled RTL against golden, every value and every cycle."""

import numpy as np
import pytest

from spikewright.model.integers import Widths
from spikewright.network.checkpoint import network_from_tensors
from spikewright.network.recording import poisson_recording
from spikewright.network.retime import retime
from tests.designs import equal_answer
from tests.networks import big_tensors, nearest_model


def _equal(tensors, name, **choices):
    network = retime(network_from_tensors(tensors))
    widths = Widths(weight=8, current=16, membrane=20, decay=12, fraction=3)
    model = nearest_model(network, widths, name)
    simulated = poisson_recording(model.channels, model.dt, steps=3000, rate=40, seed=3)
    answer = equal_answer(model, simulated, **choices)
    assert answer.spikes.any()
    return answer


@pytest.mark.parametrize("choices", [{"lanes": 4}, {"lanes": 8, "tables": "bitmap"}],
                         ids=["dense", "bitmap"])
def test_compiled_bigrsnn_equals_golden(choices):
    answer = _equal(big_tensors(1, channels=12, hidden=40), "big", **choices)
    assert answer.velocity_int.shape == (3000, 10)
    assert answer.velocity.shape == (3000, 2)


def test_compiled_neurobench_equals_golden():
    rng = np.random.default_rng(2)
    _equal({"fc1.weight": rng.normal(0.1, 0.5, (50, 12)), "lif1.beta": np.array(0.96),
            "fc_out.weight": rng.normal(0, 0.1, (2, 50)), "lif_out.beta": np.array(0.96)}, "snn")
