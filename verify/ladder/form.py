# SPDX-License-Identifier: Apache-2.0
"""The form of ladder.json: what the tables, the picture and the page read."""

from dataclasses import dataclass

from spikewright.report.form import from_form

__all__ = ["check_form"]


@dataclass(frozen=True, kw_only=True)
class _Check:
    """How many steps were compared, and whether the hardware equals golden in all of them."""

    equal: bool
    steps: int


@dataclass(frozen=True, kw_only=True)
class _Row:
    """Figures of a rung."""

    rung: str
    bits: int
    table_bits: float
    state_bits: float
    footprint_bytes: float
    synaptic_operations: float
    dense_operations: float
    decay_multiplies: float
    connection_sparsity: float
    activation_sparsity: float | None
    fidelity_r2: float | None
    spike_agreement: float | None
    firing_rate_hz: float | None
    rtl: _Check | None
    gates: _Check | None
    effective_macs: float | None = None
    decoding_r2: tuple[float | None, ...] = ()
    decoding_correlation: tuple[float | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Checkpoint:
    """The file of a network."""

    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class _Recording:
    """What a network was measured on."""

    name: str
    steps: int
    simulated: bool
    synthetic: bool
    source: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class _Network:
    """A network and its rungs."""

    name: str
    checkpoint: _Checkpoint
    synthetic: bool
    recording: _Recording
    calibration: str | None
    rungs: tuple[_Row, ...]


@dataclass(frozen=True, kw_only=True)
class _Ladder:
    rungs: tuple[str, ...]
    networks: tuple[_Network, ...]
    mean: tuple[_Row, ...]


def check_form(ladder: dict) -> None:
    """Check the kind of each entry of a ladder.

    Raises
    ------
    ValueError
        If an entry is missing or has a wrong kind, or rungs do not fit together. The message names
        the entry.
    """
    read = from_form(_Ladder, ladder)
    if not (read.rungs and read.networks):
        raise ValueError("rungs and networks must have entries, not none")
    for name, rows in (("mean", read.mean), *((network.name, network.rungs)
                                              for network in read.networks)):
        if tuple(row.rung for row in rows) != read.rungs:
            raise ValueError(f"{name} must have a row for each of the rungs "
                             f"{', '.join(read.rungs)}")
