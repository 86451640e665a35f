# SPDX-License-Identifier: Apache-2.0
"""A session of ``spikewright live`` becomes a recording, also after a crash."""

import json

import numpy as np
import pytest

from spikewright.record.importer import import_recording
from tests.networks import refused

FACTS = {"format": "spikewright live 1", "dt": 0.004, "channels": 3, "source": "udp:127.0.0.1:9000",
         "model_hash": "0123456789abcdef0123"}


def written(path, *lines, cut=""):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + cut)
    return path


def test_a_session(tmp_path):
    path = written(
        tmp_path / "a.jsonl", FACTS, {"step": 0, "spikes": [2, 0, 2], "reset": True},
        {"step": 1, "spikes": [], "truth": [1.5, None]}, {"lost": 1}, FACTS | {"model": "other"},
        {"step": 3, "spikes": [1], "truth": [2, 3], "reset": True}, cut='{"step": 4, "spi')
    arrays = import_recording(path, 0.004)
    assert {key: value.tolist() for key, value in arrays.items() if key != "velocity"} == {
        "bin": [0, 0, 0, 3], "channel": [0, 2, 2, 1], "n_bins": 4, "n_channels": 3, "dt": 0.004,
        "trial_start_bin": [0, 3],
        "source": "a.jsonl: decoded live from udp:127.0.0.1:9000 by model 0123456789abcdef"}
    assert np.array_equal(arrays["velocity"], [[np.nan] * 2, [1.5, np.nan], [np.nan] * 2, [2, 3]],
                          equal_nan=True)


@pytest.mark.parametrize("lines, dt, message", [
    ([{"step": 0}], 0.004,
     "{path} must begin with a line of the format 'spikewright live 1', not with another"),
    ([FACTS, {"step": 0}], 0.004,
     "{path} must have the keys of a session in each line, not others: KeyError('spikes')"),
    ([FACTS, {"step": 0, "spikes": [10 ** 400]}], 0.004,
     ("{path} must have the keys of a session in each line, not others: "
      "OverflowError('Python int too large to convert to C long')")),
    ([FACTS], 0.01, "Step of a.jsonl must be 0.004 s, as it was recorded, not 0.01 s"),
    ([FACTS], 0.004, "{path} must have steps, not none"),
    ([FACTS, [1]], 0.004, "{path} line 2 must be JSON of a session, not b'[1]\\n'"),
    ([FACTS, {"step": -1, "spikes": []}], 0.004,
     "{path} line 2 step must be between 0 and 134217727, not -1")])
def test_another_file(tmp_path, lines, dt, message):
    path = written(tmp_path / "a.jsonl", *lines)
    with refused(message.format(path=path)):
        import_recording(path, dt)
