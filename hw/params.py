# SPDX-License-Identifier: Apache-2.0
"""Everything about the core that is known before synthesis, as plain numbers."""

from dataclasses import dataclass
from functools import cached_property

from golden.config import CoreConfig
from golden.schedule import Kind, Phase, schedule
from quantize.model import IntegerModel, IntegerPopulation
from quantize.rom import Place, places, state_base, tables_of
from quantize.tables import FORMATS, Tables, state_words

from .large_weights import check_large_table, word_bytes

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
            check_large_table(len(self.tables.dense), width=self.widths.weight, lanes=self.lanes)

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
    def formats(self) -> list[str]:
        """Formats of the weight tables that are used."""
        used = {place.format for place in self.places}
        return [name for name in FORMATS if name in used]

    @cached_property
    def tables(self) -> Tables:
        return tables_of(self.model, self.lanes, self.config.tables)

    @property
    def most_table_words(self) -> int:
        """Words of the longest table."""
        return max(len(image) for image in (self.tables.dense, self.tables.slices,
                                            self.tables.rows))

    @property
    def most_row_words(self) -> int:
        return max(place.row_words for place in self.places)

    @property
    def most_shift(self) -> int:
        return max(projection.shift for projection in self.model.projections)

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
