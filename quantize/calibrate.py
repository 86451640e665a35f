# SPDX-License-Identifier: Apache-2.0
"""Calibration: the choice of the fraction bits, so that the states of a recording fit."""

import math
from dataclasses import dataclass, replace

import numpy as np

from spikewright.model.integers import Widths
from spikewright.network.graded.network import AnyNetwork
from spikewright.network.network import Network, Population
from spikewright.network.recording import Recording, simulated_recording
from spikewright.network.reference import Trace, run_reference

from .rounding import Rounded

__all__ = ["Calibration", "calibrate", "calibration_spikes"]

MARGIN = 1.5
MOST_FRACTION = 8

# Thresholds below which an integrator without a leak may saturate: it is silent for long anyway.
DEEP = 16


def calibration_spikes(network: AnyNetwork, recording: Recording | None) -> Recording:
    """``recording``, which must fit ``network``. Without one, simulated spikes.

    Raises
    ------
    InputError
        If the recording has other channels or another dt than the network.
    ValueError
        If it has no spike.
    """
    if recording is None:
        recording = simulated_recording(network)
    recording.check_fits(network.channels, network.dt)
    if not len(recording.channel):
        raise ValueError(f"Recording {recording.name} must hold spikes to calibrate on, not none")
    return recording


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The chosen widths, and the evidence for them.

    Parameters
    ----------
    widths : Widths
    source : str
        Name of the recording.
    margin : float
        Factor by which the states may exceed their peaks before they saturate.
    current_peak, membrane_peak : float
        Largest magnitude of s and of m over the recording, in weight LSB.
    """

    widths: Widths
    source: str
    margin: float
    current_peak: float
    membrane_peak: float


def calibrate(network: Network, rounded: Rounded, recording: Recording, widths: Widths, *,
              trace: Trace | None = None) -> Calibration:
    """Choose the most fraction bits with which ``MARGIN`` times the peaks still fit.

    The membrane of a spiking neuron without a leak may drift far below 0. Its peak counts as
    ``DEEP`` thresholds at most. Below that it saturates.

    Parameters
    ----------
    network : Network
    rounded : Rounded
    recording : Recording
    widths : Widths
        Its ``fraction`` is replaced.
    trace : Trace, optional
        The run of ``network`` over ``recording``, which gives the peaks. By default, `calibrate`
        makes this run.

    Raises
    ------
    ValueError
        If the peaks do not fit with 0 fraction bits.
    """
    trace = trace or run_reference(network, recording)
    weight = max(bits + shift for bits, shift in zip(rounded.bits, rounded.shift, strict=True))
    sigma = rounded.scale
    s_peak = max(float((trace.current_peak[name] / sigma[name]).max()) for name in sigma)
    m_peak = max(float((_membrane_peak(network.population(name), trace) / sigma[name]).max())
                 for name in sigma)
    room_s = widths.largest_current / max(s_peak * MARGIN, 1)
    room_m = widths.largest_membrane / max(m_peak * MARGIN, 1)
    fraction = min(math.floor(math.log2(min(room_s, room_m))), MOST_FRACTION,
                   widths.current - weight)
    if fraction < 0:
        raise ValueError(f"States must fit {widths.current} and {widths.membrane} bits, not peak "
                         f"at {s_peak:.0f} and {m_peak:.0f} weight LSB with a margin of "
                         f"{MARGIN}: take fewer weight bits or wider states")
    return Calibration(
        widths=replace(widths, fraction=fraction), source=recording.name, margin=MARGIN,
        current_peak=s_peak, membrane_peak=m_peak)


def _membrane_peak(population: Population, trace: Trace) -> np.ndarray:
    """Largest magnitude of m of each neuron, as far as it counts."""
    peak = trace.membrane_peak[population.name]
    if not population.spiking:
        return peak
    return np.where(population.membrane_decay == 1,
                    np.minimum(peak, DEEP * np.abs(population.threshold)), peak)
