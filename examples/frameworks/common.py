# SPDX-License-Identifier: Apache-2.0
"""What the export scripts share: spikes and weights of fixed seeds, and how files are written."""

import argparse
import sys
from pathlib import Path

import nir
import numpy as np

__all__ = ["CHANNELS", "DT", "NEURONS", "OUTPUTS", "STEPS", "input_spikes", "save", "weights"]

CHANNELS, NEURONS, OUTPUTS = 12, 16, 2
STEPS, DT = 200, 0.004  # seconds per step


def input_spikes() -> np.ndarray:
    """Spikes of the input, float32 (steps, channels): 50 Hz in each channel."""
    return (np.random.default_rng(1).random((STEPS, CHANNELS)) < 50 * DT).astype(np.float32)


def weights(targets: int, sources: int, mean: float = 0.1) -> np.ndarray:
    """Weights of one layer, float32 (targets, sources). The same sizes give the same weights."""
    rng = np.random.default_rng([targets, sources])
    return rng.normal(mean, 0.3, (targets, sources)).astype(np.float32)


def save(graph: nir.NIRGraph, spikes: dict[str, np.ndarray], velocity: np.ndarray) -> None:
    """Write graph.nir, recording.npz and expected.npz to the folder of the script.

    The script takes another folder as its argument.

    Parameters
    ----------
    graph : nir.NIRGraph
        What the framework exported.
    spikes : dict of str to ndarray, shape (steps, neurons)
        For each node that spikes, its spikes in the framework.
    velocity : ndarray, shape (steps, outputs)
        The outputs of the network in the framework.
    """
    parser = argparse.ArgumentParser(description="Write the files of this example.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(sys.argv[0]).parent,
                        help="where to write them (default: the folder of the script)")
    folder = parser.parse_args().folder
    step, channel = np.nonzero(input_spikes())
    nir.write(folder / "graph.nir", graph)
    np.savez_compressed(folder / "recording.npz", bin=step.astype(np.int32),
                        channel=channel.astype(np.int32), n_bins=STEPS, n_channels=CHANNELS, dt=DT)
    np.savez_compressed(folder / "expected.npz", velocity=np.asarray(velocity, np.float32), **{
        f"spikes_{name.replace('.', '_')}": np.asarray(fired, bool)
        for name, fired in spikes.items()})
