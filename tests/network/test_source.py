# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from spikewright.network.checkpoint import checkpoint_hash
from spikewright.network.metrics import correlation, r_squared, unit_scale
from spikewright.network.source import DEFAULT_SHA256, is_default, read_source
from tests.designs import ROOT
from tests.networks import refused, tiny_network


def save(path, **more):
    np.savez(path, bin=[0, 3], channel=[1, 0], n_bins=4, n_channels=6, dt=4e-3, **more)
    return path


def test_source_says_what_the_file_says(tmp_path):
    network = tiny_network(1)
    source = read_source(save(tmp_path / "a.npz", source="simulated: by hand"), network)
    assert (source.simulated, source.synthetic) == (False, True)
    assert not read_source(save(tmp_path / "b.npz", source="a monkey"), network).synthetic
    assert read_source(None, network).simulated and read_source(None, network).synthetic


def test_velocity_of_other_axes_is_refused(tmp_path):
    path = save(tmp_path / "a.npz", velocity=np.zeros((4, 3)))
    with refused("Recording a.npz velocity must have 2 axes, as the network decodes, not 3"):
        read_source(path, tiny_network(1))


@pytest.mark.parametrize("score", [r_squared, correlation, unit_scale])
def test_scores_pass_over_gaps(score):
    rng = np.random.default_rng(1)
    wanted, given = rng.normal(size=(2, 50, 2))
    given += wanted
    gaps = wanted.copy()
    gaps[[3, 20], 0] = np.nan
    rest = np.delete(np.arange(50), [3, 20])
    assert np.array_equal(score(gaps, given), score(wanted[rest], given[rest]))
    score(np.full((50, 2), np.nan), given)


def test_default_is_known_without_its_file():
    assert checkpoint_hash(ROOT / "data" / "default.safetensors") == DEFAULT_SHA256
    assert is_default({"checkpoint": {"file": "any", "sha256": DEFAULT_SHA256}})
    assert not is_default({"checkpoint": {"file": "default.safetensors", "sha256": "00"}})
    assert not is_default({})
