# SPDX-License-Identifier: Apache-2.0
"""The report of a build: as a page in one file, and as a few lines of text."""

import numpy as np

from spikewright.golden.run import Answer
from spikewright.network.metrics import published_time
from spikewright.network.recording import Recording

from . import pictures
from .html import render_page
from .names import BLOCKS, title
from .score import decoded, decoding, digits, foreign
from .style import BLOCK_COLOURS

__all__ = ["page", "summary"]


def page(facts: dict, recording: Recording, reference: np.ndarray, answer: Answer) -> str:
    """The report as HTML. The page needs no other file and no network.

    Parameters
    ----------
    facts : dict
        As `boards.flow.facts.collect` gives them.
    recording : Recording
        The recording that was scored.
    reference : ndarray of float64, shape (steps, outputs)
        Outputs of the network in fp32, on ``recording``.
    answer : Answer
        The answer of golden, for these steps at least.
    """
    scale = facts["accuracy"]["unit_scale"] or 1.0
    integer = facts["accuracy"]["rows"][-1]["arithmetic"]
    curves = {name: scale * published_time(velocity, facts["lead_steps"], recording.reset)
              for name, velocity in (("fp32", reference),
                                     (integer, answer.velocity[:recording.steps]))}
    drawings = {
        "velocity": pictures.velocity(facts, curves, recording.velocity, recording.reset),
        "cycles": pictures.cycles(facts, answer.cycles),
        "latency": pictures.latency(facts),
        "area": pictures.area(facts),
        "memory": pictures.memory(facts),
        "path": pictures.critical_path(facts),
    }
    return render_page("spikewright.report", "report.html", pictures=drawings, facts=facts,
                       blocks=BLOCKS, colours=BLOCK_COLOURS, integer=integer,
                       foreign=foreign(facts["accuracy"]), decoded=decoded(facts["accuracy"]),
                       kinds={kind: pictures.KINDS[kind] for kind in facts["resources"]
                              if kind != "spram"},
                       hops=short_path(facts["critical_path"]["hops"]))


def short_path(hops: list[dict]) -> list[dict]:
    """The critical path, with neighbouring hops of one signal joined, and without empty hops."""
    short: list[dict] = []
    for hop in hops:
        signal = hop["signal"].removeprefix("decoder.").removeprefix("core.")
        if signal.startswith("$"):
            signal = "carry"
        if short and short[-1]["signal"] == signal:
            short[-1]["delay_ns"] += hop["delay_ns"]
        else:
            short.append({"signal": signal, "block": hop["block"], "delay_ns": hop["delay_ns"]})
    return [hop for hop in short if hop["delay_ns"] > 0]


def summary(facts: dict) -> str:
    """The report in a few lines."""
    cycles, micro = facts["cycles"], facts["microseconds"]["cycles"]
    taken = ", ".join(f"{taken['used']:,} of {taken['available']:,} {kind.upper()}"
                      for kind, taken in facts["resources"].items())
    clock = f"{facts['clock_mhz']:g} MHz; {facts['fmax_mhz']:.1f} possible (seed {facts['seed']})"
    step = (f"{cycles['mean']:.0f} cycles or {micro['mean']:.1f} us on average, at worst "
            f"{cycles['worst']:,} of {cycles['budget']:,}")
    latency = "{mean:.0f} cycles on average, at worst {worst:,}".format(**facts["latency"])
    lead = f"{facts['lead_steps']} steps, {facts['lead_ms']:g} ms earlier than published"
    rows = [
        ("model", f"{facts['model']['name']}, hash {facts['model_hash'][:16]}"),
        *(("decoding", text) for text in [decoding(facts["accuracy"])] if text),
        *(("warning", text) for text in [foreign(facts["accuracy"])] if text),
        ("board", f"{facts['board']['title']}, {facts['board']['device']}"),
        ("core", title(facts["config"])),
        ("area", taken), ("clock", clock), ("a step", step), ("latency", latency), ("lead", lead),
        ("idle", _idle(facts["idle"])),
        ("measured on", _measured_on(facts["recording"]))]
    for row in facts["accuracy"]["rows"]:
        text = (f"fidelity R2 {digits(row['fidelity_r2'])}, spike agreement "
                f"{digits(row['spike_agreement'])}, {row['firing_rate_hz']:.2f} Hz a neuron")
        if "decoding_r2" in row:
            text += (f"; decodes with R2 {', '.join(map(digits, row['decoding_r2']))}, "
                     f"correlation {', '.join(map(digits, row['decoding_correlation']))}")
        rows.append((row["arithmetic"], text))
    return "\n".join(f"{key:12} {value}" for key, value in rows)


def _idle(idle: dict) -> str:
    text = "{toggles:.2g} of {flip_flops:,} flip-flops toggle per cycle".format(**idle)
    # Older reports do not count reads of RAMs; they are still shown.
    if "reads" in idle:
        text += ", {reads:.2g} of {read_ports} memory ports read".format(**idle)
    return text


def _measured_on(recording: dict) -> str:
    mark = " (SYNTHETIC)" if recording["synthetic"] and not recording["simulated"] else ""
    return f"{recording['name']}{mark}, {recording['steps']:,} steps"
