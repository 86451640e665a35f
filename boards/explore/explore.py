# SPDX-License-Identifier: Apache-2.0
"""Many configurations and seeds of one model on one board, built side by side."""

import itertools
import statistics
from concurrent.futures import Executor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from spikewright.base.errors import InputError
from spikewright.golden.run import run_golden
from spikewright.hw.params import link_params
from spikewright.model.artefact import load_model
from spikewright.network.source import read_source
from spikewright.plan.config import PRESETS, CoreConfig, line_baud
from spikewright.plan.plan import Plan
from spikewright.plan.timing import worst_step
from spikewright.report.score import number

from ..board.board import Board
from ..flow.fit import weights_of
from ..flow.toolchain import design_files
from .jobs import Design, Store, generator_hash
from .work import Point, Work

__all__ = ["SCHEMA", "explore", "presets_on", "read_grid"]

SCHEMA = 1


def presets_on(board: Board) -> dict[str, CoreConfig]:
    """The presets, with the replacements for ``board``."""
    changes: dict[str, Any] = {**board.instead}
    return {name: replace(preset, **changes) for name, preset in PRESETS.items()}


def read_grid(base: CoreConfig, board: Board, words: list[str]) -> list[CoreConfig]:
    """Configurations of a grid: ``lanes=1,2,4`` varies a field of ``base``, ``presets`` adds all.

    Several fields give all their combinations. Combinations that contradict themselves are left
    out, and so are duplicates.

    Raises
    ------
    InputError
        If a word is none of these, or all combinations contradict themselves.
    """
    kinds = {item.name: type(getattr(base, item.name)) for item in fields(CoreConfig)}
    axes: dict[str, list] = {}
    for word in words:
        name, _, values = word.partition("=")
        if word == "presets":
            continue
        if name not in kinds or not values:
            raise InputError(f"Grid must be made of 'presets' and NAME=VALUE,VALUE.. with a name "
                             f"of {', '.join(kinds)}, not {word!r}")
        try:
            axes[name] = [kinds[name](value) for value in values.split(",")]
            for value in axes[name]:
                CoreConfig(**{name: value})
        except ValueError as error:
            raise InputError(f"Grid {word!r} cannot be used: {error}") from error
    found = list(presets_on(board).values()) if "presets" in words else []
    for choice in itertools.product(*axes.values()) if axes or not found else ():
        try:
            found.append(replace(base, **dict(zip(axes, choice, strict=True))))
        except ValueError as error:
            refused = error
    if not found:
        raise InputError(f"Grid must have a combination that a core can have, not only such as: "
                         f"{refused}")
    return sorted(dict.fromkeys(found), key=lambda config: (config.lanes, str(config)))


def explore(folder: Path, board: Board, configs: list[CoreConfig], *, seeds: int,
            megahertz: float | None, baud: int | None, recording: Path | None, store: Store,
            executor: Executor) -> dict:
    """Build every configuration with seeds 1 to ``seeds``; returns the contents of explore.json.

    Results in ``store`` are not computed again; each new result is stored at once.

    Parameters
    ----------
    folder : Path
        The model folder.
    board : Board
    configs : list of CoreConfig
    seeds : int
    megahertz : float or None
        Clock that placement aims at; None for the board's default.
    baud : int or None
        None for the default of the clock.
    recording : Path or None
        Recording over which cycles are counted; None for simulated spikes.
    store : Store
    executor : concurrent.futures.Executor
    """
    model, network, manifest = load_model(folder)
    source = read_source(recording, network)
    clock_hz, clock = board.clock(megahertz)
    baud = line_baud(baud, clock_hz)

    def design_of(config: CoreConfig) -> Design:
        plan = Plan(model=model, config=config)
        link = link_params(plan, model_hash=manifest["model_hash"], clock_hz=clock_hz, baud=baud)
        return Design(board=board.name, clock_hz=clock_hz, weights=weights_of(plan),
                      files=design_files(board, plan, link, clock))

    facts = [manifest["model_hash"], board.name, clock_hz, baud, generator_hash()]
    points = [Point(config=config) for config in configs]
    work = Work(store, executor, range(1, seeds + 1))
    for point in points:
        work.add(point, [*facts, vars(point.config)], design_of)
    work.finish()

    return {
        "schema": SCHEMA, "model_hash": manifest["model_hash"], "model": model.name,
        "board": {"name": board.name, "title": board.title, "device": board.device,
                  "resources": dict(board.resources)},
        "clock_mhz": clock_hz / 1e6, "seeds": seeds, "baud": baud,
        "recording": {"name": source.recording.name, "steps": source.recording.steps,
                      "synthetic": source.synthetic},
        "points": [_facts(point, board, model, source.recording) for point in points]}


def _facts(point: Point, board: Board, model, recording) -> dict:
    facts: dict[str, Any] = {
        "config": vars(point.config).copy(), "reason": point.reason,
        "presets": [name for name, preset in presets_on(board).items()
                    if preset == point.config],
        "failures": [{"seed": seed, "reason": reason}
                     for seed, reason in sorted(point.failures.items())]}
    runs = [run for _, run in sorted(point.runs.items())]
    if runs:
        best = max(runs, key=lambda run: run["fmax_mhz"])
        answer = run_golden(model, recording, point.config)
        plan = Plan(model=model, config=point.config)
        worst, _ = worst_step(plan)
        facts |= {"runs": runs, "best": best,
                  "median_mhz": round(statistics.median(run["fmax_mhz"] for run in runs), 3),
                  "cycles": {"mean": number(answer.cycles.mean()), "worst": worst},
                  "latency": {"mean": number(answer.latency.mean())}}
    return facts
