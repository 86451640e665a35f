# SPDX-License-Identifier: Apache-2.0
"""The parts of a report about the model: its size, how it was made, and what it lost."""

from dataclasses import dataclass

from spikewright.model.integers import Widths

__all__ = ["Calibration", "Checkpoint", "Dropped", "Maker", "ModelFacts", "ProvenBits", "StateBits",
           "TablePart"]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The network file that a model was made from.

    Parameters
    ----------
    file : str
        Name of the file.
    sha256 : str
        SHA-256 of the file, in hex.
    """

    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """The size of a model.

    Parameters
    ----------
    name : str
    channels : int
        Channels of the recordings.
    rows : int
        Input rows. Channels whose weights are all zero have none.
    hidden, outputs : int
        Spiking neurons and output neurons.
    dt : float
        Seconds per step.
    widths : Widths
    synthetic : bool
        Whether it is the network that comes with the project.
    """

    name: str
    channels: int
    rows: int
    hidden: int
    outputs: int
    dt: float
    widths: Widths
    synthetic: bool


@dataclass(frozen=True, kw_only=True)
class TablePart:
    """The weight table of one projection.

    Parameters
    ----------
    projection : str
        ``SOURCE->TARGET``.
    delay : int
        Steps.
    bits_per_weight : int
    format : str
        See `plan.formats`.
    first_word, words : int
        Where the table begins, and its length, in words. A word has a weight for each lane.
    rows, row_words : int
        Rows of the table, and words of a row.
    bits : int
        Bits of the whole table.
    non_zeros : int
        Weights other than 0.
    """

    projection: str
    delay: int
    bits_per_weight: int
    format: str
    first_word: int
    words: int
    rows: int
    row_words: int
    bits: int
    non_zeros: int


@dataclass(frozen=True, kw_only=True)
class ProvenBits:
    """Bits of the states that no input can fill.

    Parameters
    ----------
    current, membrane : int or None
        Bits of s and m, sign included. None if no width is enough for every input.
    events_per_channel : int
        Most spikes of one channel in one step that the proof assumes.
    """

    current: int | None
    membrane: int | None
    events_per_channel: int


@dataclass(frozen=True, kw_only=True)
class StateBits:
    """Bits of all states of a model.

    Parameters
    ----------
    calibrated : int
        With calibrated widths.
    proven : int or None
        With proven widths. None if there are none.
    """

    calibrated: int
    proven: int | None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How the states were scaled.

    Parameters
    ----------
    rule : str
        How the fraction bits were chosen, in words.
    states : str
        ``calibrated`` or ``proven``.
    proven : bool
        Whether no input can saturate a state.
    source : str
        The spikes.
    margin : float
        The peaks fit so many times.
    current_peak, membrane_peak : float
        Largest s and m over these spikes, in LSB of a weight.
    proven_bits : ProvenBits
    state_bits : StateBits
    simulated : bool
        Whether the spikes were simulated.
    """

    rule: str
    states: str
    proven: bool
    source: str
    margin: float
    current_peak: float
    membrane_peak: float
    proven_bits: ProvenBits
    state_bits: StateBits
    simulated: bool


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Parts of the network that the model does not have.

    Parameters
    ----------
    channels, neurons : int
        How many were left out.
    empty_rows : int
        Input rows without any weight, which are kept.
    shared_rows : int
        Input rows that serve several channels.
    """

    channels: int
    neurons: int
    empty_rows: int
    shared_rows: int


@dataclass(frozen=True, kw_only=True)
class Maker:
    """The Spikewright that made a file.

    Parameters
    ----------
    version : str
    commit : str or None
        Commit of the checkout; ``-dirty`` follows if a file was changed. None without a checkout.
    """

    version: str
    commit: str | None
