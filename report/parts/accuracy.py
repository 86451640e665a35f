# SPDX-License-Identifier: Apache-2.0
"""The parts of a report about accuracy: the recording, and the scores over it."""

from dataclasses import dataclass

__all__ = ["Accuracy", "Measured", "Score"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The recording that the figures were measured on.

    Parameters
    ----------
    name : str
    simulated : bool
        Whether the spikes were simulated because no recording was given.
    synthetic : bool
        Whether nothing in it was measured on a subject.
    source, licence : str
        Where it comes from.
    steps : int
    seconds : float
    too_full_steps : int
        Steps with more events than a frame carries.
    events_mean : float
        Events of a step.
    events_largest : int
    has_velocity : bool
    saturated_steps : int
        Steps at which a state had saturated since the last reset.
    sha256 : str or None
        SHA-256 of the file, in hex. None for simulated spikes.
    """

    name: str
    simulated: bool
    synthetic: bool
    source: str
    licence: str
    steps: int
    seconds: float
    too_full_steps: int
    events_mean: float
    events_largest: int
    has_velocity: bool
    saturated_steps: int
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Score:
    """How well one arithmetic agrees with fp32, and how well it decodes.

    Parameters
    ----------
    arithmetic : str
        ``fp64``, ``fp32``, ``fp16``, or the bits of the integers, such as ``int8``.
    fidelity_r2 : float or None
        R2 with the outputs of fp32, mean over the outputs. None if it is not defined.
    spike_agreement : float
        Share of the spikes that both have at the same neuron and step.
    firing_rate_hz : float
        Spikes per second of a neuron.
    decoding_r2, decoding_correlation : tuple of float or None
        Against the velocity of the recording, for each axis. Empty without a velocity. None for an
        axis on which the figure is not defined.
    """

    arithmetic: str
    fidelity_r2: float | None
    spike_agreement: float
    firing_rate_hz: float
    decoding_r2: tuple[float | None, ...] = ()
    decoding_correlation: tuple[float | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How well floating point and integers agree and decode.

    Parameters
    ----------
    steps : int
        Steps that were scored.
    unit_scale : float or None
        Outputs are multiplied by this for ``decoding_r2``. None without a velocity.
    rows : tuple of Score
        One for each arithmetic, with fp32 among them. The integers are the last.

    Raises
    ------
    ValueError
        If there is no row for fp32.
    """

    steps: int
    unit_scale: float | None
    rows: tuple[Score, ...]

    def __post_init__(self) -> None:
        if "fp32" not in (row.arithmetic for row in self.rows):
            raise ValueError("Accuracy rows must have fp32 among them, not "
                             f"{', '.join(row.arithmetic for row in self.rows) or 'none'}")

    @property
    def single(self) -> Score:
        """The row of 32-bit floating point."""
        return next(row for row in self.rows if row.arithmetic == "fp32")

    @property
    def integers(self) -> Score:
        """The row of the integers."""
        return self.rows[-1]

    @property
    def spikes(self) -> bool:
        """Whether any neuron fires. No unit of a graded network does."""
        return any(row.firing_rate_hz > 0 for row in self.rows)
