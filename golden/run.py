# SPDX-License-Identifier: Apache-2.0
"""Run the golden model over a recording."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spikewright.base.arrays import write_arrays
from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT
from spikewright.network.recording import Recording
from spikewright.plan.config import CoreConfig
from spikewright.plan.program import Kind, schedule
from spikewright.plan.timing import step_timing

from .core import Constants, State, Stimulus, Trace, run_steps

__all__ = ["Answer", "constants_of", "run_golden", "stimulus_of", "write_answer"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a run gave, from golden or from the RTL.

    Parameters
    ----------
    velocity_int : ndarray of int64, shape (steps, outputs)
        m of the outputs.
    velocity : ndarray of float64, shape (steps, outputs)
        ``velocity_int * output_scale``: physical units.
    spikes : ndarray of bool, shape (steps, neurons)
        Spikes of the neurons that the checkpoint has; dropped neurons never fire.
    cycles, latency : ndarray of int64, shape (steps,)
        As `plan.timing.step_timing` defines them.
    saturated : ndarray of bool, shape (steps,)
        Whether a state has saturated since the last reset.
    """

    velocity_int: np.ndarray
    velocity: np.ndarray
    spikes: np.ndarray
    cycles: np.ndarray
    latency: np.ndarray
    saturated: np.ndarray


def run_golden(model: IntegerModel, recording: Recording, config: CoreConfig) -> Answer:
    """Run ``model`` over ``recording`` from zero state."""
    recording.check_fits(model.channels, model.dt)
    constants, state = constants_of(model)
    steps, neurons = recording.steps, len(constants.a)
    trace = Trace(membrane=np.zeros((steps, neurons), np.int64),
                  fired=np.zeros((steps, neurons), bool),
                  events=np.zeros((steps, len(constants.phase)), np.int64),
                  saturated=np.zeros(steps, bool))
    run_steps(constants, state, stimulus_of(model, recording), trace)
    cycles, latency = step_timing(model, config, trace.events)
    output = np.repeat([not p.spiking for p in model.populations],
                       [p.neurons for p in model.populations])
    velocity = trace.membrane[:, output]
    return Answer(velocity_int=velocity, velocity=velocity * model.output_scale,
                  spikes=spread_spikes(model, trace.fired[:, ~output]), cycles=cycles,
                  latency=latency, saturated=trace.saturated)


def spread_spikes(model: IntegerModel, fired: np.ndarray) -> np.ndarray:
    """Put the spikes of the kept neurons, (steps, kept), at their places in the checkpoint."""
    spikes = np.zeros((len(fired), model.hidden), bool)
    place, base = [], 0
    for population in model.populations:
        if population.spiking:
            place.append(population.kept + base)
            base += population.size
    spikes[:, np.concatenate(place)] = fired
    return spikes


def stimulus_of(model: IntegerModel, recording: Recording) -> Stimulus:
    """Input rows of a recording; events on channels without weights fall away."""
    row = model.channel_row[recording.channel]
    kept = np.concatenate([[0], np.cumsum(row >= 0)])
    return Stimulus(row=row[row >= 0], start=kept[recording.start], reset=recording.reset)


def constants_of(model: IntegerModel) -> tuple[Constants, State]:
    """Flat tables of a model, and its zero state."""
    first_neuron, neurons = {}, 0
    for population in model.populations:
        first_neuron[population.name] = neurons
        neurons += population.neurons
    first_row = np.concatenate([[0], np.cumsum([len(p.weights) for p in model.projections])])
    weights = np.zeros((first_row[-1], neurons), np.int32)
    for k, projection in enumerate(model.projections):
        column = first_neuron[projection.target]
        weights[first_row[k]:first_row[k + 1],
                column:column + projection.weights.shape[1]] = projection.weights

    phase: list[tuple[int, ...]] = []
    target: list[tuple[int, int]] = []
    for item in schedule(model):
        if item.kind == Kind.UPDATE:
            population = model.populations[item.index]
            phase.append((item.kind, first_neuron[population.name], 0, population.neurons, 0, 0))
            target.append((0, 0))
        else:
            projection = model.projections[item.index]
            source = 0 if projection.source == INPUT else first_neuron[projection.source]
            column = first_neuron[projection.target]
            phase.append((item.kind, first_row[item.index], source, len(projection.weights),
                          projection.delay, model.widths.fraction + projection.shift))
            target.append((column, column + projection.weights.shape[1]))

    widths = model.widths
    slots = 1 + max(1, *(projection.delay for projection in model.projections))
    constants = Constants(
        weights=weights, phase=np.array(phase, np.int64), target=np.array(target, np.int64),
        a=np.concatenate([p.synaptic_decay for p in model.populations]),
        b=np.concatenate([p.membrane_decay for p in model.populations]),
        threshold=np.concatenate([p.threshold for p in model.populations]),
        limits=np.array([widths.largest_current, widths.largest_membrane, widths.decay], np.int64))
    state = State(s=np.zeros(neurons, np.int64), m=np.zeros(neurons, np.int64),
                  spikes=np.zeros((slots, neurons), bool), flags=np.zeros(1, np.int64))
    return constants, state


def write_answer(path: Path, answer: Answer) -> None:
    """Write an answer as .npz; its keys are the fields of `Answer`."""
    write_arrays(path, vars(answer))
