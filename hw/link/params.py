# SPDX-License-Identifier: Apache-2.0
"""Parameters of the link."""

from dataclasses import dataclass

from spikewright.plan.config import BAUDS, BIT_CYCLES
from spikewright.plan.frames import OUTPUTS_MAX, Capability

from ..layouts import load_layout

__all__ = ["LinkParams", "TableParams"]


def _check(params, name, low, high, why=""):
    value = getattr(params, name)
    if type(value) is not int:  # rejects `bool`, `float`, and NumPy integers
        raise TypeError(f"Link {name} must be an int, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"Link {name} must be between {low} and {high}{why}, not {value!r}")


@dataclass(frozen=True, kw_only=True)
class TableParams:
    """What a host loads into the core.

    Parameters
    ----------
    words : :class:`int`
    word_bytes : :class:`int`
        Bytes that carry a word.
    lanes : :class:`int`
        Weights of a word.
    crc : :class:`int`, optional
        CRC-16/IBM-3740 over the bytes of all words. None if the host may load any model of the same
        form: the last LOAD then brings the model's hash and the CRC.
    there : :class:`bool`
        After configuration the core has all words.
    staged : :class:`bool`
        The words wait in a memory of their own until they are whole. Only without ``crc``.
    """

    words:      int
    word_bytes: int
    lanes:      int
    crc:        int | None
    there:      bool = False
    staged:     bool = False

    def __post_init__(self):
        _check(self, "words",      1, (1 << 16) - 2)
        _check(self, "word_bytes", 1, 255)
        _check(self, "lanes",      1, 64)
        if self.crc is not None:
            _check(self, "crc",    0, 0xffff)

    @property
    def load(self):
        """Shape of a byte for the core."""
        return load_layout(self.words, self.word_bytes, self.staged)


@dataclass(frozen=True, kw_only=True)
class LinkParams:
    """What one link serves, and how fast its line runs.

    Parameters
    ----------
    rows : :class:`int`
        Input rows of the core. An event of a higher row is dropped, and counted. Where there are
        more than 256, an event takes two bytes of a frame.
    outputs : :class:`int`
        Outputs of the core, at most ``OUTPUTS_MAX``.
    width : :class:`int`
        Width of one output, in bits, sign included; at most 32, which is what an answer carries.
    model_hash, program_hash : :class:`bytes`
        First 8 bytes of the model's hash, and of `plan.plan.Plan.program_hash`, as INFO returns
        them.
    clock_hz : :class:`int`
        Frequency of the ``sync`` domain, in Hz.
    baud : :class:`int`
        Bits per second on the line, at most an eighth of ``clock_hz``.
    table : :class:`TableParams`, optional
        What LOAD frames must bring before a STEP counts; None where the core has its weights.
    """

    rows:         int
    outputs:      int
    width:        int
    model_hash:   bytes
    program_hash: bytes
    clock_hz:     int
    baud:         int
    table:        TableParams | None = None

    def __post_init__(self):
        _check(self, "rows",     1, 1 << 16)
        _check(self, "outputs",  1, OUTPUTS_MAX)
        _check(self, "width",    1, 32)
        _check(self, "clock_hz", 1_000_000, 1_000_000_000)
        most = self.clock_hz // BIT_CYCLES
        _check(self, "baud",     BAUDS[0], most, f", a bit of {BIT_CYCLES} clock cycles")
        for name in ("model_hash", "program_hash"):
            value = getattr(self, name)
            if type(value) is not bytes:
                raise TypeError(f"Link {name} must be bytes, not {value!r}")
            if len(value) != 8:
                raise ValueError(f"Link {name} must be 8 bytes long, not {value!r}")
        nearest = self.clock_hz / self.divisor
        if abs(nearest / self.baud - 1) > 0.02:
            raise ValueError(f"Link baud must be within 2 % of clock_hz divided by an integer "
                             f"(nearest: {nearest:.0f}), not {self.baud!r}")

    @property
    def keeps(self):
        """Whether the link takes the hash of a model that is loaded."""
        return self.table is not None and self.table.crc is None

    @property
    def capability(self):
        """What the link can do, as INFO returns it."""
        if self.table is None:
            return Capability(0)
        if not self.keeps:
            return Capability.WEIGHTS
        return Capability.MODEL | Capability.STAGED if self.table.staged else Capability.MODEL

    @property
    def divisor(self):
        """Clock cycles per bit."""
        return (2 * self.clock_hz + self.baud) // (2 * self.baud)
