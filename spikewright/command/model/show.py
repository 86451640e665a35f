# SPDX-License-Identifier: Apache-2.0
"""``spikewright show``: print what a file or a folder of Spikewright has."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from spikewright.base.errors import InputError

__all__ = ["add", "run"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("path", type=Path, metavar="PATH", help="folder of a model, of a build or "
                        "of an accuracy ladder, or the file ladder.json, or an .npz file: a "
                        "recording, or the answer to one")


def run(arguments: Namespace) -> None:
    """Print the contents of the path."""
    path = arguments.path
    if path.suffix == ".npz" and path.is_file():
        from ..arrays import array_rows
        return print("\n".join(array_rows(path)))
    if path.suffix == ".json" and path.is_file():
        path, kind = path.parent, path.name
        if kind not in ("manifest.json", "report.json"):
            return _ladder(arguments.path)
    else:
        kind = next((name for name in ("manifest.json", "report.json", "ladder.json")
                     if (path / name).is_file()), "")
    if kind == "manifest.json":
        from spikewright.model.artefact import load_artefact
        from spikewright.model.summary import summary

        from ..costs import cost_rows
        model, manifest = load_artefact(path)
        print(summary(manifest, cost_rows(model)))
    elif kind == "report.json":
        from spikewright.report.report import Report
        print(Report.load(path))
    elif kind:
        _ladder(path / kind)
    else:
        raise InputError("Path must be a folder with manifest.json, report.json or ladder.json, "
                         f"or a ladder.json or an .npz file, not {str(path)!r}")
    return None


def _ladder(path: Path) -> None:
    from spikewright.verify.ladder.table import load_ladder, text
    print(text(load_ladder(path)))
