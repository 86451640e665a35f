# SPDX-License-Identifier: Apache-2.0
"""A recording is decoded chunk by chunk: the same values, in the same memory."""

import json
import subprocess
import sys

import numpy as np
import pytest

from spikewright.train.reaches import Units, simulate
from spikewright.train.recording import dense
from tests.networks import make_recording

torch = pytest.importorskip("torch", reason="torch is not installed")

from spikewright.train.fitting import predict as module  # noqa: E402  # they need torch
from spikewright.train.fitting.model import TinyRSNN  # noqa: E402
from spikewright.train.fitting.predict import predict  # noqa: E402


@pytest.mark.parametrize("time", ["published", "earliest"])
@pytest.mark.parametrize("chunk", [1, 3, 100, 299, 300])
def test_chunks_do_not_matter(monkeypatch, time, chunk):
    recording = simulate(n_bins=600, seed=1, units=Units(channels=20), trials=2)
    torch.manual_seed(1)
    model = TinyRSNN(20, 16, 2, time=time, offset=[5.0, -3.0])
    with torch.no_grad():
        model.con1.op.weight.normal_(std=2)
        whole = model(torch.from_numpy(dense(recording.cut(0, 200)))[:, None].float())
    monkeypatch.setattr(module, "CHUNK", chunk)
    output, hidden = predict(model, recording.cut(0, 200))
    assert hidden.any() and (hidden == (whole[1][:, 0] > 0).numpy()).all()
    np.testing.assert_allclose(output, whole[0][:, 0].double() + torch.tensor([5.0, -3.0]),
                               rtol=1e-5, atol=1e-6)


def test_dense_counts():
    recording = make_recording([[1, 0, 1], [], [2] * 300, [0]], channels=3)
    spikes = dense(recording)
    assert spikes.dtype == np.uint8
    assert spikes.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 255], [1, 0, 0]]


HOUR = """
import json, resource
import numpy as np, torch
from spikewright.network.recording import Recording
from spikewright.train.fitting.model import TinyRSNN
from spikewright.train.fitting.predict import predict
channel = np.random.default_rng(1).integers(96, size=900_000)
recording = Recording(name="hour", channel=channel, start=np.arange(900_001), channels=96,
                      dt=0.004, reset=np.zeros(900_000, bool))
model = TinyRSNN(96, 64, 2, time="earliest")
most = []
for steps in (90_000, 900_000):
    sizes = [part.nbytes for part in predict(model, recording.head(steps))]
    most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
print(json.dumps([most, sizes]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is another here")
def test_memory_of_an_hour():
    """900,000 steps take no more memory than 90,000, apart from the result and its events."""
    told = subprocess.run([sys.executable, "-c", HOUR], check=True, capture_output=True, text=True)
    (few, many), sizes = json.loads(told.stdout)
    assert sizes == [900_000 * 2 * 8, 900_000 * 64]
    assert many - few < 1.1 * sum(sizes) + 10e6
    print(f"{(many - few) / 810_000:.0f} bytes a step")
