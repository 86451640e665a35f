# SPDX-License-Identifier: Apache-2.0
"""Several networks and rungs at once; the results are plain data."""

import sys
from collections.abc import Iterable
from threading import RLock
from typing import Any

import joblib
from tqdm import tqdm

from spikewright.network.graded.network import GradedNetwork
from spikewright.network.source import is_default
from spikewright.report.form import as_form
from spikewright.report.score import compare, number

from .rungs import REFERENCE, Checks, Climb, Outcome, run_rung, rung_bits

__all__ = ["SCHEMA", "climb_all", "failures", "mean_rows"]

SCHEMA = 1


def climb_all(climbs: list[Climb], rungs: Iterable[str], checks: Checks, jobs: int) -> dict:
    """Run every rung of every network in processes of their own, ``jobs`` at a time.

    Returns
    -------
    dict
        The contents of ladder.json: ``networks``, each with a row per rung, and their ``mean``.
    """
    rungs = list(rungs)
    needed = rungs if REFERENCE in rungs else [REFERENCE, *rungs]
    # The longest jobs come first, so that no long job runs alone at the end.
    tasks = sorted(((k, rung) for k in range(len(climbs)) for rung in needed),
                   key=lambda task: (task[1].startswith("fp"), -rung_bits(task[1])))
    if not sys.stderr.isatty():
        print(f"{len(climbs)} network{'s' if len(climbs) > 1 else ''} on {len(needed)} rungs",
              file=sys.stderr, flush=True)
    outcomes: dict[tuple[int, str], Outcome] = {}
    # Without max_nbytes, arrays would arrive as read-only files of another type.
    with (joblib.Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered",
                          max_nbytes=None) as parallel,
          tqdm(total=len(tasks), unit="rung", disable=None, leave=False) as bar):
        for task, outcome in parallel(joblib.delayed(_one)(climbs[k], (k, rung), checks)
                                      for k, rung in tasks):
            outcomes[task] = outcome
            bar.set_description(f"{climbs[task[0]].name} {task[1]}")
            bar.update()
    networks = [_network(climb, rungs, {rung: outcomes[k, rung] for rung in needed})
                for k, climb in enumerate(climbs)]
    return {"schema": SCHEMA, "rungs": rungs, "config": vars(checks.config).copy(),
            "networks": networks, "mean": mean_rows([network["rungs"] for network in networks])}


def mean_rows(networks: list[list[dict]]) -> list[dict]:
    """Rows of several networks joined rung by rung: the mean of each figure, and all checks.

    If a network lacks a figure, the mean is over the others. ``networks`` counts all of them.
    """
    rows = []
    for group in zip(*networks, strict=True):
        row: dict[str, Any] = {"rung": group[0]["rung"], "bits": group[0]["bits"],
                               "networks": len(group)}
        for key in dict.fromkeys(key for one in group for key in one):
            values = [one[key] for one in group if one.get(key) is not None]
            if key in ("rtl", "gates"):
                row[key] = {"equal": all(value["equal"] for value in values),
                            "steps": sum(value["steps"] for value in values)} if values else None
            elif values and isinstance(values[0], list):
                row[key] = [_mean([axis for axis in axes if axis is not None])
                            for axes in zip(*values, strict=True)]
            elif key not in row and key not in ("widths", "model_hash"):
                row[key] = _mean(values)
        rows.append(row)
    return rows


def failures(ladder: dict) -> list[str]:
    """One line for each difference between the hardware and golden."""
    return [f"{network['name']} as {row['rung']}, {kind}: {line}"
            for network in ladder["networks"] for row in network["rungs"]
            for kind in ("rtl", "gates") if row[kind] for line in row[kind]["differences"]]


def _one(climb: Climb, task: tuple[int, str], checks: Checks):
    # The lock of tqdm between processes would be left behind, and told, if this one is stopped.
    tqdm.set_lock(RLock())
    return task, run_rung(climb, task[1], checks)


def _network(climb: Climb, rungs: list[str], outcomes: dict[str, Outcome]) -> dict:
    network, recording = climb.network, climb.recording
    scored = compare({rung: (outcome.velocity, outcome.spikes)
                      for rung, outcome in outcomes.items()}, recording,
                     lead_steps=network.lead_steps, dt=network.dt)
    scores = {row.arithmetic: as_form(row) for row in scored.rows}
    for row in scores.values():
        del row["arithmetic"]
        if not network.spike_columns:
            row |= {"spike_agreement": None, "firing_rate_hz": None}
    return {"name": climb.name, "checkpoint": climb.checkpoint,
            "synthetic": is_default({"checkpoint": climb.checkpoint}), "channels": network.channels,
            "hidden": network.hidden if isinstance(network, GradedNetwork)
            else sum(p.neurons for p in network.populations if p.spiking),
            "outputs": network.outputs,
            "dt": network.dt, "lead_steps": network.lead_steps,
            "recording": {"name": recording.name, "steps": recording.steps,
                          "simulated": climb.source.simulated, "synthetic": climb.source.synthetic,
                          "source": recording.source, "licence": recording.licence},
            "calibration": climb.calibration.name if climb.calibration else None,
            "tuning": climb.tuning.name if climb.tuning else None,
            "unit_scale": scored.unit_scale,
            "rungs": [{**outcomes[rung].facts, **scores[rung]} for rung in rungs]}


def _mean(values: list) -> float | None:
    return number(sum(values) / len(values)) if values else None
