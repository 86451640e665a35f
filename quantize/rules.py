# SPDX-License-Identifier: Apache-2.0
"""The rules of the quantizer."""

from dataclasses import dataclass

from spikewright.base.errors import is_choice

__all__ = ["MOST_TERMS", "STATES", "Rules"]

STATES = ("calibrated", "proven")
MOST_TERMS = 4


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Choices of the user for the quantizer, apart from widths.

    Parameters
    ----------
    states : str
        ``calibrated``: states have the widths that the user chose, and may saturate. ``proven``:
        states are so wide that no input can saturate them.
    events_per_channel : int
        Most events of a channel in one step, 1 to 255. The proof of the widths assumes this.
    retime : bool
        Whether outputs come as early as the delays allow. Otherwise at the time of the network
        file.
    decay_terms : int, optional
        Each decay becomes a sum of at most this many signed powers of two, 1 to 4. By default, it
        becomes any integer.

    Raises
    ------
    TypeError
        If a number is not an int.
    ValueError
        If a choice is out of its range.
    """

    states: str = "calibrated"
    events_per_channel: int = 1
    decay_terms: int | None = None
    retime: bool = True

    def __post_init__(self) -> None:
        if not is_choice(self.states, STATES):
            raise ValueError(f"Rule states must be one of {', '.join(STATES)}, "
                             f"not {self.states!r}")
        if type(self.retime) is not bool:
            raise TypeError(f"Rule retime must be True or False, not {self.retime!r}")
        for name, most in (("events_per_channel", 255), ("decay_terms", MOST_TERMS)):
            value = getattr(self, name)
            if name == "decay_terms" and value is None:
                continue
            if type(value) is not int:
                raise TypeError(f"Rule {name} must be an int, not {value!r}")
            if not 1 <= value <= most:
                raise ValueError(f"Rule {name} must be between 1 and {most}, not {value!r}")
