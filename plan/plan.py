# SPDX-License-Identifier: Apache-2.0
"""A model on a core: what the user chose, and everything that follows from it before synthesis."""

from dataclasses import dataclass
from functools import cached_property

from spikewright.base.errors import InputError
from spikewright.model.model import IntegerModel

from .config import CoreConfig
from .images import load_bytes
from .layout import Layout
from .program import Program, compile_program

__all__ = ["MOST_BITS", "MOST_WORDS", "Plan"]

# Four large RAMs of the iCE40UP5K side by side: 16 bits each, all at one address.
MOST_WORDS = 1 << 14
MOST_BITS  = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """How a model lies on a core.

    Parameters
    ----------
    model : IntegerModel
    config : CoreConfig

    Raises
    ------
    InputError
        If the program cannot have the form of the model, or the large RAMs cannot hold its table.
    """

    model: IntegerModel
    config: CoreConfig

    def __post_init__(self) -> None:
        _ = self.program        # refuses a form that no program can have
        if self.large:
            self._check_large()

    @cached_property
    def layout(self) -> Layout:
        """Where populations, rows and tables lie."""
        config = self.config
        return Layout(model=self.model, lanes=config.lanes, tables_format=config.tables,
                      units=config.lanes if config.neurons == "lanes" else 1)

    @cached_property
    def program(self) -> Program:
        """What a step does."""
        return compile_program(self.model, self.layout, self.config)

    @property
    def large(self) -> bool:
        """Whether the weights lie in large RAMs, which a host fills."""
        return self.config.weight_memory == "large"

    @property
    def loaded(self) -> list[int]:
        """Words that a host fills the large RAMs with; none where the weights lie elsewhere."""
        return self.layout.images[self.model.widths.weight].dense if self.large else []

    @property
    def word_bytes(self) -> int:
        """Bytes that carry a word of weights when it is loaded."""
        return -(-self.config.lanes * self.model.widths.weight // 8)

    @property
    def loaded_bytes(self) -> bytes:
        """The words of ``loaded`` as a host sends them."""
        return load_bytes(self.loaded, self.word_bytes)

    def _check_large(self) -> None:
        bits, lanes, words = self.model.weight_bits, self.config.lanes, len(self.loaded)
        if len(bits) > 1:
            raise InputError(f"Weights must have the same bits in every projection in large "
                             f"weight memory, not {' and '.join(map(str, bits))}")
        if bits[0] * lanes > MOST_BITS:
            raise InputError(f"Lanes times weight bits must be at most {MOST_BITS} in large "
                             f"weight memory, not {lanes} times {bits[0]}")
        if words > MOST_WORDS:
            raise InputError(f"Words of {lanes} weights must be at most {MOST_WORDS} in large "
                             f"weight memory, not {words}: take more lanes")
