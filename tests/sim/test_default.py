# SPDX-License-Identifier: Apache-2.0
"""The default network and its recording, as committed, through every command."""

import shutil

import numpy as np
import pytest

from spikewright.command.commands import run_words
from tests.designs import BUILD, ROOT

CHECKPOINT = ROOT / "data" / "default.safetensors"
RECORDING = ROOT / "data" / "default_recording.npz"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("default") / "model"
    run_words(["quantize", str(CHECKPOINT), "-o", str(folder)])
    return folder


def test_default_answers_as_golden(model, tmp_path):
    for backend, name in (("golden", "golden.npz"), ("rtl", "sim.npz")):
        run_words(["run", str(model), str(RECORDING), "-o", str(tmp_path / name),
                   "--backend", backend, "--build", str(BUILD)])
    with np.load(tmp_path / "golden.npz") as want, np.load(tmp_path / "sim.npz") as have, \
            np.load(RECORDING) as recording:
        for key in want:
            assert np.array_equal(want[key], have[key]), key
        assert have["velocity"].shape == recording["velocity"].shape
        # Decoded, at the recording's own units: it is not noise that both agree on.
        error = have["velocity"] - recording["velocity"]
        assert 1 - (error ** 2).sum() / (recording["velocity"] ** 2).sum() > 0.8
        assert not have["saturated"].any()


@pytest.mark.parametrize("lanes", [4, 8])
def test_default_checks(model, capsys, lanes):
    run_words(["check", str(model), str(RECORDING), "--lanes", str(lanes),
               "--build", str(BUILD)])
    assert capsys.readouterr().out.startswith("10000 steps: 20000 outputs, ")


@pytest.mark.parametrize("simulator, steps", [("verilator", 500), ("icarus", 50)])
def test_default_on_verilog(model, capsys, simulator, steps):
    pytest.importorskip("cocotb", reason="cocotb is not installed (pip install -e '.[test]')")
    if simulator == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed (Debian: apt install iverilog)")
    run_words(["bench", str(model), str(RECORDING), "--simulator", simulator,
               "--steps", str(steps), "--build", str(BUILD)])
    assert capsys.readouterr().out == (f"{steps} steps, without and with stalls, equal golden "
                                       f"({simulator}, 4 lanes)\n")
