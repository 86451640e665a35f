# SPDX-License-Identifier: Apache-2.0
"""Weights of several widths: what a user calls the projections, and the widths that follow."""

import dataclasses

from spikewright.model.model import Widths
from spikewright.network.network import INPUT, Network

__all__ = ["mixed_widths", "role"]


def role(source: str, target: str, spiking: bool) -> str:
    """What a user calls a projection; ``spiking`` tells whether its target does.

    ``input``, ``recurrent`` or ``output``; where it is neither, its title.
    """
    if source == INPUT:
        return "input"
    if source == target:
        return "recurrent"
    return f"{source}->{target}" if spiking else "output"


def mixed_widths(network: Network, widths: Widths, bits: dict[str, int]) -> Widths:
    """``widths``, but for the weights of the projections of each role in ``bits``.

    Raises
    ------
    ValueError
        If the network has no projection of a role, or the widths do not go together.
    """
    roles = {p.title: role(p.source, p.target, network.population(p.target).spiking)
             for p in network.projections}
    for name in bits:
        if name not in roles.values():
            known = ", ".join(dict.fromkeys(roles.values()))
            raise ValueError(f"Projection must be one of {known}, not {name!r}")
    given = {title: bits.get(name, widths.weight_of(title)) for title, name in roles.items()}
    widest = max(given.values())
    return dataclasses.replace(
        widths, weight=widest,
        narrow={title: count for title, count in given.items() if count < widest})
