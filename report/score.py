# SPDX-License-Identifier: Apache-2.0
"""The cost of rounding to integers: the model beside floating point, over a recording."""

from collections.abc import Iterable

import numpy as np

from spikewright.golden.run import Answer
from spikewright.model.model import IntegerModel
from spikewright.network.metrics import (
    correlation,
    published_time,
    r_squared,
    spike_agreement,
    unit_scale,
)
from spikewright.network.network import Network
from spikewright.network.recording import Recording
from spikewright.network.reference import run_reference

__all__ = ["FLOATS", "MOST_STEPS", "Results", "compare", "decoded", "decoding", "digits",
           "foreign", "number", "outputs_of", "score"]

# The floating-point models take about 25 us a step each: an hour of spikes takes minutes.
MOST_STEPS = 150_000

# With less correlation on its best axis, a network does not decode: spikes of another session give
# about 0.
DECODES = 0.2

FLOATS = {"fp64": np.float64, "fp32": np.float32, "fp16": np.float16}

# For each arithmetic: velocity float64 (steps, axes), and spikes bool (steps, neurons).
Results = dict[str, tuple[np.ndarray, np.ndarray]]


def outputs_of(network: Network, recording: Recording,
               formats: Iterable[str] = tuple(FLOATS)) -> Results:
    """Velocity and spikes of ``network`` in each floating-point format of ``formats``, by name."""
    results = {}
    for name in formats:
        with np.errstate(over="ignore", invalid="ignore"):
            trace = run_reference(network, recording, FLOATS[name])
        results[name] = trace.velocity, trace.spikes
    return results


def score(model: IntegerModel, recording: Recording, results: Results, answer: Answer) -> dict:
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
    dict
        The result of `compare`, with a row for the integers at the end.
    """
    integers = answer.velocity[:recording.steps], answer.spikes[:recording.steps]
    name = "int" + "/".join(map(str, model.weight_bits))
    return compare({**results, name: integers}, recording,
                   lead_steps=model.lead_steps, dt=model.dt)


def compare(results: Results, recording: Recording, *, lead_steps: int, dt: float) -> dict:
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
    dict
        ``rows``, one for each arithmetic: ``fidelity_r2`` (mean over outputs) and
        ``spike_agreement`` against fp32, ``firing_rate_hz`` per neuron, and, if the recording has
        a velocity, ``decoding_r2`` and ``decoding_correlation`` per axis, at published time;
        ``steps`` that were scored; ``unit_scale``, by which outputs are multiplied for
        ``decoding_r2``.
    """
    wanted, spikes = results["fp32"]
    truth = recording.velocity
    aligned = {name: published_time(velocity, lead_steps, recording.reset)
               for name, (velocity, _) in results.items()}
    scale = 1.0 if truth is None else unit_scale(truth, aligned["fp32"])
    rows = []
    for name, (velocity, fired) in results.items():
        row: dict = {"arithmetic": name, "fidelity_r2": number(r_squared(wanted, velocity).mean()),
                     "spike_agreement": number(spike_agreement(spikes, fired)),
                     "firing_rate_hz": number(fired.mean() / dt)}
        if truth is not None:
            row["decoding_r2"] = numbers(r_squared(truth, scale * aligned[name]))
            row["decoding_correlation"] = numbers(correlation(truth, aligned[name]))
        rows.append(row)
    return {"steps": recording.steps, "rows": rows,
            "unit_scale": scale if truth is not None else None}


def decoding(scored: dict) -> str:
    """How well floating point and integers decode, side by side; empty without a velocity.

    ``scored`` is the result of `compare`.
    """
    if scored["unit_scale"] is None:
        return ""
    parts = []
    for title, key in (("correlation", "decoding_correlation"), ("R2", "decoding_r2")):
        values = "; ".join(f"{row['arithmetic']} {', '.join(map(digits, row[key]))}"
                           for row in _both(scored))
        parts.append(f"{title} of each axis: {values}")
    return " | ".join(parts)


def foreign(scored: dict) -> str:
    """A warning where the floating-point network does not decode the recording; else empty."""
    if scored["unit_scale"] is None:
        return ""
    found = _both(scored)[0]["decoding_correlation"]
    if max((value for value in found if value is not None), default=0.0) >= DECODES:
        return ""
    return (f"the network does not decode this recording in floating point either (correlation "
            f"{', '.join(map(digits, found))}): check that both are of the same session, with the "
            "same order of channels")


def decoded(scored: dict) -> list[float | None]:
    """Mean correlation over the axes, in single precision and in integers; None without a score."""
    means: list[float | None] = []
    for row in _both(scored):
        known = [value for value in row.get("decoding_correlation", ()) if value is not None]
        means.append(float(np.mean(known)) if known else None)
    return means


def digits(value: float | None) -> str:
    """``value`` with three decimals."""
    return "none" if value is None else f"{value:.3f}"


def _both(scored: dict) -> list[dict]:
    """The rows of single precision and of the integers."""
    rows = {row["arithmetic"]: row for row in scored["rows"]}
    return [rows["fp32"], scored["rows"][-1]]


def number(value: float) -> float | None:
    """``value`` with six digits; None for NaN and infinity, which JSON does not have."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def numbers(values: np.ndarray) -> list[float | None]:
    """`number` of every value of an array."""
    return [number(value) for value in values]
