# SPDX-License-Identifier: Apache-2.0
"""The rooms of the project: what may import what, how full they are, and that all are installed."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Lowest first: a room imports from itself and from those before it.
ROOMS = ("base", "network", "record", "model", "quantize", "plan", "golden", "hw", "sim", "report",
         "boards", "host", "live", "train", "verify", "spikewright")

# A folder of more files is several rooms.
MOST_FILES = 14


def _files(room):
    return sorted((ROOT / room).rglob("*.py"))


def _imports(path):
    """Absolute names of the modules that a file imports."""
    inside = path.relative_to(ROOT).with_suffix("").parts
    package = ["spikewright", *inside[inside[0] == "spikewright":-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _room(module):
    """The room of a module of the project; None where it is of another."""
    parts = module.split(".")
    if parts[0] != "spikewright":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "spikewright"


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down(room):
    above = set(ROOMS[ROOMS.index(room) + 1:])
    wrong = {f"{path.relative_to(ROOT)}: {module}" for path in _files(room)
             for module in _imports(path)
             if _room(module) in above and module != "spikewright"}
    assert not wrong
    assert not {f"{path.relative_to(ROOT)}: {module}" for path in _files(room)
                for module in _imports(path) if module.split(".")[0] in ("docs", "tests")}


def test_import_that_points_up_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.test_rooms.ROOT", tmp_path)
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "a.py").write_text(
        "import os\nfrom spikewright.hw import core\nfrom .b import c\n"
        "from spikewright import api\n")
    assert [_room(module) for module in _imports(tmp_path / "plan" / "a.py")] == [
        None, "hw", "hw", "plan", "plan", "spikewright", "spikewright"]


def test_every_import_within_a_room_is_relative():
    wrong = {f"{path.relative_to(ROOT)}: {node.module}" for room in ROOMS[:-1]
             for path in _files(room) for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.ImportFrom) and not node.level
             and _room(node.module) == room}
    assert not wrong


def test_no_path_of_imports_is_changed():
    for folder in (*ROOMS, "docs", "tests"):
        for path in _files(folder):
            if path != Path(__file__):
                assert "sys.path" not in path.read_text(), path


def test_no_room_is_too_full():
    for room in (*ROOMS, "docs"):
        for folder in {path.parent for path in _files(room)}:
            files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            assert len(files) <= MOST_FILES, folder


def test_every_room_is_installed():
    """The packages of pyproject.toml are the folders that there are."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for room in ROOMS
               for path in (ROOT / room).rglob("__init__.py")}
    there = {".".join(folder.parts if folder.parts[0] == "spikewright"
                      else ("spikewright", *folder.parts)) for folder in folders}
    assert set(tool["packages"]) == there
    assert tool["package-dir"] == {
        "spikewright" if room == "spikewright" else f"spikewright.{room}": room for room in ROOMS}


def test_every_file_of_a_package_is_installed():
    """What is no Python goes along, where pyproject.toml says so."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix != ".py" and path.parent.name != "__pycache__":
                parts = path.relative_to(ROOT).parts
                holders = [(".".join(("spikewright", *parts[:k])[room == "spikewright":]),
                            Path(*parts[k:])) for k in range(1, len(parts))]
                assert any(rest.match(pattern) and len(rest.parts) == len(Path(pattern).parts)
                           for package, rest in holders
                           for pattern in tool["package-data"].get(package, ())), path


def test_every_room_has_tests_of_its_own():
    assert all((ROOT / "tests" / room).is_dir() for room in ROOMS[:-1])
