# SPDX-License-Identifier: Apache-2.0
"""The build of a board: bitstream, then report, into one folder."""

import shutil
import sys
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.files import check_folder, real_path, written_folder
from spikewright.base.progress import Estimate, progress
from spikewright.golden.run import run_golden
from spikewright.hw.link import LinkParams
from spikewright.hw.params import link_params
from spikewright.model.saved import Model
from spikewright.network.checkpoint import checkpoint_hash
from spikewright.network.source import Source, read_source
from spikewright.plan.config import CoreConfig, line_baud
from spikewright.plan.plan import Plan
from spikewright.report.page import page
from spikewright.report.report import Report
from spikewright.report.score import MOST_STEPS, outputs_of, score

from ..board.board import Board
from .facts import collect
from .times import REPORT
from .toolchain import Implementation, implement, kept_logs

__all__ = ["build"]


def build(model: Model, board: Board, output: Path, *, config: CoreConfig,
          megahertz: float | None, baud: int | None, seed: int, recording: Path | None,
          note: str = "") -> Report:
    """Build ``model`` for ``board``.

    ``output`` gets the bitstream, report.html, report.json and the logs: all of them, or none. The
    model itself is not among them.

    Parameters
    ----------
    model : Model
    board : Board
    output : Path
    config : CoreConfig
    megahertz : float or None
        Clock of the decoder; None for the board's default.
    baud : int or None
        Bits per second on the serial line. None for the default of the clock.
    seed : int
        Seed of the placement.
    recording : Path or None
        Recording that the report measures on; None for simulated spikes.
    note : str
        A line for standard error, once nothing is refused any more that can be checked before.

    Raises
    ------
    InputError
        If a tool is missing or fails, the recording is for another network, the design is too
        large or too slow for the board, or ``output`` has other contents.
    """
    output = real_path(output)
    check_folder(output, "report.json")
    clock_hz, clock = board.clock(megahertz)
    baud = line_baud(baud, clock_hz)
    source = read_source(recording, model.network)
    try:
        plan = Plan(model=model.integers, config=config)
        link = link_params(plan, model_hash=model.hash, clock_hz=clock_hz, baud=baud)
    except ValueError as error:
        raise InputError(str(error)) from error

    with written_folder(output, "report.json") as temporary:
        if note:
            print(f"note: {note}", file=sys.stderr)
        logs = temporary / "logs"
        work = temporary / "work"
        logs.mkdir()
        work.mkdir()
        with kept_logs(board.family, work, output.with_name(f"{output.name}-failed")):
            built = implement(board, plan, link, clock, seed=seed, folder=work)
        shutil.move(work / board.family.bitstream, temporary)
        for name in board.family.logs:
            shutil.move(work / name, logs)
        shutil.rmtree(work)

        with progress("report", estimate=Estimate(REPORT)):
            return _report(model, board, plan, link, built, temporary, source=source,
                           sha256=None if recording is None else checkpoint_hash(recording))


def _report(model: Model, board: Board, plan: Plan, link: LinkParams, built: Implementation,
            folder: Path, *, source: Source, sha256: str | None) -> Report:
    """Measure the model on ``source``, and write the report of the build to ``folder``."""
    answer = run_golden(model.integers, source.recording, plan.config)
    scored = source.recording.head(MOST_STEPS)
    results = outputs_of(model.network, scored)
    report = collect(model, board, plan, link, built, source=source, answer=answer,
                     sha256=sha256, accuracy=score(model.integers, scored, results, answer))
    report.save(folder / "report.json")
    (folder / "report.html").write_text(page(report, scored, results["fp32"][0], answer),
                                        encoding="utf-8")
    return report
