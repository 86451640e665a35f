# SPDX-License-Identifier: Apache-2.0
"""Retiming: the same outputs, as early as the delays allow."""

import dataclasses

from .network import INPUT, Network, Population

__all__ = ["in_order", "retime"]


def in_order(network: Network) -> Network:
    """``network`` with its populations in an order in which projections with delay 0 go forward."""
    return dataclasses.replace(network, populations=_ordered(
        network, [projection.delay for projection in network.projections]))


def retime(network: Network) -> Network:
    """Move each population to steps as early as its inputs allow.

    A population that is moved by k steps takes k steps from the delays of its incoming projections
    and adds them to the delays of its outgoing projections. No value changes (Leiserson and Saxe,
    "Retiming synchronous circuitry", 1991). The largest shift of a population that leaves every
    delay at 0 or more is the shortest path from the input, measured in delays. The sum of the
    delays around a cycle does not change. A population that fires without any input stays where
    it is, because its first spike comes in the first step.

    Raises
    ------
    ValueError
        If a population cannot be reached from the input. Nothing then limits its shift.
    """
    shift = {INPUT: 0} | {p.name: 0 for p in network.populations if p.drives_itself.any()}
    for _ in range(len(network.populations) + 1):
        for projection in network.projections:
            if projection.source in shift:
                reach = shift[projection.source] + projection.delay
                shift[projection.target] = min(reach, shift.get(projection.target, reach))
    for population in network.populations:
        if population.name not in shift:
            raise ValueError(f"Population {population.name} must be reachable from the input, "
                             "not driven by nothing")

    # All outputs move by the same number of steps, the smallest of theirs. They have no outgoing
    # projections, so this needs no other change.
    outputs = [population.name for population in network.populations if not population.spiking]
    earliest = min(shift[name] for name in outputs)
    shift |= dict.fromkeys(outputs, earliest)

    delays = [projection.delay + shift[projection.source] - shift[projection.target]
              for projection in network.projections]
    lead = network.lead_steps + earliest
    # Order and delays change together: the new order with the old delays may be no network.
    return network.with_delays(delays, lead, _ordered(network, delays))


def _ordered(network: Network, delays: list[int]) -> tuple[Population, ...]:
    """Populations in an order in which projections with delay 0 only go forward.

    Apart from that, populations keep their order. Outputs come last and keep their order, so that
    the columns of an answer do not change.
    """
    before: dict[str, set[str]] = {population.name: set() for population in network.populations}
    for projection, delay in zip(network.projections, delays, strict=True):
        if delay == 0 and projection.source != INPUT:
            before[projection.target].add(projection.source)
    waiting = sorted(network.populations, key=lambda population: not population.spiking)
    ordered: list[Population] = []
    while waiting:
        placed = {population.name for population in ordered}
        # There is one, because the delays around a cycle add up to 1 or more.
        ready = next(population for population in waiting if before[population.name] <= placed)
        waiting.remove(ready)
        ordered.append(ready)
    return tuple(ordered)
