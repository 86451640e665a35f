# SPDX-License-Identifier: Apache-2.0
"""Run the golden model over a recording."""

from dataclasses import dataclass

import numpy as np

from spikewright.model.inner import inner_layers, root_table, weight_sums
from spikewright.model.integers import IntegerPopulation
from spikewright.model.model import IntegerModel
from spikewright.network.network import RESETS
from spikewright.network.recording import Recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.plan.program import Add, Map
from spikewright.plan.timing import step_timing

from .arrays import (
    MAP,
    NORMALIZE,
    OPERATION,
    OUTPUT,
    POOL,
    RECTIFY,
    Constants,
    State,
    Stimulus,
    Trace,
)
from .core import run_steps

__all__ = ["Answer", "constants_of", "empty_trace", "run_golden", "stimulus_of", "zero_state"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """Results of a run, of golden or of the RTL.

    Parameters
    ----------
    velocity_int : ndarray of int64, shape (steps, outputs)
        Outputs, in LSB of m.
    velocity : ndarray of float64, shape (steps, axes)
        ``velocity_int @ readout.T + offset``, in physical units.
    spikes : ndarray of bool, shape (steps, neurons)
        Spikes of the spiking neurons in the checkpoint. Dropped neurons never fire.
    cycles, latency : ndarray of int64, shape (steps,)
        Clock cycles. `plan.timing.step_timing` defines both.
    saturated : ndarray of bool, shape (steps,)
        Whether a state has saturated since the last reset.
    values : ndarray of int64, shape (steps, units)
        Values of the graded units that are no outputs.
    """

    velocity_int: np.ndarray
    velocity: np.ndarray
    spikes: np.ndarray
    cycles: np.ndarray
    latency: np.ndarray
    saturated: np.ndarray
    values: np.ndarray


def run_golden(model: IntegerModel, recording: Recording, config: CoreConfig) -> Answer:
    """Run ``model`` over ``recording`` from zero state.

    ``config`` changes the cycles and the latency, and no other value.

    Raises
    ------
    InputError
        If the recording has other channels or another dt than the model, or no core can run the
        model.
    """
    recording.check_fits(model.channels, model.dt)
    plan = Plan(model=model, config=config)
    constants, state = constants_of(plan), zero_state(plan)
    trace = empty_trace(plan, recording.steps)
    run_steps(constants, state, stimulus_of(model, recording), trace)
    cycles, latency = step_timing(plan, trace.events)
    outputs = trace.membrane[:, plan.layout.is_output]
    return Answer(velocity_int=outputs, velocity=model.velocity(outputs),
                  spikes=plan.layout.spread_spikes(trace.fired), cycles=cycles,
                  latency=latency, saturated=trace.saturated,
                  values=trace.values[:, plan.layout.is_valued[:trace.values.shape[1]]])


def stimulus_of(model: IntegerModel, recording: Recording) -> Stimulus:
    """Input rows of the events of a recording. Events on channels without weights are left out."""
    row = model.channel_row[recording.channel]
    kept = np.concatenate([[0], np.cumsum(row >= 0)])
    return Stimulus(row=row[row >= 0], start=kept[recording.start], reset=recording.reset)


def constants_of(plan: Plan) -> Constants:
    """Tables of the model of ``plan``."""
    model, layout = plan.model, plan.layout
    first = np.cumsum([0, *(table.rows for table in layout.tables)])
    weights = np.zeros((first[-1], layout.neurons), np.int32)
    for k, projection in enumerate(model.projections):
        target = layout.spans[projection.target]
        weights[first[k]:first[k + 1], target.first:target.stop] = projection.weights
    operations = np.zeros(len(plan.program.operations), OPERATION)
    for operation, row in zip(plan.program.operations, operations, strict=True):
        for name, value in (_map_row(operation, plan) if isinstance(operation, Map) else
                            _add_row(operation, first)).items():
            row[name] = value
    limits = [model.widths.largest_current, model.widths.largest_membrane, model.widths.decay,
              model.silent_steps, model.cells, model.epsilon, model.widths.fraction]
    columns = {name: np.concatenate([getattr(p, key, np.zeros(p.neurons, np.int64))
                                     for p in model.populations])
               for name, key in (("a", "synaptic_decay"), ("b", "membrane_decay"),
                                 ("threshold", "threshold"), ("bias", "bias"),
                                 ("factor", "factor"), ("shift", "shift"))}
    for span in layout.spans.values():
        if getattr(span.population, "normalizes", False):
            columns["factor"][span.first:span.stop] = weight_sums(model, span.population)
    return Constants(weights=weights, operations=operations, limits=np.array(limits, np.int64),
                     roots=np.array(root_table(), np.int64), **columns)


def _map_row(operation: Map, plan: Plan) -> dict[str, int]:
    span, population, inner = operation.span, operation.span.population, operation.inner
    place = {"first": span.first, "stop": span.stop, "inner": inner, "period": population.period,
             "phase": population.phase, "interval": population.interval}
    if isinstance(population, IntegerPopulation):
        begins = plan.model.normalizes and not inner
        return place | {"kind": MAP, "reset": RESETS.index(population.reset), "begins": begins}
    if population.normalizes:
        first = inner_layers(plan.model)[0]
        return place | {"kind": NORMALIZE, "target": plan.layout.spans[first.name].first}
    kind = POOL if population.pools else OUTPUT if population.output else RECTIFY
    return place | {"kind": kind,
                    "largest": population.largest, "keeps": plan.program.keeps(span)}


def _add_row(operation: Add, first: np.ndarray) -> dict[str, int]:
    if operation.target is None:            # the events are only taken
        return {"kind": operation.source}
    return {"kind": operation.source, "first": operation.target.first,
            "stop": operation.target.stop, "row": first[operation.projection],
            "rows": operation.table.rows, "delay": operation.delay, "shift": operation.shift,
            "origin": operation.origin.first if operation.origin else 0, "sign": operation.sign,
            "since": operation.since, "before": operation.before,
            "part": operation.part, "digits": operation.digits}


def empty_trace(plan: Plan, steps: int) -> Trace:
    """A trace of zeros for the results of ``steps`` steps."""
    neurons = plan.layout.neurons
    return Trace(membrane=np.zeros((steps, neurons), np.int64),
                 values=np.zeros((steps, _units(plan)), np.int64),
                 fired=np.zeros((steps, plan.model.inner_steps, neurons), bool),
                 events=np.zeros((steps, len(plan.program.operations)), np.int64),
                 saturated=np.zeros(steps, bool))


def _units(plan: Plan) -> int:
    """Units that give values to others, and those before them."""
    return int(np.flatnonzero(plan.layout.is_valued).max(initial=-1)) + 1


def zero_state(plan: Plan) -> State:
    """The state before the first step."""
    neurons = plan.layout.neurons
    slots = 1 + max(plan.program.longest_delay, *(p.period for p in plan.model.populations))
    return State(s=np.zeros(neurons, np.int64), m=np.zeros(neurons, np.int64),
                 kept=np.zeros(neurons, np.int64), spikes=np.zeros((slots, neurons), bool),
                 values=np.zeros((slots, _units(plan)), np.int64),
                 log=np.zeros((slots, plan.program.log_room), np.int64),
                 logged=np.zeros(slots, np.int64),
                 ring=np.zeros(plan.program.window_room, np.int64),
                 begins=np.zeros(1 + plan.program.longest_look, np.int64),
                 counts=np.zeros(4, np.int64), flags=np.zeros(1, np.int64),
                 cells=np.zeros((plan.model.inner_steps, plan.model.rows), np.int64),
                 moments=np.zeros(2, np.int64))
