# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.integers import Widths
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from tests.networks import MIXED, deep_model, random_recording, tiny_network

try:
    import torch

    from spikewright.train.tuning.integer import Events, IntegerNetwork
    from spikewright.train.tuning.streams import whole
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.skipif(torch is None, reason="torch is not installed")


def _run(network, events):
    """Run in two calls, the state handed on; outputs and spikes as whole arrays, one stream."""
    state, output, hidden = network.start(1), [], []
    cut = len(events.reset) // 3
    with torch.no_grad():
        for part in (slice(None, cut), slice(cut, None)):
            m, fired, state = network(Events(events.rows[part], events.reset[part]), state)
            output.append(m)
            hidden.append(fired)
    return torch.cat(output)[:, 0].numpy(), torch.cat(hidden)[:, 0].numpy() > 0


def _kept(model):
    """Columns of the spikes of the neurons that are left."""
    return np.concatenate([model.spike_columns[p.name].start + p.kept
                           for p in model.populations if p.spiking])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widths, bits", [
    (Widths(weight=5, current=9, membrane=11, decay=6, fraction=2), None),
    (Widths(weight=6, current=11, membrane=11, decay=6, fraction=5), None),
    (Widths(weight=4, current=14, membrane=16, decay=8, fraction=7), None),
    (Widths(weight=16, current=32, membrane=32, decay=16, fraction=12), None),
    (Widths(weight=5, current=9, membrane=11, decay=6, fraction=2), MIXED),
], ids=["narrow", "narrow membrane", "middle", "wide", "mixed"])
def test_integer_network_equals_golden(seed, widths, bits):
    model = deep_model(seed, widths, bits)
    recording = random_recording(seed, 6, 200, reset=(0, 77, 141))
    output, hidden = _run(IntegerNetwork(model), whole(model, recording))
    answer = run_golden(model, recording, CoreConfig())
    assert (output == answer.velocity_int).all()
    assert (hidden == answer.spikes[:, _kept(model)]).all()
    assert answer.spikes.any() and (widths.current > 11 or answer.saturated.any())


def test_integer_network_equals_golden_for_a_compiled_network():
    recording = random_recording(5, 6, 400)
    model, _, _ = compile_network(tiny_network(5), name="m", recording=recording)
    output, hidden = _run(IntegerNetwork(model), whole(model, recording))
    answer = run_golden(model, recording, CoreConfig())
    assert (output == answer.velocity_int).all() and np.abs(output).max() > 100
    assert (hidden == answer.spikes[:, _kept(model)]).all() and answer.spikes.any()
