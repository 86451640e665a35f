# SPDX-License-Identifier: Apache-2.0
"""Retiming: the same output sequence, as early as the delays allow."""

import dataclasses

from .network import INPUT, Network

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
    # Delay-0 edges only go forward once populations stand in the order of their shifted paths.
    order = sorted(network.populations, key=lambda p: _depth(network, delays, p.name))
    return dataclasses.replace(network, populations=tuple(order)).with_delays(delays, lead)


def _depth(network: Network, delays: list[int], name: str) -> int:
    """Longest chain of delay-0 projections that ends in population ``name``."""
    before = [projection.source for projection, delay in zip(network.projections, delays,
                                                             strict=True)
              if projection.target == name and delay == 0 and projection.source != INPUT]
    return 1 + max((_depth(network, delays, source) for source in before), default=0)
