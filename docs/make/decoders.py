# SPDX-License-Identifier: Apache-2.0
"""Which decoder should I take? One subject, one recording, each kind of network.

``python -m docs.make.decoders`` trains a network of each kind on the simulated session that the
default network learned from, and decodes the default recording with all of them. It writes
docs/decoders.json and the picture docs/decoders.png, and prints the table of docs/decoders.md.
Networks that are there already, in build/decoders, are not trained again. With ``--build``, each
that has integers is also built for an iCEBreaker.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib

from docs.make.kept import ROOT
from spikewright.api import build, quantize, read
from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.command.parser import CommandParser, run_command
from spikewright.golden.run import run_golden
from spikewright.model.saved import Model
from spikewright.network.graded.operations import count_operations, weights_used
from spikewright.network.graded.run import run_float
from spikewright.network.metrics import r_squared
from spikewright.network.recording import Recording, read_recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.layout import Layout
from spikewright.report.colours import COOL, INK, MUTED, WARM
from spikewright.report.markdown import digits, markdown
from spikewright.report.report import Report

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402

__all__ = ["Row", "draw", "table"]

KEPT, PICTURE = ROOT / "docs" / "decoders.json", ROOT / "docs" / "decoders.png"
RECORDING, DEFAULT = (ROOT / "data" / name for name in (
    "default_recording.npz", "default.safetensors"))

# For each kind of `train`: its title, and what it waits for, in steps: for the row that a window
# does not read yet, or for the end of the line to a keypoint.
DECODERS = {"tinyrsnn": ("tinyRSNN", 0), "ann": ("ANN", 0), "ann_flat": ("ANN_Flat", 1),
            "snn_flat": ("SNN_Flat", 1), "srtnet": ("sRTnet", 3)}
BOARD = "icebreaker"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a decoder does and takes. None where there are no integers, or no build.

    Parameters
    ----------
    title : str
    r2, r2_integers : float
        R2 on the recording, mean of both axes, in double precision and with 8-bit weights.
    weights : int
        Weights that are not 0.
    bits : int
        Bits of the weight tables.
    dense, macs, acs : float
        Operations of a step, see `network.graded.operations`.
    cycles, most : float
        Clock cycles of a step, mean and most.
    waits : int
        Steps from an input to an answer that has all of it.
    logic : int
        LUTs and carries of the build.
    latency : float
        Microseconds from the last event of a step to its answer, the mean.
    """

    title: str
    r2: float
    r2_integers: float | None
    weights: int
    dense: float
    macs: float
    acs: float
    cycles: float | None
    most: int | None
    waits: int
    bits: int | None = None
    logic: int | None = None
    latency: float | None = None


def measured(kind: str, path: Path, recording: Recording, out: Path | None) -> Row:
    """The row of the network in the file ``path``. It is built in the folder ``out``, if given."""
    network = read(path)
    assert recording.velocity is not None
    title, waits = DECODERS[kind]
    operations = count_operations(network, recording)
    row = {"title": title, "waits": waits, "weights": weights_used(network), **asdict(operations),
           "r2": float(r_squared(recording.velocity,
                                 run_float(network, recording).velocity).mean()),
           "r2_integers": None, "cycles": None, "most": None}
    try:
        model = quantize(network, calibrate=RECORDING)
    except InputError as error:
        print(f"note: {title} has no integers: {error}")
        return Row(**row)
    answer = run_golden(model.integers, recording, CoreConfig())
    row |= {"bits": Layout(model=model.integers, lanes=CoreConfig().lanes).table_bits,
            "r2_integers": float(r_squared(recording.velocity, answer.velocity).mean()),
            "cycles": float(answer.cycles.mean()), "most": int(answer.cycles.max())}
    if out is not None:
        try:
            report = _built(model, out)
        except InputError as error:
            print(f"note: {title} has no build: {error}")
        else:
            row |= {"logic": report.resources[report.logic].used,
                    "latency": report.microseconds.latency.mean}
    return Row(**row)


def _built(model: Model, out: Path) -> Report:
    """The report of the build in the folder ``out``, which is built if it has another model."""
    if (out / "report.json").is_file():
        report = Report.load(out)
        if report.model_hash == model.hash:
            return report
    return build(model, board=BOARD, out=out, recording=RECORDING)


def table(rows: list[Row]) -> str:
    """The table of docs/decoders.md; columns without any figure are left out."""
    lines: list[tuple[str, ...]] = [
        ("decoder", "R2: float64", "int8", "weights", "table bits", "MACs, ACs a step, of all",
         "cycles a step: mean / most", "waits", "LC", "compute")]
    for row in rows:
        lines.append((
            row.title, digits(row.r2), digits(row.r2_integers), f"{row.weights:,}",
            "-" if row.bits is None else f"{row.bits:,}",
            f"{row.macs:,.0f}, {row.acs:,.0f} of {row.dense:,.0f}",
            "-" if row.cycles is None else f"{row.cycles:,.0f} / {row.most:,}",
            f"{row.waits} step{'' if row.waits == 1 else 's'}",
            "-" if row.logic is None else f"{row.logic:,}",
            "-" if row.latency is None else f"{row.latency:,.1f} us"))
    used = [any(line[k] != "-" for line in lines[1:]) for k in range(len(lines[0]))]
    return markdown([tuple(cell for cell, keep in zip(line, used, strict=True) if keep)
                     for line in lines])


def draw(rows: list[Row], path: Path) -> None:
    """Accuracy beside the operations and the clock cycles of a step."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(8, 0.5 + 0.45 * len(rows)), sharey=True, layout="constrained")
    places = range(len(rows))[::-1]
    for row, place in zip(rows, places, strict=True):
        left.plot([0.5, row.r2], [place, place], color=COOL, lw=1)
        left.plot(row.r2, place, "o", color=COOL)
        if row.r2_integers is not None:
            left.plot(row.r2_integers, place, "|", color=WARM, ms=14, mew=2)
        left.text(1.0, place, digits(row.r2), color=INK, va="center", ha="right", fontsize=9)
        right.barh(place + 0.17, row.macs + row.acs, height=0.3, color=COOL)
        if row.cycles is not None:
            right.barh(place - 0.17, row.cycles, height=0.3, color=WARM)
    left.set(xlim=(0.5, 1.0), yticks=list(places), yticklabels=[row.title for row in rows],
             title="R² on simulated reaches")
    right.set(xscale="log", title="effective operations (blue), cycles (orange) a step")
    for axes in (left, right):
        axes.tick_params(colors=MUTED, length=0)
        axes.title.set(color=INK, fontsize=10)
        axes.spines[:].set_visible(False)
    with written_file(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
    plt.close(figure)


def _trained(folder: Path) -> dict[str, Path]:
    """The file of each network. Those that are missing are trained."""
    from spikewright.train.graded.fit import fit_graded, save_graded
    from spikewright.train.graded.recipe import GRADED, GradedRecipe
    from spikewright.train.reaches import default_sessions
    paths, session = {"tinyrsnn": DEFAULT}, None
    for kind, epochs in GRADED.items():
        paths[kind] = folder / f"{kind}.safetensors"
        if not paths[kind].is_file():
            session = session or default_sessions()[0]
            save_graded(paths[kind], fit_graded(session, GradedRecipe(network=kind,
                                                                      epochs=epochs)), session.dt)
    return paths


def _main() -> None:
    parser = CommandParser(prog="python -m docs.make.decoders", description=__doc__)
    parser.add_argument("--build", action="store_true",
                        help="build each for an iCEBreaker, too; minutes")
    folder = ROOT / "build" / "decoders"
    builds = parser.parse_args().build
    recording = read_recording(RECORDING)
    rows = [measured(kind, path, recording, folder / kind if builds else None)
            for kind, path in _trained(folder).items()]
    with written_file(KEPT) as temporary:
        temporary.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n",
                             encoding="utf-8")
    draw(rows, PICTURE)
    print(table(rows))


if __name__ == "__main__":
    run_command(_main)
