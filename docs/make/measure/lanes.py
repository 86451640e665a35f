# SPDX-License-Identifier: Apache-2.0
"""Cycles of cores with many lanes, for the network of the build ``indy01``.

``python -m docs.make.measure.lanes`` prints the table of docs/performance.md. It needs no
synthesis.
"""

import json
from dataclasses import replace

from docs.make.kept import BUILDS, ROOT
from spikewright.api import quantize, read
from spikewright.command.parser import CommandParser, run_command
from spikewright.golden.run import run_golden
from spikewright.model.model import IntegerModel
from spikewright.network.recording import Recording, read_recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.frames import events_max
from spikewright.plan.plan import Plan
from spikewright.plan.program import ROW_CYCLES, Add
from spikewright.plan.timing import step_timing, worst_events
from spikewright.report.markdown import markdown

__all__ = ["lanes_table"]

BUILD = "indy01"
EVENTS = events_max(256)     # of the worst step: as many as a frame carries
CORES = tuple(CoreConfig(lanes=lanes, neurons=neurons) for lanes, neurons in (
    (16, "lanes"), (32, "shared"), (32, "lanes"), (64, "shared"), (64, "lanes")))


def lanes_table(model: IntegerModel, recording: Recording) -> str:
    """Cycles of a step of each of ``CORES``, one row each, as Markdown."""
    rows: list[tuple[str, ...]] = [
        ("lanes", "neurons", "a step: mean", f"worst, {EVENTS} events",
         f"worst, were a row {ROW_CYCLES} cycles")]
    for config in CORES:
        plan = Plan(model=model, config=config)
        mean = run_golden(model, recording, config).cycles.mean()
        rows.append((f"{config.lanes}", f"`{config.neurons}`", f"{mean:,.0f}", f"{_worst(plan):,}",
                     f"{_worst(_without_streams(plan)):,}" if plan.program.streams else ""))
    return markdown(rows)


def _worst(plan: Plan) -> int:
    """Cycles of the worst step."""
    return int(step_timing(plan, worst_events(plan, EVENTS))[0][0])


def _without_streams(plan: Plan) -> Plan:
    """``plan`` with rows of ROW_CYCLES cycles at least."""
    operations = tuple(
        replace(operation, period=max(operation.period, ROW_CYCLES))
        if isinstance(operation, Add) else operation for operation in plan.program.operations)
    slow = Plan(model=plan.model, config=plan.config)
    vars(slow)["program"] = replace(plan.program, operations=operations, streams=False)
    return slow


def _main() -> None:
    CommandParser(prog="python -m docs.make.measure.lanes",
                  description="Print cycles of cores with many "
                  f"lanes, for the network of the build {BUILD}.").parse_args()
    build = json.loads(BUILDS.read_text(encoding="utf-8"))[BUILD]
    model = quantize(read(ROOT / build["checkpoint"])).integers
    print(lanes_table(model, read_recording(ROOT / build["recording"])), end="")


if __name__ == "__main__":
    run_command(_main)
