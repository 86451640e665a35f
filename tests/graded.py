# SPDX-License-Identifier: Apache-2.0
"""State dicts of small random graded networks, as their training code writes them."""

import numpy as np

from spikewright.network.graded.network import GradedNetwork
from spikewright.network.recording import Recording, recording_of_counts
from spikewright.network.state_dicts.neurobench_ann import ann_network
from spikewright.network.state_dicts.neurobench_snn_flat import snn_flat_network
from spikewright.network.state_dicts.srtnet import srtnet_network
from tests.networks import make_recording

__all__ = ["KINDS", "ann_tensors", "every_input", "graded_network", "graded_tensors",
           "random_counts", "recording_of", "snn_flat_tensors", "srtnet_tensors"]

KINDS = ("ANN", "ANN_Flat", "SNN_Flat", "sRTnet")


def _matrix(rng, targets, sources, gain=1.0):
    return gain * rng.uniform(-1, 1, (targets, sources)) * np.sqrt(3 / sources)


def ann_tensors(seed, channels=6, hidden=(5, 4), outputs=2, flat=False):
    """The tensors of an ANN, or of an ANN_Flat. One unit was silent in training."""
    rng = np.random.default_rng(seed)
    sizes = (channels * (7 if flat else 1), *hidden, outputs)
    tensors = {}
    for k, (sources, targets) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), 1):
        tensors[f"fc{k}.weight"] = _matrix(rng, targets, sources)
        tensors[f"fc{k}.bias"] = rng.uniform(-1, 1, targets)
    for k, size in enumerate(hidden, 1):
        variance = rng.uniform(0.2, 2, size)
        variance[0] = 0
        tensors |= {f"batchnorm{k}.weight": rng.normal(1, 0.2, size),
                    f"batchnorm{k}.bias": rng.normal(0, 0.2, size),
                    f"batchnorm{k}.running_mean": rng.uniform(0.1, 1, size),
                    f"batchnorm{k}.running_var": variance,
                    f"batchnorm{k}.num_batches_tracked": np.array(7.0)}
    return tensors


def snn_flat_tensors(seed, channels=6, hidden=(5, 4)):
    """The tensors of an SNN_Flat with lively neurons."""
    rng = np.random.default_rng(seed)
    sizes = (channels, *hidden, 2)
    tensors = {"v_x": rng.normal(size=1), "v_y": rng.normal(size=1),
               "norm_layer.weight": rng.normal(1, 0.1, (7, channels)),
               "norm_layer.bias": rng.normal(0, 0.05, (7, channels))}
    for k, (sources, targets) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), 1):
        tensors |= {f"fc{k}.weight": _matrix(rng, targets, sources),
                    f"fc{k}.bias": rng.uniform(-0.1, 0.1, targets),
                    f"lif{k}.beta": rng.uniform(0.4, 0.9, ()),
                    f"lif{k}.threshold": rng.uniform(0.1, 0.5, ()),
                    f"lif{k}.graded_spikes_factor": np.array(1.0),
                    f"lif{k}.reset_mechanism_val": np.array(2.0 if k == 3 else 0.0)}
    return tensors


def srtnet_tensors(seed, channels=6, features=(5, 4), taps=(3, 4), hidden=(6, 5), outputs=2,
                   reset=1, phase=1):
    """The tensors of a hybrid network with lively neurons. ``reset`` is 0 subtract, 1 zero."""
    rng = np.random.default_rng(seed)
    (f, g), (h, j) = features, hidden
    tensors = {
        "conv1.weight": _matrix(rng, f * channels, taps[0]).reshape(f, channels, -1),
        "conv1.bias": rng.uniform(-0.3, 0.3, f),
        "conv2.weight": _matrix(rng, g * f, taps[1], 0.5).reshape(g, f, -1),
        "conv2.bias": rng.uniform(-0.3, 0.3, g),
        "fc3.weight": _matrix(rng, outputs, j), "fc3.bias": rng.uniform(-0.1, 0.1, outputs),
        "mean": rng.normal(size=outputs), "sd": rng.uniform(0.1, 2, outputs),
        "phase": np.array(float(phase))}
    for k, (sources, targets) in enumerate(((g, h), (h, j)), 1):
        tensors |= {f"fc{k}.weight": _matrix(rng, targets, sources),
                    f"fc{k}.bias": rng.uniform(-0.2, 0.2, targets),
                    f"lif{k}.recurrent.weight": _matrix(rng, targets, targets),
                    f"lif{k}.beta": rng.uniform(0.5, 0.95, targets),
                    f"lif{k}.threshold": rng.uniform(0.6, 1.4, targets),
                    f"lif{k}.reset_mechanism_val": np.array(float(reset))}
    return tensors


def graded_tensors(kind, seed, **sizes):
    """The tensors of a random network of one of ``KINDS``."""
    if kind in ("ANN", "ANN_Flat"):
        flat = kind == "ANN_Flat"
        return ann_tensors(seed, flat=flat, **sizes) | {"parts": np.array(7.0 if flat else 1.0)}
    return {"SNN_Flat": snn_flat_tensors, "sRTnet": srtnet_tensors}[kind](seed, **sizes)


def graded_network(kind: str, seed: int, dt: float = 4e-3, **sizes) -> GradedNetwork:
    """A random network of one of ``KINDS``."""
    build = {"SNN_Flat": snn_flat_network, "sRTnet": srtnet_network}.get(kind, ann_network)
    return build(graded_tensors(kind, seed, **sizes), dt)


def random_counts(seed, steps, channels, rate=0.3):
    """Counts of random events, int64 (steps, channels), several of a channel in a step too."""
    return np.random.default_rng(seed).poisson(rate, (steps, channels))


def recording_of(counts, dt=4e-3) -> Recording:
    """A recording of ``counts`` without a reset."""
    return recording_of_counts(np.asarray(counts), dt, "made")


def every_input(channels, steps):
    """Each channel in each of the first steps, silence, a full log, and spikes of every rate."""
    rng = np.random.default_rng(channels)
    quiet, every = [[]] * 120, [list(range(channels))] * 120
    one  = [[0] * 20] * 70          # counts of 140 in one row
    full = [rng.integers(0, channels, 8 * channels).tolist() for _ in range(60)]
    rates = np.repeat(rng.gamma(1, 1, steps // 200 + 1), 200)
    spikes = [rng.integers(0, channels, count).tolist() for count in rng.poisson(rates)]
    events = [*every[:60], *quiet, *one, *full, *every, *spikes][:steps]
    return make_recording(events, channels, reset=[0, 60, 260, 290, steps // 2])
