# SPDX-License-Identifier: Apache-2.0
"""Integer models of small random hybrid networks."""

from spikewright.quantize.graded.hybrid import quantize_hybrid
from tests.graded import graded_network, random_counts, recording_of

__all__ = ["hybrid_model", "hybrid_network"]


def hybrid_network(seed, channels=6, **sizes):
    """A small network. Its phase and its reset depend on ``seed``."""
    return graded_network("sRTnet", seed, phase=seed % 2, reset=seed // 2 % 2, channels=channels,
                          **sizes)


def hybrid_model(seed, channels=6, value_bits=None, **sizes):
    """Its integers. By default, the bits of values depend on ``seed``, too."""
    recording = recording_of(random_counts(seed, 200, channels))
    return quantize_hybrid(hybrid_network(seed, channels, **sizes), recording,
                           name=f"hybrid {seed}",
                           value_bits=value_bits or (6 + seed % 3, 7 + seed % 4))
