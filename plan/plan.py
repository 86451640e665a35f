# SPDX-License-Identifier: Apache-2.0
"""The plan: a model, a configuration, and everything that follows from both before synthesis."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property

import numpy as np

from spikewright.base.errors import InputError
from spikewright.model.currents import currents_fit
from spikewright.model.model import IntegerModel

from .compiler import compile_program
from .config import CoreConfig
from .images import load_bytes, neuron_bits, neuron_words
from .layout import Layout
from .loads import LoadMap
from .program import STREAM_LANES, Program

__all__ = ["MOST_BITS", "Plan", "most_words", "suited"]

# The iCE40UP5K has four large RAMs of 2**14 words of 16 bits. They are side by side, or where words
# need fewer of them, one behind the other.
MOST_WORDS = 1 << 14
MOST_BITS  = 64
RAM_BITS   = 16
MOST_RAMS  = MOST_BITS // RAM_BITS

# The answer to LOAD has the number of words in two bytes, and one more may come.
MOST_LOADED = (1 << 16) - 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A model with a configuration of the core.

    Parameters
    ----------
    model : IntegerModel
    config : CoreConfig

    Raises
    ------
    InputError
        If no program can run a model of this form, or the large RAMs cannot hold its table.
    """

    model: IntegerModel
    config: CoreConfig

    def __post_init__(self) -> None:
        if self.model.graded:
            self._check_graded()
        _ = self.program        # refuses a model that no program can run
        if self.large:
            self._check_large()
        if self.config.load == "model":
            self._check_load()

    @cached_property
    def layout(self) -> Layout:
        """Where populations, rows and tables are."""
        config = self.config
        return Layout(model=self.model, lanes=config.lanes, tables_format=config.tables,
                      units=config.lanes if config.neurons == "lanes" else 1)

    @cached_property
    def program(self) -> Program:
        """The operations of a step."""
        return compile_program(self.model, self.layout, self.config)

    @cached_property
    def program_hash(self) -> str:
        """SHA-256, in hex, of everything in the hardware but the constants of the model.

        Two models with the same hash differ only in their weights, decays and thresholds. Where a
        model that is loaded waits does not count: it changes neither the words nor the steps.
        """
        model, config = self.model, asdict(self.config)
        del config["staging"]
        form = {
            "config": config, "widths": asdict(model.widths), "rows": model.rows,
            "silent_steps": model.silent_steps, "fill_steps": model.fill_steps,
            **({"epsilon": model.epsilon} if model.epsilon else {}),
            "populations": [_form(population) for population in model.populations],
            "projections": [_form(projection) for projection in model.projections],
            "tables": [asdict(table) for table in self.layout.tables],
            "words": [[len(image) for image in (images.dense, images.slices, images.directory,
                                                images.packed, images.rows)]
                      for images in self.layout.images.values()],
        }
        return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()

    @property
    def large(self) -> bool:
        """Whether the weights are in large RAMs. The host fills these."""
        return self.config.weight_memory == "large"

    @property
    def large_rams(self) -> dict[str, int]:
        """Large RAMs for the weights, and for a model that is loaded until it is whole."""
        taken = {"weights": 0, "staging": 0}
        if self.large:
            images = self.layout.images[self.model.weight_bits[0]]
            taken["weights"] = _rams(len(images.dense), images.weight_bits * images.lanes)
        if self.config.staging == "large":
            taken["staging"] = _rams(len(self.loaded), 8 * self.word_bytes)
        return taken

    @cached_property
    def load_map(self) -> LoadMap | None:
        """The words that the host loads. None if the device has all its constants."""
        memories: dict[str, tuple[list[int], int]] = {}
        if self.large or self.config.load == "model":
            for bits, name in self.layout.memories:
                memories |= self.layout.images[bits].memories(name)
        if self.config.load == "model":
            memories["neurons"] = neuron_words(self.model), neuron_bits(self.model)
        return LoadMap.of(memories) if memories else None

    @property
    def loaded(self) -> list[int]:
        """The words that the host loads."""
        return self.load_map.image if self.load_map else []

    @property
    def word_bytes(self) -> int:
        """Bytes of one word when the host loads it."""
        return self.load_map.word_bytes if self.load_map else 0

    @property
    def loaded_bytes(self) -> bytes:
        """The words of ``loaded`` as bytes, in the order in which the host sends them."""
        return load_bytes(self.loaded, self.word_bytes)

    def _check_graded(self) -> None:
        for name, needed in suited(self.model).items():
            value = getattr(self.config, name)
            if value != needed:
                form = ("graded values" if name == "neurons" else "a normalized window"
                        if self.model.normalizes else "currents that may be clamped")
                raise InputError(f"Core {name} must be {needed} for a model with {form}, not "
                                 f"{value}")
        if self.model.normalizes and self.config.lanes >= STREAM_LANES:
            raise InputError(f"Core lanes must be below {STREAM_LANES} for a model with a "
                             f"normalized window, not {self.config.lanes}")

    def _check_load(self) -> None:
        if self.model.graded:
            raise InputError("Model must have spiking populations where a model can be loaded, not "
                             "graded ones")
        assert self.load_map is not None
        if self.load_map.words > MOST_LOADED:
            raise InputError(f"Words of {self.config.lanes} weights and of neurons must be at most "
                             f"{MOST_LOADED} where a model can be loaded, not "
                             f"{self.load_map.words}: take more lanes")
        rams = self.large_rams
        if sum(rams.values()) > MOST_RAMS:
            raise InputError(f"Large RAMs must be at most {MOST_RAMS}, not {rams['weights']} for "
                             f"weights and {rams['staging']} for a model that is loaded: take "
                             "--staging block or none")

    def _check_large(self) -> None:
        bits, lanes = self.model.weight_bits, self.config.lanes
        words = len(self.layout.images[bits[0]].dense)
        if len(bits) > 1:
            raise InputError(f"Weights must have the same bits in every projection in large "
                             f"weight memory, not {' and '.join(map(str, bits))}")
        if bits[0] * lanes > MOST_BITS:
            raise InputError(f"Lanes times weight bits must be at most {MOST_BITS} in large "
                             f"weight memory, not {lanes} times {bits[0]}")
        most = most_words(bits[0] * lanes)
        if words > most:
            raise InputError(f"Words of {lanes} weights must be at most {most} in large "
                             f"weight memory, not {words}: take more lanes")


def suited(model: IntegerModel) -> dict[str, str]:
    """The choices of a core that ``model`` needs: they replace those of a preset."""
    if not model.graded:
        return {}
    # A digit may fill a current that the whole product would not.
    whole = model.normalizes or not currents_fit(model)
    return {"neurons": "shared"} | ({"multiplier": "parallel"} if whole else {})


def most_words(bits: int) -> int:
    """Words of so many bits, `MOST_BITS` at most, that the large RAMs of a device hold."""
    return MOST_WORDS * (MOST_RAMS // -(-bits // RAM_BITS))


def _rams(words: int, bits: int) -> int:
    return -(-bits // RAM_BITS) * -(-words // MOST_WORDS)


def _form(part) -> dict:
    """Fields of a population or projection, with the shape in place of an array."""
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    if values.get("period") == 1:       # as before there were periods
        del values["period"], values["phase"]
    return {name: list(value.shape) if isinstance(value, np.ndarray) else value
            for name, value in values.items()}
