# SPDX-License-Identifier: Apache-2.0
"""Settings of the iCE40 PLL, and the frequencies that it can make."""

from dataclasses import dataclass

__all__ = ["PllSettings", "pll_outputs"]

# Limits of the PLL in Hz (Lattice iCE40 sysCLOCK PLL Design and Usage Guide).
PHASE_DETECTOR = (10_000_000, 133_000_000)
OSCILLATOR     = (533_000_000, 1_066_000_000)
OUTPUT         = (16_000_000, 275_000_000)

# Highest frequency at the phase detector for filters 1, 2, ..; above the last, filter 6.
FILTERS = (17_000_000, 26_000_000, 44_000_000, 66_000_000, 101_000_000)


@dataclass(frozen=True, kw_only=True)
class PllSettings:
    """Parameters of SB_PLL40 with simple feedback.

    The oscillator runs at ``input * (divf + 1) / (divr + 1)``. The output is the oscillator
    divided by ``2**divq``.
    """

    divr: int
    divf: int
    divq: int
    filter_range: int

    def output_hz(self, input_hz: int) -> float:
        """Frequency of the output."""
        return input_hz * (self.divf + 1) / (self.divr + 1) / (1 << self.divq)


def pll_outputs(input_hz: int) -> dict[int, PllSettings]:
    """Every whole number of Hz that the PLL makes from ``input_hz``, with the settings.

    If several settings make the same frequency, the result has the one with the fastest phase
    detector, because it has the least jitter.
    """
    outputs: dict[int, PllSettings] = {}
    for divr in range(16):
        if not PHASE_DETECTOR[0] <= input_hz / (divr + 1) <= PHASE_DETECTOR[1]:
            continue
        filter_range = 1 + sum(input_hz / (divr + 1) >= limit for limit in FILTERS)
        for divf in range(128):
            if not OSCILLATOR[0] <= input_hz * (divf + 1) / (divr + 1) <= OSCILLATOR[1]:
                continue
            for divq in range(1, 7):
                settings = PllSettings(divr=divr, divf=divf, divq=divq, filter_range=filter_range)
                output = settings.output_hz(input_hz)
                if OUTPUT[0] <= output <= OUTPUT[1] and output.is_integer():
                    outputs.setdefault(int(output), settings)
    return outputs
