# SPDX-License-Identifier: Apache-2.0
"""The report of a build in a few lines of text."""

from spikewright.network.graded.operations import Operations

from .markdown import digits
from .names import title
from .parts.accuracy import Measured
from .parts.board import Idle
from .parts.times import StepCycles
from .power import ClockChoice
from .report import Report
from .score import axes, decoding, foreign

__all__ = ["late", "summary"]


def summary(report: Report) -> str:
    """The report in a few lines."""
    cycles, latency, accuracy = report.cycles, report.latency, report.accuracy
    taken = ", ".join(f"{cells.used:,} of {cells.available:,} {kind.upper()}"
                      for kind, cells in report.resources.items())
    rows = [
        ("model", f"{report.model.name}, hash {report.model_hash[:16]}"),
        *(("decoding", text) for text in [decoding(accuracy)] if text),
        *(("warning", text) for text in [foreign(accuracy), late(cycles)] if text),
        ("board", f"{report.board.title}, {report.board.device}"),
        ("core", title(report.config)),
        ("area", taken),
        ("clock", f"{report.clock_mhz:g} MHz; {report.fmax_mhz:.1f} possible (seed {report.seed})"),
        ("line", f"{report.baud:,} baud"),
        *(("estimate", _estimate(choice)) for choice in report.clocks if choice.power),
        ("a step", (f"{cycles.mean:.0f} cycles or {report.microseconds.cycles.mean:.1f} us on "
                    f"average, at worst {cycles.worst:,} of {cycles.budget:,}")),
        ("latency", f"{latency.mean:.0f} cycles on average, at worst {latency.worst:,}"),
        *(("operations", _operations(count)) for count in [report.operations] if count),
        ("lead", f"{report.lead_steps} steps, {report.lead_ms:g} ms earlier than published"),
        ("idle", _idle(report.idle)),
        ("measured on", _measured_on(report.recording))]
    for row in accuracy.rows:
        text = f"fidelity R2 {digits(row.fidelity_r2)}"
        if accuracy.spikes:
            text += (f", spike agreement {digits(row.spike_agreement)}, "
                     f"{row.firing_rate_hz:.2f} Hz a neuron")
        if row.decoding_r2:
            text += (f"; decodes with R2 {axes(row.decoding_r2)}, correlation "
                     f"{axes(row.decoding_correlation)}")
        rows.append((row.arithmetic, text))
    return "\n".join(f"{key:12} {value}" for key, value in rows)


def late(cycles: StepCycles) -> str:
    """A warning where the core may need longer than a step lasts; else empty."""
    if cycles.worst <= cycles.budget:
        return ""
    return (f"the next step begins after {cycles.budget:,} cycles, but a step may need "
            f"{cycles.worst:,}, and needed up to {cycles.largest_seen:,} on this recording: take "
            "more lanes, a faster clock, or longer steps")


def _estimate(choice: ClockChoice) -> str:
    """The power at a clock, of a report that has it."""
    power = choice.power
    assert power is not None
    return f"{power.total:.2f} mW at {choice.mhz:g} MHz {choice.made}, {choice.purpose}"


def _operations(count: Operations) -> str:
    return (f"{count.macs:,.0f} MACs and {count.acs:,.0f} ACs a step, of {count.dense:,.0f} "
            "operations, as NeuroBench counts them")


def _idle(idle: Idle) -> str:
    return (f"{idle.toggles:.2g} of {idle.flip_flops:,} flip-flops toggle per cycle, "
            f"{idle.reads:.2g} of {idle.read_ports} memory ports read")


def _measured_on(recording: Measured) -> str:
    mark = " (SYNTHETIC)" if recording.synthetic and not recording.simulated else ""
    return f"{recording.name}{mark}, {recording.steps:,} steps"
