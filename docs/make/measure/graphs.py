# SPDX-License-Identifier: Apache-2.0
"""What 8 bits cost NIR graphs of several frameworks, beside what half precision costs them.

``python -m docs.make.measure.graphs FOLDER`` prints the table of docs/graphs.md. FOLDER has a
folder for each graph, with ``graph.nir``, ``meta.json`` and ``ref.npz``.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from spikewright.base.cache import cache_folder
from spikewright.base.errors import InputError
from spikewright.command.parser import CommandParser, run_command
from spikewright.golden.run import Answer, run_golden
from spikewright.network.metrics import r_squared, spike_agreement
from spikewright.network.network import Network
from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import read_nir
from spikewright.network.recording import Recording, recording_of_counts
from spikewright.network.reference import run_reference
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.report.markdown import digits, markdown
from spikewright.sim.compiled import run_compiled

__all__ = ["row_of"]

STEPS, TRIAL = 5000, 1250
CONFIG = CoreConfig(tables="smallest")
FIELDS = ("velocity_int", "spikes", "cycles", "latency", "saturated")


def row_of(folder: Path) -> tuple[str, ...]:
    """The row of one graph.

    Raises
    ------
    InputError
        If the graph cannot be read, or the core differs from golden.
    """
    options = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["options"]
    reading = read_nir(folder / "graph.nir", Options(
        dt=options["dt"], answers=options["defaults"], nodes=options.get("nodes", {})))
    recording = _recording(np.load(folder / "ref.npz")["input"], reading.network.dt)
    model, network, _ = compile_network(reading.network, name=folder.name, recording=recording)
    golden = run_golden(model, recording, CONFIG)
    core = run_compiled(Plan(model=model, config=CONFIG), recording, cache_folder(None))
    different = [name for name in FIELDS
                 if not np.array_equal(getattr(core, name), getattr(golden, name))]
    if different:
        raise InputError(f"Core of {folder.name} must equal golden, not differ in "
                         f"{', '.join(different)}")
    single = run_reference(network, recording, np.float32)
    half = run_reference(network, recording, np.float16)
    return (folder.name, _resets(network),
            *(digits(_fidelity(single.velocity, other.velocity)) for other in (golden, half)),
            *(digits(spike_agreement(single.spikes, other.spikes)) for other in (golden, half)),
            f"{_remembered(network, recording):.1%}", f"{STEPS:,} steps", _cycles(golden))


def _recording(counts: np.ndarray, dt: float) -> Recording:
    """The input of a graph again and again, in trials of ``TRIAL`` steps."""
    counts = counts.reshape(len(counts), -1).astype(np.int64)
    counts = np.tile(counts, (-(-STEPS // len(counts)), 1))[:STEPS]
    return dataclasses.replace(recording_of_counts(counts, dt, "graph"),
                               reset=np.arange(STEPS) % TRIAL == 0)


def _resets(network: Network) -> str:
    return ", ".join(sorted({p.reset for p in network.populations
                             if p.spiking and p.name in network.spike_columns}))


def _fidelity(wanted: np.ndarray, given: np.ndarray) -> float | None:
    """R2, mean over the outputs that change. None if no output changes."""
    moves = wanted.std(axis=0) > 0
    return float(r_squared(wanted[:, moves], given[:, moves]).mean()) if moves.any() else None


def _remembered(network: Network, recording: Recording) -> float:
    """Share of the spikes of the last 250 steps of a trial that a lost first spike changes."""
    wanted = run_reference(network, recording).spikes
    begins = recording.start[np.flatnonzero(recording.reset)]
    start = recording.start - np.searchsorted(begins, recording.start, side="left")
    lost = dataclasses.replace(recording, channel=np.delete(recording.channel, begins),
                               start=start)
    found = run_reference(network, lost).spikes
    late = np.arange(recording.steps) % TRIAL >= TRIAL - 250
    return 1 - spike_agreement(wanted[late], found[late])


def _cycles(golden: Answer) -> str:
    return f"{golden.cycles.mean():.0f}, at most {golden.cycles.max():,}"


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.measure.graphs", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the graphs")
    folders = sorted(path.parent for path in parser.parse_args().folder.glob("*/meta.json"))
    if not folders:
        raise InputError("Folder must have a folder with meta.json for each graph, not none")
    rows: list[tuple[str, ...]] = [
        ("graph", "resets", "fidelity R2, int8", "fp16", "spikes that agree, int8", "fp16",
         "of a lost spike remains", "RTL = golden", "cycles a step")]
    rows += [row_of(folder) for folder in tqdm(folders, unit="graph", disable=None)]
    print(markdown(rows))


if __name__ == "__main__":
    run_command(_main)
