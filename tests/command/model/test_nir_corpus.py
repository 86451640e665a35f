# SPDX-License-Identifier: Apache-2.0
"""NIR graphs from the command line to the spikes of their frameworks."""

import numpy as np
import pytest

from tests.network.nir.corpus import NAMES, Entry, needs_corpus

pytest.importorskip("h5py", reason="NIR files are read with the packages of the extra 'nir'")


def _words(entry):
    """The options of a graph as they are typed."""
    given = entry.meta["options"]
    words = ["--dt", given["dt"]]
    for key, value in given["defaults"].items():
        words += [f"--{key.replace('_', '-')}", value]
    for name, answers in given.get("nodes", {}).items():
        pairs = ",".join(f"{key}={value}" for key, value in answers.items())
        words += ["--node", f"{name}:{pairs}"]
    return words


@needs_corpus
@pytest.mark.parametrize("name", NAMES)
def test_float_form_has_the_spikes_of_the_framework(here, call_command, name):
    entry = Entry(name)
    given = entry.arrays["input"].reshape(len(entry.arrays["input"]), -1).astype(int)
    step, channel = np.nonzero(given)
    np.savez("spikes.npz", bin=step, channel=channel, count=given[step, channel],
             n_bins=len(given), n_channels=given.shape[1], dt=entry.meta["options"]["dt"])
    status, _, err = call_command("quantize", entry.path, "-o", "model", "--no-retime",
                                  "--calibrate", "spikes.npz", *_words(entry))
    assert status == 0, err
    assert call_command("run", "model", "spikes.npz", "-o", "out.npz", "--backend",
                        "float")[0] == 0
    with np.load("out.npz") as answer:
        for key in entry.meta["keys"].values():
            if f"spikes_{key}" not in entry.arrays:
                # A readout: its membrane is what the network decodes.
                kept = entry.arrays[f"membrane_{key}"]
                assert np.allclose(answer["velocity"], kept, rtol=1e-5, atol=1e-4)
                continue
            spikes, expected = answer[f"spikes_{key}"], entry.arrays[f"spikes_{key}"]
            late = entry.source_delay
            expected = expected.reshape(spikes.shape).astype(bool)
            assert np.array_equal(spikes[:len(spikes) - late], expected[late:])
