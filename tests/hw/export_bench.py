# SPDX-License-Identifier: Apache-2.0
"""A model to export, and Icarus Verilog on its example."""

import shutil
import subprocess

import pytest

from spikewright.model.artefact import save_artefact
from spikewright.network.network import INPUT
from spikewright.quantize.compile import compile_network
from tests.networks import random_recording, tiny_network

__all__ = ["CORE", "save_example", "simulated"]

CORE = "spikewright_core"


def save_example(folder):
    """An artefact whose neurons fire in the example. Its second channel has no weights."""
    network = tiny_network(3, channels=6, hidden=9)
    next(p for p in network.projections if p.source == INPUT).weights[1] = 0
    model, network, facts = compile_network(network, name='a "model"',
                                            recording=random_recording(3, 6, 200))
    save_artefact(folder, model, network, facts)
    return folder


def simulated(folder, *files, status=0):
    """What Icarus Verilog prints of the example, which ends with ``status``."""
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed (Debian: apt install iverilog)")
    subprocess.run(["iverilog", "-g2012", "-Wall", "-o", "example", *files], cwd=folder, check=True,
                   capture_output=True)
    done = subprocess.run(["vvp", "-n", "example"], cwd=folder, check=False, text=True,
                          capture_output=True)
    assert done.returncode == status, done.stdout
    return done.stdout.splitlines()
