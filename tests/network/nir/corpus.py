# SPDX-License-Identifier: Apache-2.0
"""Graphs with the spikes that their frameworks give, from ../shared, and how they are run."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import Reading, read_nir
from spikewright.network.recording import Recording, recording_of_counts
from spikewright.network.reference import run_reference
from tests.networks import SHARED

__all__ = ["CORPUS", "NAMES", "NIR", "OF_RESET", "Entry", "dense_recording", "needs_corpus"]

NIR = SHARED / "nir"
CORPUS = NIR / "corpus"
NAMES = sorted(path.parent.name for path in CORPUS.glob("*/meta.json"))

# A graph of each reset. The one of snn-leaky has readouts, without a reset, too.
OF_RESET = ["snn-synaptic-zero", "norse-lif-cuba", "snn-leaky-readout-none", "sinabs-lif-expleak"]

needs_corpus = pytest.mark.skipif(not NAMES, reason="the NIR graphs are not in ../shared")


def dense_recording(counts: np.ndarray, dt: float) -> Recording:
    """A recording with ``counts[t]`` spikes of each channel in step t."""
    return recording_of_counts(counts.reshape(len(counts), -1).astype(np.int64), dt, "dense")


class Entry:
    """One graph of the corpus, with the options of its meta.json."""

    def __init__(self, name: str) -> None:
        self.path = CORPUS / name / "graph.nir"
        self.meta = json.loads((CORPUS / name / "meta.json").read_text())
        given = self.meta["options"]
        self.options = Options(dt=given["dt"], answers=given["defaults"],
                               nodes=given.get("nodes", {}))
        self.source_delay = given["defaults"].get("source_delay", 0)
        with np.load(CORPUS / name / "ref.npz") as file:
            self.arrays = dict(file)

    @functools.cached_property
    def reading(self) -> Reading:
        return read_nir(self.path, self.options)

    @property
    def recording(self) -> Recording:
        return dense_recording(self.arrays["input"], self.reading.network.dt)

    def repeated(self, steps):
        """The input of the graph again and again, in trials of at most 1,250 steps."""
        counts = self.arrays["input"]
        again = -(-steps // len(counts))
        counts = np.tile(counts, (again, *(1 for _ in counts.shape[1:])))[:steps]
        recording = dense_recording(counts, self.reading.network.dt)
        reset = recording.reset.copy()
        reset[::1250] = True
        return dataclasses.replace(recording, reset=reset)

    def answers(self, network, names=None):
        """For each node: spikes and membranes of ``network`` and of its framework.

        They are in the time and the units of the framework. ``names`` has other names of
        populations.
        """
        keys = self.meta["keys"]
        called = {node: (names or {}).get(node, node) for node in keys}
        trace = run_reference(network, self.recording, watch=called.values())
        for node, key in keys.items():
            population = network.population(called[node])
            membrane = trace.membrane[called[node]]
            spikes = np.zeros(membrane.shape, bool)
            if population.spiking:
                spikes = trace.spikes[:, network.spike_columns[called[node]]]
                if self.meta["membrane"] == "after reset":
                    membrane = _after_reset(population, membrane, spikes)
            late = np.vstack([np.zeros((self.source_delay, spikes.shape[1]), bool), spikes])
            expected = self.arrays.get(f"spikes_{key}", np.zeros(spikes.shape))
            kept = self.arrays[f"membrane_{key}"]
            yield (node, late[:len(spikes)], expected.reshape(spikes.shape),
                   membrane[:len(kept)] + self.reading.origins[node],
                   kept.reshape(len(kept), -1))


def _after_reset(population, membrane, spikes):
    if population.reset == "zero_keep":
        return np.where(spikes, 0, membrane)
    return membrane - np.where(spikes, population.threshold * (
        population.reset == "subtract_same"), 0)
