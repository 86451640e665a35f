# SPDX-License-Identifier: Apache-2.0
"""A hook of MkDocs: the rooms side by side as one package, which mkdocstrings reads.

The rooms are folders beside the package, and mkdocstrings reads source without an import, so it
would not find them.
"""

import tomllib
from pathlib import Path

__all__ = ["link_rooms", "on_startup"]

ROOT = Path(__file__).parents[2]
LINKS = ROOT / "build" / "package"      # `paths` in mkdocs.yml


def on_startup(**_: object) -> None:
    """Called by MkDocs before it builds."""
    link_rooms(LINKS)


def link_rooms(folder: Path) -> None:
    """Make ``folder/spikewright`` a package of links, with the rooms of pyproject.toml."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    package = folder / "spikewright"
    package.mkdir(parents=True, exist_ok=True)
    places = {name.removeprefix("spikewright."): ROOT / place
              for name, place in pyproject["tool"]["setuptools"]["package-dir"].items()}
    own = {path.name: path for path in places.pop("spikewright").iterdir()
           if path.suffix == ".py" or path.is_dir()}
    for name, path in (own | places).items():
        link = package / name
        if not link.is_symlink():
            link.symlink_to(path)
