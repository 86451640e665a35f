# SPDX-License-Identifier: Apache-2.0
"""Choice of the number formats: how many fraction bits fit the states, and by what evidence."""

import math
from dataclasses import dataclass, replace

from spikewright.model.model import Widths
from spikewright.network.network import Network
from spikewright.network.recording import Recording
from spikewright.network.reference import Trace, run_reference

from .rounding import Rounded

__all__ = ["Calibration", "calibrate"]

MARGIN = 1.5
MOST_FRACTION = 8


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Chosen widths, and the evidence: peaks in weight LSB, margin, and where they were seen."""

    widths: Widths
    source: str
    margin: float
    current_peak: float
    membrane_peak: float


def calibrate(network: Network, rounded: Rounded, recording: Recording, widths: Widths, *,
              trace: Trace | None = None) -> Calibration:
    """Take the most fraction bits with which the peaks over ``recording`` fit ``MARGIN`` times.

    They take the place of those of ``widths``. ``trace`` is the run of ``network`` over
    ``recording``; it is made where None.

    Raises
    ------
    ValueError
        If not even 0 fraction bits fit.
    """
    trace = trace or run_reference(network, recording)
    weight = max(bits + shift for bits, shift in zip(rounded.bits, rounded.shift, strict=True))
    sigma = rounded.scale
    s_peak = max(float((trace.current_peak[name] / sigma[name]).max()) for name in sigma)
    m_peak = max(float((trace.membrane_peak[name] / sigma[name]).max()) for name in sigma)
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
