# SPDX-License-Identifier: Apache-2.0
"""The parts of a report about the hardware: board, cells, critical path, activity."""

from dataclasses import dataclass

__all__ = ["BoardFacts", "Cells", "CriticalPath", "Hop", "Idle"]


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
