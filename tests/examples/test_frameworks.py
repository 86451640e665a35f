# SPDX-License-Identifier: Apache-2.0
"""The networks of other frameworks in examples/frameworks, with the commands of their README."""

import importlib.util
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikewright.network.nir.options import FRAMEWORKS

h5py = pytest.importorskip("h5py", reason="NIR files are read with the packages of the extra 'nir'")

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "frameworks"
README = (FOLDER / "README.md").read_text()
BLOCKS = [[shlex.split(line) for line in block.replace("\\\n", "").splitlines()]
          for block in re.findall(r"\n```\n(.*?)```\n", README, re.DOTALL)]

# A command for each framework; the commands that check a model; those that make the files.
MODELS, CHECK, AGAIN = BLOCKS
COMMANDS = {command[2].split("/")[0]: command[1:] for command in MODELS}

# Steps by which the spikes of the framework come later than ours.
LATE = {"spyx": 1}

differences = runpy.run_path(str(FOLDER / "compare.py"))["differences"]


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A copy of the folder, to work in."""
    copy = tmp_path / "examples" / "frameworks"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(copy)
    return copy


def test_each_framework_has_a_command_and_four_files():
    assert list(COMMANDS) == list(FRAMEWORKS)
    for name in FRAMEWORKS:
        assert {path.name for path in (FOLDER / name).iterdir()} - {"__pycache__"} == {
            "export.py", "graph.nir", "recording.npz", "expected.npz"}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_graph_gives_what_the_framework_gave(name, there, call_command):
    status, _, err = call_command(*COMMANDS[name], "--no-retime")
    assert (status, "assumed" in err) == (0, False)
    status, *_ = call_command("run", f"../../build/{name}", f"{name}/recording.npz", "-o",
                              "out.npz", "--backend", "float")
    assert status == 0
    found = differences("out.npz", f"{name}/expected.npz", LATE.get(name, 0))
    assert len(found) >= 2 and {key: count for key, (count, _) in found.items() if count} == {}
    with np.load(f"{name}/expected.npz") as file:
        assert all(file[key].sum() > 50 for key in file if key != "velocity")


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_command_makes_a_model_that_runs(name, there, call_command):
    assert call_command(*COMMANDS[name])[0] == 0
    answers = {}
    for backend in ("float", "golden"):
        assert call_command("run", f"../../build/{name}", f"{name}/recording.npz", "-o",
                            f"{backend}.npz", "--backend", backend)[0] == 0
        with np.load(f"{backend}.npz") as file:
            answers[backend] = file["velocity"], file["spikes"]
    a, b = (answers[backend][0].ravel() for backend in answers)
    assert np.corrcoef(a, b)[0, 1] > 0.9
    assert np.mean(answers["float"][1] == answers["golden"][1]) > 0.97


def test_commands_that_check_a_model(there, call_command):
    for command in CHECK[:-1]:
        assert call_command(*command[1:])[0] == 0
    done = subprocess.run([sys.executable, *CHECK[-1][1:]], text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "spikes_1: 0 values differ" in README
    assert re.fullmatch("velocity: 0 values differ, by at most .*\n"
                        "spikes_1: 0 values differ, by at most 0\n", done.stdout)


def test_differences_are_counted(tmp_path):
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    np.savez(a, spikes_x=np.array([[1, 0], [0, 1], [1, 1]], bool), velocity=np.zeros((3, 1)))
    np.savez(b, spikes_x=np.array([[0, 0], [1, 0], [0, 0]], bool), velocity=np.full((3, 1), 2e-6))
    assert differences(a, b) == {"spikes_x": (5, 1.0), "velocity": (0, 2e-6)}
    assert differences(a, b, late=1) == {"spikes_x": (1, 1.0), "velocity": (0, 2e-6)}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_export_makes_the_same_files(name, tmp_path):
    """Spikes, and the graph but for the order of its edges, are the same; outputs are float32."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    subprocess.run([sys.executable, FOLDER / name / "export.py", tmp_path], check=True)
    for file in ("recording.npz", "expected.npz"):
        found = differences(tmp_path / file, FOLDER / name / file)
        assert {key: count for key, (count, _) in found.items() if count} == {}
    assert _content(tmp_path / "graph.nir") == _content(FOLDER / name / "graph.nir")


def test_script_that_makes_files_again_is_there():
    assert AGAIN[1][0] == "python" and (FOLDER / AGAIN[1][1]).is_file()
    for name in FRAMEWORKS:
        assert f"{name} " in (FOLDER / name / "export.py").read_text().split('"""')[1]


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_page_exports_as_the_script_does(name):
    """The calls of the table in docs/howto/nir.md, but for the case of names."""
    page = (ROOT / "docs" / "howto" / "nir.md").read_text()
    call = re.search(rf"`({name}[\w.]*)\.(\w+)(\(net.*?\))` \|", page)
    module, function, arguments = call.groups()
    script = (FOLDER / name / "export.py").read_text()
    assert f"from {module} import {function}\n" in script
    assert f"graph = {function}{arguments}" in script.replace("CHANNELS", "channels").replace(
        "DT", "dt").replace("OUTPUTS", "outputs")


def _content(path):
    """All values of a NIR file by their place, but for the version of the package nir."""
    found = {}

    def keep(place, item):
        if isinstance(item, h5py.Dataset) and place != "version":
            values = None if item.shape is None else np.asarray(item[()]).tolist()
            found[place] = sorted(values) if place.endswith("edges") else values

    with h5py.File(path) as file:
        file.visititems(keep)
    return found
