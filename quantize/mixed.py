# SPDX-License-Identifier: Apache-2.0
"""Weights of several widths: the bits of each projection from the choices of the user."""

import dataclasses

from spikewright.model.integers import WIDTH_LIMITS, Widths
from spikewright.network.network import Network

__all__ = ["mixed_bits"]


def mixed_bits(network: Network, widths: Widths,
               by_role: dict[str, int]) -> tuple[Widths, tuple[int, ...]]:
    """Weight bits of each projection, and ``widths`` with the largest of them.

    Parameters
    ----------
    network : Network
    widths : Widths
        Its ``weight`` is for each projection that ``by_role`` does not have.
    by_role : dict of str to int
        Weight bits by the role of a projection (`network.network.role`).

    Returns
    -------
    widths : Widths
    bits : tuple of int
        Weight bits of each projection.

    Raises
    ------
    ValueError
        If the network has no projection of a role, or a weight of so many bits does not fit s.
    """
    roles = network.roles
    low, high = WIDTH_LIMITS["weight"]
    for name, count in by_role.items():
        if name not in roles:
            raise ValueError(f"Projection must be one of {', '.join(dict.fromkeys(roles))}, "
                             f"not {name!r}")
        if type(count) is not int or not low <= count <= high:
            raise ValueError(f"Weight bits of {name} must be an int from {low} to {high}, "
                             f"not {count!r}")
    bits = tuple(by_role.get(name, widths.weight) for name in roles)
    return dataclasses.replace(widths, weight=max(bits)), bits
