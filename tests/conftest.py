# SPDX-License-Identifier: Apache-2.0

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.command import main
from tests.designs import BUILD
from tests.networks import SHARED, random_tensors

# The files that take more than a minute, the longest first. A process takes a whole file. One that
# comes last leaves the other processes without work.
LONG = ("hw/test_networks.py", "sim/test_compiled.py", "sim/test_cocotb.py", "boards/test_all.py",
        "verify/test_mutations.py", "verify/test_gates.py")


def pytest_collection_modifyitems(items):
    folder = Path(__file__).parent
    ranks = {folder / name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path, len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def verilator_objects():
    """Compile Verilator's own sources once for all designs: most of the time of a build."""
    objects = BUILD / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    os.environ["SPIKEWRIGHT_OBJECTS"] = str(objects)
    os.environ["OBJCACHE"] = str(Path(__file__).parent / "sim" / "objects.sh")


@pytest.fixture
def shared():
    """Folder of the published networks, beside the repository."""
    if not (SHARED / "checkpoints").is_dir():
        pytest.skip("the published networks are not in ../shared")
    return SHARED


@pytest.fixture
def call_command(capsys):
    """Run the command in this process: exit status, standard output, standard error."""
    def call(*arguments):
        try:
            main([str(argument) for argument in arguments])
            status = 0
        except SystemExit as error:
            status = error.code or 0
        return status, *capsys.readouterr()
    return call


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with a checkpoint and a recording."""
    monkeypatch.chdir(tmp_path)
    save_file(random_tensors(0), "net.safetensors")
    rng = np.random.default_rng(0)
    np.savez("rec.npz", bin=np.arange(400), channel=rng.integers(0, 6, 400), n_bins=400,
             n_channels=6, dt=4e-3)
    return tmp_path
