# SPDX-License-Identifier: Apache-2.0
"""Golden of graded networks, against a second form of the integers."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.plan.config import CoreConfig
from spikewright.quantize.graded.integer import quantize_graded
from tests.golden.plain_graded import plain_run
from tests.graded import graded_network, random_counts, recording_of

# Events of a channel in a step. With more than 0.3, the log of the windows would have no room.
RATES = (0.02, 0.1, 0.2)


@pytest.mark.parametrize("kind", ["ANN", "ANN_Flat"])
def test_golden_is_the_plain_form(kind):
    """100 random networks; some see more events than those that they were calibrated on."""
    flags = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        channels, hidden = int(rng.integers(1, 9)), rng.integers(1, 8, 2).tolist()
        network = graded_network(kind, seed, channels=channels, hidden=hidden,
                                 outputs=int(rng.integers(1, 4)))
        model = quantize_graded(
            network, recording_of(random_counts(seed, 200, channels, 0.02)), name="made",
            weight_bits=int(rng.integers(2, 9)), value_bits=int(rng.integers(6, 13)))
        counts, again = random_counts(seed + 1, 130, channels, rng.choice(RATES)), 75
        recording = replace(recording_of(counts), reset=np.arange(130) == again)
        answer = run_golden(model, recording, CoreConfig())
        wanted, saturated = plain_run(model, counts, (again,))
        assert np.array_equal(answer.velocity_int, wanted), seed
        assert np.array_equal(answer.saturated, saturated), seed
        flags.append(saturated.any())
    assert 5 < sum(flags) < 95
