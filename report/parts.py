# SPDX-License-Identifier: Apache-2.0
"""The parts of a report: what each entry of report.json holds."""

from dataclasses import dataclass

from spikewright.model.model import Widths

__all__ = ["Accuracy", "BoardFacts", "Calibration", "Cells", "Checkpoint", "CriticalPath",
           "CycleTimes", "Dropped", "Hop", "Idle", "Latency", "Line", "LineTimes", "Maker",
           "Measured", "Microseconds", "ModelFacts", "ProvenBits", "Score", "StateBits",
           "StepCycles", "StepTimes", "TablePart"]


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
class BoardFacts:
    """The board of a build.

    Parameters
    ----------
    name : str
        Name in ``spikewright boards``.
    title, device : str
        Name of the product, and of its FPGA.
    program : str
        Command that loads the bitstream.
    bitstream : str
        File name of the bitstream, in the folder of the build.
    ebr_bits : int
        Bits of a block RAM.
    """

    name: str
    title: str
    device: str
    program: str
    bitstream: str
    ebr_bits: int


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Activity between two steps, simulated before synthesis.

    Parameters
    ----------
    flip_flops : int
        Bits of all registers.
    toggles : float
        Mean number of these bits that change, per cycle.
    read_ports : int
        Read ports of all memories.
    reads : float
        Mean number of these ports that read, per cycle.
    """

    flip_flops: int
    toggles: float
    read_ports: int
    reads: float


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Cells of one kind, such as logic cells.

    Parameters
    ----------
    used, available : int
        Cells that the design takes, and that the device has.
    """

    used: int
    available: int


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One part of the critical path.

    Parameters
    ----------
    kind : str
        ``clk-to-q``, ``logic``, ``routing`` or ``setup``.
    delay_ns : float
        Nanoseconds.
    block : str
        Block in which the part ends, see `report.names.BLOCKS`.
    signal : str
        End of the part: the routed signal, or the signal that the cell drives.
    """

    kind: str
    delay_ns: float
    block: str
    signal: str


@dataclass(frozen=True, kw_only=True)
class CriticalPath:
    """The slowest path from flip-flop to flip-flop.

    Parameters
    ----------
    delay_ns : float
        Nanoseconds.
    hops : tuple of Hop
    """

    delay_ns: float
    hops: tuple[Hop, ...]


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Clock cycles from the last event of a step to its result.

    Parameters
    ----------
    mean : float
        Mean over the recording.
    largest_seen : int
        Most over the recording.
    worst : int
        Most over all inputs, proven.
    worst_is : str
        What ``worst`` is proven for.
    """

    mean: float
    largest_seen: int
    worst: int
    worst_is: str


@dataclass(frozen=True, kw_only=True)
class StepCycles(Latency):
    """Clock cycles of a step.

    Parameters
    ----------
    budget : int
        Cycles until the next step begins.
    worst_events : int
        Events of a full frame.
    """

    budget: int
    worst_events: int


@dataclass(frozen=True, kw_only=True)
class CycleTimes:
    """The figures of `Latency` in microseconds."""

    mean: float
    largest_seen: float
    worst: float


@dataclass(frozen=True, kw_only=True)
class StepTimes(CycleTimes):
    """The figures of `StepCycles` in microseconds."""

    budget: float


@dataclass(frozen=True, kw_only=True)
class Microseconds:
    """Clock cycles as times.

    Parameters
    ----------
    cycles : StepTimes
    latency : CycleTimes
    """

    cycles: StepTimes
    latency: CycleTimes


@dataclass(frozen=True, kw_only=True)
class LineTimes:
    """Microseconds of the requests of a step on the serial line.

    Parameters
    ----------
    mean : float
        Mean over the recording, of all frames of a step.
    worst : float
        The longest frame.
    """

    mean: float
    worst: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """Times on the serial line.

    Parameters
    ----------
    request_us : LineTimes
    answer_us : float
        Microseconds of an answer.
    """

    request_us: LineTimes
    answer_us: float


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
