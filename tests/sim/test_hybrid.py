# SPDX-License-Identifier: Apache-2.0
"""The hybrid network in compiled RTL against golden, every value and every cycle.

There is one random network, or as many as ``SPIKEWRIGHT_NETWORKS`` says, 100 at most. The first 15
have all formats of tables, each with 1, 2, 3, 4 and 17 lanes. Bitmap tables have 8 and 16 in place
of 3 and 17.
"""

import os

import numpy as np
import pytest

from tests.designs import equal_answer
from tests.graded import random_counts, recording_of
from tests.hybrid import hybrid_model

NETWORKS = min(int(os.environ.get("SPIKEWRIGHT_NETWORKS", "1")), 100)


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_compiled_hybrid_equals_golden(seed):
    """Resets in every phase, silence, a flood that the log has no room for, saturated values."""
    model = hybrid_model(seed)
    counts = np.concatenate([random_counts(seed + 100, 300, 6, rate=0.5), np.zeros((40, 6), int),
                             np.full((40, 6), 3), random_counts(seed, 40, 6)])
    recording = recording_of(counts)
    recording.reset[[33, 100, 101, 203, 390]] = True
    tables = ("dense", "bitmap", "rows")[seed // 5 % 3]
    lanes = ((4, 1, 2, 8, 16) if tables == "bitmap" else (4, 1, 2, 3, 17))[seed % 5]
    answer = equal_answer(model, recording, lanes, tables=tables)
    assert answer.saturated.any() and answer.spikes.any() and (answer.values < 0).any()
    assert len(np.unique(answer.cycles)) > 10
