# SPDX-License-Identifier: Apache-2.0
"""Everything about the core that is known before synthesis, as plain numbers."""

from dataclasses import dataclass
from functools import cached_property

from spikewright.model.model import IntegerModel, IntegerPopulation
from spikewright.plan.config import CoreConfig
from spikewright.plan.images import Place, places, state_base, tables_of
from spikewright.plan.program import Kind, Phase, schedule
from spikewright.plan.tables import FORMATS, Tables, state_words, table_bits
from spikewright.plan.timing import streams

from .memories.large_weights import check_large_table, word_bytes

__all__ = ["CoreParams", "RowPhase", "UpdatePhase"]


@dataclass(frozen=True, kw_only=True)
class RowPhase:
    """Constants of a SPIKES or INPUT phase.

    ``source`` is the index of the spiking population whose spikes are read, and ``first`` the
    number of its first neuron in the spike log; both 0 for the input.
    """

    kind: Kind
    place: Place
    delay: int
    source: int
    first: int


@dataclass(frozen=True, kw_only=True)
class UpdatePhase:
    """Constants of an UPDATE phase.

    ``first`` group, of ``groups``, and state ``word`` are counted over all populations; ``rank``
    is the index among the spiking (or among the output) populations.
    """

    kind: Kind
    population: IntegerPopulation
    first: int
    groups: int
    word: int
    rank: int


@dataclass(frozen=True, kw_only=True, eq=False)
class CoreParams:
    """A model, and what the user chose of the hardware.

    Raises
    ------
    ValueError
        If the model has a form that the schedule refuses.
    """

    model: IntegerModel
    config: CoreConfig

    def __post_init__(self) -> None:
        schedule(self.model)
        if self.large:
            if len(self.tables) > 1:
                raise ValueError(f"Weights must have the same bits in every projection in large "
                                 f"weight memory, not {' and '.join(map(str, self.tables))}")
            check_large_table(len(self.loaded), width=self.widths.weight, lanes=self.lanes)

    @property
    def widths(self):
        return self.model.widths

    @property
    def lanes(self) -> int:
        return self.config.lanes

    @property
    def large(self) -> bool:
        """Whether the weights lie in large RAMs, which a host fills."""
        return self.config.weight_memory == "large"

    @property
    def word_bytes(self) -> int:
        """Bytes that carry a word of weights when it is loaded."""
        return word_bytes(self.lanes * self.widths.weight)

    @property
    def rows(self) -> int:
        return self.model.rows

    @property
    def outputs(self) -> int:
        return self.model.outputs

    @property
    def neurons(self) -> int:
        return sum(population.neurons for population in self.model.populations)

    @property
    def state_words(self) -> int:
        return state_words(self.model, self.lanes)

    @cached_property
    def places(self) -> list[Place]:
        return places(self.model, self.lanes, self.config.tables)

    @property
    def streams(self) -> bool:
        """Whether the adder takes a row of one word in every cycle."""
        return streams(self.places, self.lanes)

    @property
    def formats(self) -> list[str]:
        """Formats of the weight tables that are used."""
        return list(dict.fromkeys(name for _, name in self.memories))

    @cached_property
    def memories(self) -> list[tuple[int, str]]:
        """Bits of a weight and format of each weight table that is used."""
        used = {(place.bits, place.format) for place in self.places}
        return [(bits, name) for name in FORMATS for bits in self.tables if (bits, name) in used]

    @cached_property
    def tables(self) -> dict[int, Tables]:
        """Images of the weight tables, by the bits of their weights, the widest first."""
        return tables_of(self.model, self.lanes, self.config.tables)

    @property
    def table_bits(self) -> int:
        return table_bits(self.tables)

    @property
    def loaded(self) -> list[int]:
        """Words that a host fills the large RAMs with, where the weights lie there."""
        return self.tables[self.widths.weight].dense

    @property
    def most_table_words(self) -> int:
        """Words of the longest table."""
        return max(len(image) for tables in self.tables.values()
                   for image in (tables.dense, tables.slices, tables.rows))

    @property
    def most_directory(self) -> int:
        """Entries of the longest directory."""
        return max(len(tables.directory) for tables in self.tables.values())

    @property
    def most_row_words(self) -> int:
        return max(place.row_words for place in self.places)

    def width_number(self, bits: int) -> int:
        """Place of the tables of weights of ``bits`` among those of all widths."""
        return list(self.tables).index(bits)

    @cached_property
    def table_shift(self) -> dict[int, int]:
        """Shift that all weights of a table have at least, by their bits: wires, not logic."""
        return {bits: min(place.projection.shift for place in self.places if place.bits == bits)
                for bits in self.tables}

    def row_shift(self, place: Place) -> int:
        """What the rows of ``place`` are shifted beyond their table."""
        return place.projection.shift - self.table_shift[place.bits]

    @property
    def most_row_shift(self) -> int:
        return max(map(self.row_shift, self.places))

    @property
    def table_weight(self) -> int:
        """Bits that hold any weight, shifted as its table is."""
        return max(bits + shift for bits, shift in self.table_shift.items())

    @property
    def row_weight(self) -> int:
        """Bits that hold any weight, shifted as its row is."""
        return max(place.bits + place.projection.shift for place in self.places)

    @property
    def units(self) -> int:
        """Neurons that are updated at once, and make a group: 1, or those of a state word."""
        return self.lanes if self.config.neurons == "lanes" else 1

    @property
    def groups(self) -> int:
        """Groups of all populations; none has neurons of two."""
        return sum(self.groups_of(population) for population in self.model.populations)

    def groups_of(self, population: IntegerPopulation) -> int:
        return -(-population.neurons // self.units)

    @property
    def neuron_at(self) -> list[int]:
        """Neuron, over all populations, of each place in the groups; -1 where there is none."""
        table: list[int] = []
        first = 0
        for population in self.model.populations:
            table += range(first, first + population.neurons)
            table += [-1] * (-population.neurons % self.units)
            first += population.neurons
        return table

    @property
    def spiking(self) -> list[IntegerPopulation]:
        return [population for population in self.model.populations if population.spiking]

    @property
    def most_groups(self) -> int:
        """Groups of the largest spiking population."""
        return max(self.groups_of(population) for population in self.spiking)

    @property
    def slots(self) -> int:
        """Steps of which the spike log keeps the spikes; a power of two."""
        longest = max(projection.delay for projection in self.model.projections)
        return 1 << longest.bit_length()

    @cached_property
    def phases(self) -> list[RowPhase | UpdatePhase]:
        return [self._phase(phase) for phase in schedule(self.model)]

    def _phase(self, phase: Phase) -> "RowPhase | UpdatePhase":
        populations = self.model.populations
        names = [population.name for population in populations]
        first = [sum(map(self.groups_of, populations[:k])) for k in range(len(populations))]
        alike = [sum(p.spiking == q.spiking for p in populations[:k])
                 for k, q in enumerate(populations)]
        if phase.kind == Kind.UPDATE:
            population = populations[phase.index]
            return UpdatePhase(kind=phase.kind, population=population, first=first[phase.index],
                               groups=self.groups_of(population),
                               word=state_base(self.model, self.lanes)[population.name],
                               rank=alike[phase.index])
        place = self.places[phase.index]
        source = place.projection.source
        k = names.index(source) if source in names else 0
        return RowPhase(kind=phase.kind, place=place, delay=place.projection.delay,
                        source=alike[k], first=first[k] * self.units)
