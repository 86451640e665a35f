# SPDX-License-Identifier: Apache-2.0
"""The cost of rounding to integers: the model beside floating point, over a recording."""

from collections.abc import Iterable

import numpy as np

from spikewright.golden.run import Answer
from spikewright.model.model import IntegerModel
from spikewright.network.graded.network import AnyNetwork
from spikewright.network.graded.run import run_float
from spikewright.network.metrics import (
    correlation,
    published_time,
    r_squared,
    spike_agreement,
    unit_scale,
)
from spikewright.network.recording import Recording

from .markdown import digits
from .parts.accuracy import Accuracy, Score

__all__ = ["FLOATS", "MOST_STEPS", "Results", "axes", "compare", "decoded", "decodes", "decoding",
           "foreign", "number", "outputs_of", "score", "six_digits"]

# The floating-point models take about 25 us a step each: an hour of spikes takes minutes.
MOST_STEPS = 150_000

# With less correlation on its best axis, a network does not decode: spikes of another session give
# about 0.
DECODES = 0.2

FLOATS = {"fp64": np.float64, "fp32": np.float32, "fp16": np.float16}

# For each arithmetic: velocity float64 (steps, axes), and spikes bool (steps, neurons).
Results = dict[str, tuple[np.ndarray, np.ndarray]]


def outputs_of(network: AnyNetwork, recording: Recording,
               formats: Iterable[str] = tuple(FLOATS)) -> Results:
    """Velocity and spikes of ``network`` in each floating-point format of ``formats``, by name."""
    results = {}
    for name in formats:
        with np.errstate(over="ignore", invalid="ignore"):
            trace = run_float(network, recording, FLOATS[name])
        results[name] = trace.velocity, trace.spikes
    return results


def score(model: IntegerModel, recording: Recording, results: Results,
          answer: Answer) -> Accuracy:
    """Fidelity of every arithmetic to fp32, and how well each decodes.

    Parameters
    ----------
    model : IntegerModel
    recording : Recording
    results : dict
        As `outputs_of` gives it.
    answer : Answer
        The answer of the integer model, for these steps at least.

    Returns
    -------
    Accuracy
        The result of `compare`, with a row for the integers at the end.
    """
    integers = answer.velocity[:recording.steps], answer.spikes[:recording.steps]
    name = "int" + "/".join(map(str, model.weight_bits))
    return compare({**results, name: integers}, recording,
                   lead_steps=model.lead_steps, dt=model.dt)


def compare(results: Results, recording: Recording, *, lead_steps: int,
            dt: float) -> Accuracy:
    """Fidelity of every result to the result ``fp32``, and how well each decodes.

    Parameters
    ----------
    results : dict
        As `outputs_of` gives it, with any further arithmetic.
    recording : Recording
        The recording that gave these results.
    lead_steps : int
        Steps by which outputs come earlier than from the published code.
    dt : float
        Seconds per step.

    Returns
    -------
    Accuracy
        A row for each result. Outputs are compared with the velocity at the time at which the
        published code gives them.
    """
    wanted, spikes = results["fp32"]
    truth = recording.velocity
    aligned = {name: published_time(velocity, lead_steps, recording.reset)
               for name, (velocity, _) in results.items()}
    scale = 1.0 if truth is None else unit_scale(truth, aligned["fp32"])
    rows = []
    for name, (velocity, fired) in results.items():
        rows.append(Score(
            arithmetic=name, fidelity_r2=number(r_squared(wanted, velocity).mean()),
            spike_agreement=six_digits(spike_agreement(spikes, fired)),
            firing_rate_hz=six_digits(fired.mean() / dt) if fired.size else 0.0,
            decoding_r2=() if truth is None else
            numbers(r_squared(truth, scale * aligned[name])),
            decoding_correlation=() if truth is None else
            numbers(correlation(truth, aligned[name]))))
    return Accuracy(steps=recording.steps, rows=tuple(rows),
                    unit_scale=scale if truth is not None else None)


def decodes(velocity: np.ndarray, recording: Recording, lead_steps: int) -> str:
    """How well ``velocity`` follows that of the recording.

    Empty if the recording has none of these axes, or no movement on any of them.
    """
    truth = recording.velocity
    if truth is None or truth.shape[1] != velocity.shape[1]:
        return ""
    aligned = published_time(velocity, lead_steps, recording.reset)
    r2 = r_squared(truth, unit_scale(truth, aligned) * aligned)
    if np.isnan(r2).all():
        return ""
    return (f"correlation of each axis {axes(numbers(correlation(truth, aligned)))} | "
            f"R2 {axes(numbers(r2))}")


def decoding(scored: Accuracy) -> str:
    """How well floating point and integers decode, side by side; empty without a velocity."""
    if scored.unit_scale is None:
        return ""
    single, integers = scored.single, scored.integers
    return " | ".join(
        f"{title} of each axis: {single.arithmetic} {axes(ours)}; "
        f"{integers.arithmetic} {axes(theirs)}" for title, ours, theirs in (
            ("correlation", single.decoding_correlation, integers.decoding_correlation),
            ("R2", single.decoding_r2, integers.decoding_r2)))


def foreign(scored: Accuracy) -> str:
    """A warning where the floating-point network does not decode the recording; else empty."""
    if scored.unit_scale is None:
        return ""
    found = scored.single.decoding_correlation
    if max((value for value in found if value is not None), default=0.0) >= DECODES:
        return ""
    return (f"the network does not decode this recording in floating point either (correlation "
            f"{axes(found)}): check that both are of the same session, with the same order of "
            "channels")


def decoded(row: Score) -> float | None:
    """Mean correlation over the axes; None without a score."""
    known = [value for value in row.decoding_correlation if value is not None]
    return float(np.mean(known)) if known else None


def axes(values: tuple[float | None, ...]) -> str:
    """A figure of each axis, with three decimals."""
    return ", ".join(map(digits, values))


def six_digits(value: float) -> float:
    """``value`` with six digits."""
    return float(f"{value:.6g}")


def number(value: float) -> float | None:
    """``value`` with six digits; None for NaN and infinity, which JSON does not have."""
    return six_digits(value) if np.isfinite(value) else None


def numbers(values: np.ndarray) -> tuple[float | None, ...]:
    """`number` of every value of an array."""
    return tuple(number(value) for value in values)
