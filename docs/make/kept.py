# SPDX-License-Identifier: Apache-2.0
"""The builds whose reports the docs keep.

``python -m docs.make.kept [NAME..]`` makes them again; takes minutes for each.
"""

import json
import shutil
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from docs.make.tables import KEPT
from docs.make.vectors import unpack
from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.command.commands import run_words
from spikewright.command.parser import CommandParser, run_command

__all__ = ["BUILDS", "add_published", "rebuild"]

ROOT = Path(__file__).parents[2]

# By name: checkpoint, options of `spikewright quantize`, recording of the report, options of
# `spikewright build`. Without a recording, the report has simulated spikes. Paths are seen from the
# project's folder. Those in `published` are of the published networks and recordings, which are not
# shipped. A `vector` has a network and a recording, which the model is calibrated on.
BUILDS = ROOT / "docs" / "builds.json"


def rebuild(names: list[str], run: Callable[[list[str]], None], *, work: Path, kept: Path,
            published: Path, builds: Path = BUILDS) -> None:
    """Build every model of ``builds``, or those with ``names``, and keep the reports in ``kept``.

    Parameters
    ----------
    names : list of str
        All where empty.
    run : function of list of str
        Runs the words of a command, as `command.run_words`.
    work : Path
        Folder of models and bitstreams.
    kept : Path
        Folder of the reports.
    published : Path
        Folder that takes the place of `published` in the paths.

    Raises
    ------
    InputError
        If a name is unknown, or a file that a build needs is not there.
    """
    table = json.loads(Path(builds).read_text(encoding="utf-8"))
    unknown = sorted(set(names) - set(table))
    if unknown:
        raise InputError(f"Build must be one of {', '.join(table)}, not {unknown[0]!r}")
    chosen = names or list(table)
    for name in chosen:
        for key in {"checkpoint", "recording", "vector"} & table[name].keys():
            if not _found(table[name][key], published).is_file():
                raise InputError(f"File {table[name][key]} of build {name} must be there, not "
                                 f"missing: say with --published where the folder is")
    for number, name in enumerate(chosen, 1):
        entry = table[name]
        print(f"{number} of {len(chosen)}: {name}")
        model, output = work / name / "model", work / name / "board"
        files = {key: _found(entry[key], published)
                 for key in ("checkpoint", "recording") if key in entry}
        calibrate = []
        if "vector" in entry:
            files["checkpoint"], files["recording"] = unpack(_found(entry["vector"], published),
                                                             work / name)
            calibrate = ["--calibrate", str(files["recording"])]
        recording = ["--recording", str(files["recording"])] if "recording" in files else []
        run(["quantize", str(files["checkpoint"]), "-o", str(model), *calibrate,
             *entry.get("quantize", ())])
        run(["build", str(model), "-o", str(output), *recording, *entry["boards"]])
        with written_file(kept / f"{name}.json") as temporary:
            shutil.copy(output / "report.json", temporary)


def _found(path: str, published: Path) -> Path:
    """A path of the table. A folder ``published`` in front of it is replaced."""
    inside = path.removeprefix("published/")
    return ROOT / path if inside == path else published.resolve() / inside


def add_published(parser: ArgumentParser) -> None:
    """Add the folder of the published networks."""
    parser.add_argument("--published", type=Path, default=Path("published"), metavar="FOLDER",
                        help="folder of the published networks and recordings (default: "
                        "%(default)s)")


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.kept", description="Make the builds again "
                           "whose reports the docs keep. Each build takes minutes.")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="a build in docs/builds.json (default: all builds)")
    add_published(parser)
    arguments = parser.parse_args()
    rebuild(arguments.names, run_words, work=Path("build/kept"), kept=KEPT,
            published=arguments.published)


if __name__ == "__main__":
    run_command(_main)
