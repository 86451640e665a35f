# SPDX-License-Identifier: Apache-2.0
"""A run of a graded float network. The integer model is measured against it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from ..recording import Recording
from ..reference import Trace, run_reference
from .network import AnyNetwork, GradedNetwork, Stage
from .series import Series

__all__ = ["GradedTrace", "counted", "run_float", "run_graded", "segments"]


@dataclass(frozen=True, kw_only=True, eq=False)
class GradedTrace:
    """Results of a run in floating point.

    Parameters
    ----------
    velocity : ndarray of float64, shape (steps, axes)
        In physical units.
    spikes : ndarray of bool, shape (steps, neurons)
        Spikes in the columns of `GradedNetwork.spike_columns`.
    values : dict of str to Series
        Values of the watched stages, by name.
    """

    velocity: np.ndarray
    spikes: np.ndarray
    values: dict[str, Series] = field(default_factory=dict)


def run_float(network: AnyNetwork, recording: Recording,
              dtype: type = np.float64) -> Trace | GradedTrace:
    """Run a network of either kind: `reference.run_reference`, or `run_graded`."""
    if isinstance(network, GradedNetwork):
        return run_graded(network, recording, dtype)
    return run_reference(network, recording, dtype)


def run_graded(network: GradedNetwork, recording: Recording, dtype: type = np.float64,
               watch: Iterable[str] = ()) -> GradedTrace:
    """Run ``network`` over ``recording``, from zero state at each reset.

    Parameters, membranes and the values of the stages have the type ``dtype``. Sums of products
    have float64. ``watch`` has the names of the stages whose values the trace keeps.
    """
    stages = [_rounded(stage, dtype) for stage in network.stages]
    runs = [_run(network, stages, counted(part, dtype), set(watch)) for part in segments(recording)]
    return GradedTrace(
        velocity=np.concatenate([trace.velocity for trace in runs]),
        spikes=np.concatenate([trace.spikes for trace in runs]),
        values={name: _joined([trace.values[name] for trace in runs]) for name in watch})


def _run(network: GradedNetwork, stages: list[Stage], counts: Series, watch: set[str]
         ) -> GradedTrace:
    series, values = counts, {}
    columns = network.spike_columns
    spikes = np.zeros((counts.steps, sum(c.stop - c.start for c in columns.values())), bool)
    for stage in stages:
        series = stage.run(series)
        for name, fired in series.spikes.items():
            spikes[series.step, columns[name]] = fired
        if stage.name in watch:
            values[stage.name] = series
    velocity = series.held() @ network.readout.T + network.offset
    return GradedTrace(velocity=velocity, spikes=spikes, values=values)


def _rounded(part: Any, dtype: type) -> Any:
    """A stage with parameters that the format ``dtype`` has. They stay in float64."""
    def value(of: Any) -> Any:
        if isinstance(of, np.ndarray):
            return of.astype(dtype).astype(np.float64)
        return tuple(_rounded(part, dtype) for part in of) if isinstance(of, tuple) else of
    return replace(part, **{entry.name: value(getattr(part, entry.name)) for entry in fields(part)})


def segments(recording: Recording) -> list[Recording]:
    """The parts of ``recording`` from one reset to the next."""
    bounds = np.unique([0, *np.flatnonzero(recording.reset), recording.steps])
    return [recording.cut(first, stop)
            for first, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]


def counted(recording: Recording, dtype: type = np.float64) -> Series:
    """Events of each channel in each step."""
    counts = np.zeros((recording.steps, recording.channels))
    step = np.repeat(np.arange(recording.steps), np.diff(recording.start))
    np.add.at(counts, (step, recording.channel), 1)
    return Series(steps=recording.steps, step=np.arange(recording.steps), values=counts,
                  dtype=dtype)


def _joined(parts: list[Series]) -> Series:
    """Series of runs that follow one another, as one."""
    first = np.cumsum([0, *(part.steps for part in parts)])
    return Series(steps=int(first[-1]),
                  step=np.concatenate([part.step + start
                                       for part, start in zip(parts, first[:-1], strict=True)]),
                  values=np.concatenate([part.values for part in parts]))
