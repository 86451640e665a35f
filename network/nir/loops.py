# SPDX-License-Identifier: Apache-2.0
"""Loops of neurons: which edge closes one, and in which order populations are updated."""

from .flatten import Flat

__all__ = ["closing_edges", "delays_in_loops", "in_order"]


def closing_edges(flat: Flat, edges: set[tuple[str, str]], first: list[str]
                  ) -> tuple[set[tuple[str, str]], list[str]]:
    """The edges that close a loop, and a warning for each loop in which that is a choice.

    Parameters
    ----------
    flat : Flat
    edges : set of (str, str)
        Edges between neurons, without the nodes between them.
    first : list of str
        The neurons that the input reaches directly.

    A walk from the input, in natural order of the names, meets the neurons of a loop one after the
    other. The edge that leads back to a neuron on the way closes it.
    """
    names = list(flat.nodes)
    after = {name: [target for target in names if (name, target) in edges] for name in names}
    closing: set[tuple[str, str]] = set()
    done: set[str] = set()

    for name in names:
        if name not in first or name in done:
            continue
        done.add(name)
        way = {name: iter(after[name])}     # the neurons of the walk, and where each still leads
        while way:
            last = next(reversed(way))
            target = next(way[last], None)
            if target is None:
                del way[last]
            elif target in way:
                closing.add((last, target))
            elif target not in done:
                done.add(target)
                way[target] = iter(after[target])
    warnings = []
    for loop in _loops(names, after):
        entries = [name for name in loop if name in first or any(
            source not in loop and (source, name) in edges for source in names)]
        chosen = [f"{source} -> {target}" for source in loop for target in loop
                  if (source, target) in closing and source != target]
        if len(entries) > 1 and len(loop) > 1:
            warnings.append(f"Loop of {', '.join(loop)} begins at more than one neuron. The edges "
                            f"{', '.join(chosen)} close it")
    return closing, warnings


def delays_in_loops(flat: Flat) -> dict[str, list[str]]:
    """For each node of a loop, the Delay nodes of the loop."""
    names = list(flat.nodes)
    loops = _loops(names, {name: flat.targets(name) for name in names})
    return {name: [other for other in loop if flat.nodes[other].kind == "Delay"]
            for loop in loops for name in loop}


def in_order(names: list[str], edges: set[tuple[str, str]]) -> list[str]:
    """``names`` in an order in which the edges, those without a delay, only go forward.

    Raises
    ------
    ValueError
        If the edges form a loop.
    """
    order: list[str] = []
    waiting = list(names)
    while waiting:
        free = next((name for name in waiting if not any(
            (source, name) in edges for source in waiting)), None)
        if free is None:
            after = {name: [target for target in waiting if (name, target) in edges]
                     for name in waiting}
            loop = _loops(waiting, after)[0]
            raise ValueError(f"Loop of {', '.join(loop)} must take a step or more, not 0: give it "
                             "a Delay, or --back-delay 1")
        order.append(free)
        waiting.remove(free)
    return order


def _loops(names: list[str], after: dict[str, list[str]]) -> list[list[str]]:
    """The groups of nodes from which a way leads back to each of them."""
    reach: dict[str, set[str]] = {}
    for name in names:
        found: set[str] = set()
        waiting = list(after[name])
        while waiting:
            target = waiting.pop()
            if target not in found:
                found.add(target)
                waiting += after[target]
        reach[name] = found
    loops: list[list[str]] = []
    for name in names:
        if name in reach[name] and not any(name in loop for loop in loops):
            loops.append([other for other in names if other in reach[name]
                          and name in reach[other]])
    return loops
