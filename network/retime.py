# SPDX-License-Identifier: Apache-2.0
"""Retiming: the same output sequence, as early as the delays allow."""

import dataclasses

from .network import INPUT, Network, Population

__all__ = ["retime"]


def retime(network: Network) -> Network:
    """Move each population as early in time as its inputs allow.

    Shifting a population's time index by k steps moves k steps from its incoming to its outgoing
    projections and changes no value (Leiserson and Saxe, "Retiming synchronous circuitry", 1991).
    The largest shifts that leave every delay at 0 or more are the shortest paths from the input
    over the delays; no cycle can become shorter, since a shift keeps the sum along it.

    Raises
    ------
    ValueError
        If a population cannot be reached from the input: nothing bounds its shift.
    """
    shift = {INPUT: 0}
    for _ in range(len(network.populations) + 1):
        for projection in network.projections:
            if projection.source in shift:
                reach = shift[projection.source] + projection.delay
                shift[projection.target] = min(reach, shift.get(projection.target, reach))
    for population in network.populations:
        if population.name not in shift:
            raise ValueError(f"Population {population.name} must be reachable from the input, "
                             "not driven by nothing")

    # Outputs keep in step with one another; they have no outgoing projection that could object.
    outputs = [population.name for population in network.populations if not population.spiking]
    earliest = min(shift[name] for name in outputs)
    shift |= dict.fromkeys(outputs, earliest)

    delays = [projection.delay + shift[projection.source] - shift[projection.target]
              for projection in network.projections]
    lead = network.lead_steps + earliest
    return dataclasses.replace(network, populations=_ordered(network, delays)).with_delays(
        delays, lead)


def _ordered(network: Network, delays: list[int]) -> tuple[Population, ...]:
    """Populations in their order, but for those that a delay-0 projection makes wait for another.

    Outputs come last, in their order, so that the columns of an answer never change places.
    """
    before: dict[str, set[str]] = {population.name: set() for population in network.populations}
    for projection, delay in zip(network.projections, delays, strict=True):
        if delay == 0 and projection.source != INPUT:
            before[projection.target].add(projection.source)
    waiting = sorted(network.populations, key=lambda population: not population.spiking)
    ordered: list[Population] = []
    while waiting:
        placed = {population.name for population in ordered}
        # There is one: a loop keeps its length, which is at least 1.
        ready = next(population for population in waiting if before[population.name] <= placed)
        waiting.remove(ready)
        ordered.append(ready)
    return tuple(ordered)
