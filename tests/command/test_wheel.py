# SPDX-License-Identifier: Apache-2.0
"""The wheel, installed into an environment of its own, in the folder of a user."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.designs import ROOT
from tests.networks import random_tensors
from tests.test_rooms import ROOMS

EXAMPLE = """
import json
import numpy as np
import spikewright as sw

network = sw.read("mine.safetensors")
model = sw.quantize(network, calibrate="day1.npz", weight_bits=6)
model.save("model")
answer = sw.run(sw.load("model"), "day1.npz")
with sw.Decoder.open("golden:", model) as decoder:
    first = decoder.step([0, 3, 3])
print(json.dumps({"velocity": answer.velocity.shape, "first": first.shape,
                  "made_by": model.facts["made_by"], "package": sw.__file__}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Python of an environment with the wheel, and with the packages that it needs from here."""
    folder = tmp_path_factory.mktemp("wheel")
    # Of a copy: a wheel leaves what it was made of in its source.
    source = folder / "source"
    for name in (*ROOMS, "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, source], capture_output=True, text=True, check=False)
    if "setuptools" in built.stderr and built.returncode:
        pytest.skip("setuptools is not installed")
    assert built.returncode == 0, built.stderr
    wheel, = folder.glob("spikewright-*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    site = Path(subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True).stdout.strip())
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                    "--disable-pip-version-check", "--target", site, wheel], check=True)
    names = {path.name for path in site.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} <= {"spikewright", "bin"}
    # A line that is a path adds it; the finder of an editable installation there is not started,
    # since only the .pth files of the environment's own folder are read.
    (site / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture
def folder(tmp_path):
    """A user's folder, with modules of names that the project has as well."""
    (tmp_path / "train.py").write_text("raise SystemExit('this is my train.py')\n")
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "__init__.py").write_text("raise SystemExit('this is my host')\n")
    save_file(random_tensors(0), tmp_path / "mine.safetensors")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "day1.npz", bin=np.arange(400), channel=rng.integers(0, 6, 400),
             n_bins=400, n_channels=6, dt=4e-3)
    return tmp_path


def _run(folder, *words):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_version_and_boards(python, folder):
    assert _run(folder, python, "-m", "spikewright", "--version").startswith("spikewright 0.")
    assert "(commit" not in _run(folder, python, "-m", "spikewright", "--version")
    assert "icebreaker " in _run(folder, python, "-m", "spikewright", "boards")


def test_every_command_shows_its_options(python, folder):
    from spikewright.command.commands import COMMANDS
    for name in COMMANDS:
        assert f"usage: spikewright {name} " in _run(folder, python, "-m", "spikewright", name,
                                                     "--help")


def test_api(python, folder):
    told = json.loads(_run(folder, python, "-c", EXAMPLE))
    assert (told["velocity"], told["first"]) == ([400, 2], [2])
    assert told["made_by"]["commit"] is None
    assert Path(told["package"]).is_relative_to(python.parents[1])
    assert (folder / "model" / "manifest.json").is_file()


def test_files_beside_the_code_are_installed(python, folder):
    _run(folder, python, "-m", "spikewright", "quantize", "mine.safetensors", "-o", "model")
    out = _run(folder, python, "-m", "spikewright", "verilog", "model", "-o", "verilog")
    assert out.startswith("-> verilog: ")
    assert len(list((folder / "verilog").iterdir())) >= 4
