# SPDX-License-Identifier: Apache-2.0
"""The build of a board: bitstream, then report, into one folder."""

import json
import shutil
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.base.files import written_folder
from spikewright.base.version import maker
from spikewright.golden.run import run_golden
from spikewright.hw.params import link_params
from spikewright.model.artefact import load_model
from spikewright.network.checkpoint import checkpoint_hash
from spikewright.network.source import read_source
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.report.page import page
from spikewright.report.score import MOST_STEPS, outputs_of, score

from ..board.board import Board
from .facts import collect
from .toolchain import implement, kept_logs

__all__ = ["build"]


def build(folder: Path, board: Board, output: Path, *, config: CoreConfig, megahertz: float | None,
          baud: int, seed: int, recording: Path | None) -> dict:
    """Build the model in ``folder`` for ``board``; returns the contents of report.json.

    ``output`` gets the bitstream, report.html, report.json and the logs: all of them, or none.

    Parameters
    ----------
    folder : Path
        The model folder.
    board : Board
    output : Path
    config : CoreConfig
    megahertz : float or None
        Clock of the decoder; None for the board's default.
    baud : int
    seed : int
        Seed of the placement.
    recording : Path or None
        Recording that the report measures on; None for simulated spikes.
    """
    model, network, manifest = load_model(folder)
    clock_hz, clock = board.clock(megahertz)
    source = read_source(recording, network)
    try:
        plan = Plan(model=model, config=config)
        link = link_params(plan, model_hash=manifest["model_hash"], clock_hz=clock_hz, baud=baud)
    except ValueError as error:
        raise InputError(str(error)) from error

    output = Path(output).resolve()
    with written_folder(output, "report.json") as temporary:
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

        answer = run_golden(model, source.recording, config)
        scored = source.recording.head(MOST_STEPS)
        results = outputs_of(network, scored)
        facts = collect(manifest, board, plan, link, built, seed=seed, source=source, answer=answer,
                        accuracy=score(model, scored, results, answer))
        facts["made_by"] = maker()
        facts["recording"]["sha256"] = None if recording is None else checkpoint_hash(recording)
        (temporary / "report.json").write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n",
                                               encoding="utf-8")
        (temporary / "report.html").write_text(page(facts, scored, results["fp32"][0], answer),
                                               encoding="utf-8")
    return facts
