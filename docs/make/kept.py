# SPDX-License-Identifier: Apache-2.0
"""The builds whose reports the docs keep: made again by one command."""

import json
import shutil
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.files import written_file

__all__ = ["BUILDS", "rebuild"]

ROOT = Path(__file__).parents[2]

# By name: checkpoint, options of `quantize build`, recording of the report, options of
# `boards build`. Paths are seen from the project's folder.
BUILDS = ROOT / "docs" / "builds.json"


def rebuild(names: list[str], commands, *, work: Path, kept: Path, builds: Path = BUILDS) -> None:
    """Build every model of ``builds``, or those with ``names``, and keep the reports in ``kept``.

    Parameters
    ----------
    names : list of str
        All where empty.
    commands : tuple of callable
        The commands ``quantize`` and ``boards``; each takes a list of str.
    work : Path
        Folder of models and bitstreams.

    Raises
    ------
    InputError
        If a name is unknown, or a file that a build needs is not there.
    """
    quantize, boards = commands
    table = json.loads(Path(builds).read_text())
    unknown = sorted(set(names) - set(table))
    if unknown:
        raise InputError(f"Build must be one of {', '.join(table)}, not {unknown[0]!r}")
    chosen = names or list(table)
    for name in chosen:
        for key in ("checkpoint", "recording"):
            if not (ROOT / table[name][key]).is_file():
                raise InputError(f"Build {name} needs {table[name][key]}, which is not there")
    for number, name in enumerate(chosen, 1):
        entry = table[name]
        print(f"{number} of {len(chosen)}: {name}")
        model, output = work / name / "model", work / name / "board"
        quantize(["build", str(ROOT / entry["checkpoint"]), "-o", str(model),
                  *entry.get("quantize", ())])
        boards(["build", str(model), "-o", str(output),
                "--recording", str(ROOT / entry["recording"]), *entry["boards"]])
        with written_file(kept / f"{name}.json") as temporary:
            shutil.copy(output / "report.json", temporary)
