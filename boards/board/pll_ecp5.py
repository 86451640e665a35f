# SPDX-License-Identifier: Apache-2.0
"""Settings of the ECP5 PLL, and the frequencies that it can make."""

from dataclasses import dataclass

__all__ = ["Ecp5PllSettings", "pll_outputs"]

# Limits of the PLL in Hz (Lattice ECP5 and ECP5-5G Family Data Sheet, sysCLOCK PLL timing).
PHASE_DETECTOR = (10_000_000, 400_000_000)
OSCILLATOR     = (400_000_000, 800_000_000)
OUTPUT         = (3_125_000, 400_000_000)


@dataclass(frozen=True, kw_only=True)
class Ecp5PllSettings:
    """Parameters of EHXPLLL with feedback from its primary output.

    The output runs at ``input * feedback / reference``, the oscillator ``output`` times as fast.
    """

    reference: int
    feedback: int
    output: int

    def output_hz(self, input_hz: int) -> float:
        """Frequency of the output."""
        return input_hz * self.feedback / self.reference


def pll_outputs(input_hz: int) -> dict[int, Ecp5PllSettings]:
    """Every whole number of Hz that the PLL makes from ``input_hz``, with the settings.

    If several settings make the same frequency, the result has the one with the fastest phase
    detector, because it has the least jitter. The oscillator runs as near as possible to the
    middle of its range.
    """
    middle = sum(OSCILLATOR) / 2
    outputs: dict[int, Ecp5PllSettings] = {}
    for reference in range(1, 129):
        if not PHASE_DETECTOR[0] <= input_hz / reference <= PHASE_DETECTOR[1]:
            continue
        for feedback in range(1, 129):
            hertz, rest = divmod(input_hz * feedback, reference)
            output = min(max(round(middle / max(hertz, 1)), 1), 128)
            if (rest == 0 and OUTPUT[0] <= hertz <= OUTPUT[1]
                    and OSCILLATOR[0] <= hertz * output <= OSCILLATOR[1]):
                outputs.setdefault(hertz, Ecp5PllSettings(reference=reference, feedback=feedback,
                                                          output=output))
    return outputs
