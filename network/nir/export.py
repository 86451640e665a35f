# SPDX-License-Identifier: Apache-2.0
"""Writer of NIR graphs. What NIR cannot say is in the metadata, where `reader` finds it."""

import io
import json
from pathlib import Path

import numpy as np

from spikewright.base.errors import InputError
from spikewright.base.files import check_output, signature, written_file

from ..network import CONSTANT, INPUT, START, Network, Population, Projection, inner
from .file import METADATA, NIR_SUFFIX

__all__ = ["write_nir"]


def write_nir(network: Network, path: Path) -> None:
    """Write ``network`` as a NIR graph.

    Each population is a node of its name, and each projection a Linear or Affine node, with a Delay
    behind it. Delays of loops are written out: ``back_delay`` is 0.

    Raises
    ------
    InputError
        If the package nir is missing, or if NIR has no form for a part of the network.
    """
    check_output(path, (NIR_SUFFIX,))
    try:
        import nir
    except ImportError:
        raise InputError(f"Writing {path.name} needs nir: run 'make nir', or pip install "
                         "'spikewright[nir]'") from None
    if any(population.name == START for population in network.populations):
        targets = ", ".join(p.target for p in network.projections
                            if p.source == START and p.target != START)
        raise InputError(f"Network must start with all membranes at rest, not with a kick to "
                         f"{targets}: NIR has no form for it")
    graph = _Graph(network)
    made = nir.NIRGraph(
        nodes={name: getattr(nir, kind)(**values) for name, (kind, values) in graph.nodes.items()},
        edges=graph.edges, metadata={METADATA: json.dumps(_metadata(network))}, type_check=False)
    made.check_types()          # the check above would also add an Output behind every last neuron
    with written_file(path) as temporary:
        # HDF5 itself ends the process where a disk is full.
        content = io.BytesIO()
        nir.write(content, made)
        temporary.write_bytes(content.getvalue())


def _metadata(network: Network) -> dict:
    """The options with which `reader` makes the same network again."""
    nodes = {p.name: {"reset": p.reset, "compare": ">=" if p.at_least else ">"}
             for p in network.populations if p.spiking and not inner(p.name)}
    plain = np.array_equal(network.readout, np.eye(network.outputs))
    return {**signature(), "dt": network.dt, "lead_steps": network.lead_steps, "readout": "spikes",
            "answers": {"decay": "euler", "gain": "unit", "syn_gain": "unit", "order": "syn_first",
                        "v0": "zero", "back_delay": 0, "source_delay": 0},
            "nodes": nodes, "matrix": None if plain else network.readout.tolist(),
            "offset": network.offset.tolist()}


class _Graph:
    """Nodes and edges of the graph of a network."""

    def __init__(self, network: Network) -> None:
        self.nodes: dict[str, tuple[str, dict]] = {
            INPUT: ("Input", {"input_type": {"input": np.array([network.channels])}})}
        self.edges: list[tuple[str, str]] = []
        self.network = network
        for population in network.populations:
            if not inner(population.name):
                self._population(population)

    def _population(self, population: Population) -> None:
        name = population.name
        incoming = [p for p in self.network.projections if p.target == name]
        if not population.spiking and _relays(population, incoming):
            self._add(name, "Output", output_type={"output": np.array([population.neurons])})
            for k, projection in enumerate(incoming):
                self._join(projection.source, name, f"{name}.{k}", projection.delay,
                           population.neurons)
            return
        kind, values = _node(population, self.network.dt)
        self._add(name, kind, **values)
        biases = {p.delay: p.weights[0] for p in incoming if p.source == CONSTANT}
        weighted = [p for p in incoming if p.source != CONSTANT]
        for k, projection in enumerate(weighted):
            self._weights(name, f"{name}.{k}", projection.source, projection.delay,
                          projection.weights, biases.pop(projection.delay, None))
        for k, (delay, bias) in enumerate(biases.items(), len(weighted)):
            # A bias of its own delay hangs on weights of 0.
            self._weights(name, f"{name}.{k}", INPUT, delay,
                          np.zeros((self.network.channels, len(bias))), bias)
        if not population.spiking:
            output = f"{name}.output"
            self._add(output, "Output", output_type={"output": np.array([population.neurons])})
            self.edges.append((name, output))

    def _add(self, name: str, kind: str, **values) -> None:
        if name in self.nodes:
            raise InputError(f"Population {name} must have a name that no other node needs, not "
                             f"{name!r}: NIR would have two")
        self.nodes[name] = (kind, values)

    def _weights(self, target: str, name: str, source: str, delay: int, weights: np.ndarray,
                 bias: np.ndarray | None) -> None:
        values = {"weight": np.ascontiguousarray(weights.T)}
        self._add(name, "Linear" if bias is None else "Affine", **values,
                  **({} if bias is None else {"bias": bias}))
        self.edges.append((source, name))
        self._join(name, target, f"{name}.delay", delay, weights.shape[1])

    def _join(self, source: str, target: str, name: str, delay: int, size: int) -> None:
        """An edge, with a Delay in it if it takes steps."""
        if delay:
            self._add(name, "Delay", delay=np.full(size, delay * self.network.dt))
            self.edges.append((source, name))
            source = name
        self.edges.append((source, target))


def _relays(population: Population, incoming: list[Projection]) -> bool:
    """Whether the membranes of an output are the spikes of its sources."""
    return (not population.membrane_decay.any() and not population.synaptic_decay.any()
            and all(p.source not in (INPUT, CONSTANT)
                    and np.array_equal(p.weights, np.eye(population.neurons)) for p in incoming))


def _node(population: Population, dt: float) -> tuple[str, dict]:
    """The type of the node of a population, and its parameters. Its gains are 1."""
    a, b = population.synaptic_decay, population.membrane_decay
    size = population.neurons
    fires = {"v_threshold": population.threshold, "v_reset": np.zeros(size)}
    spiking = population.spiking
    if spiking and population.reset == "none" and not a.any() and not b.any():
        return "Threshold", {"threshold": population.threshold}
    if not a.any() and (b == 1).all():
        return ("IF" if spiking else "I"), {"r": np.full(size, 1 / dt)} | (fires if spiking else {})
    with np.errstate(divide="ignore"):
        tau = dt / (1 - b)
    # An endless time constant has no resistance with a gain of 1. The metadata has that gain.
    values = {"r": np.where(np.isfinite(tau), tau / dt, 1.0), "v_leak": np.zeros(size)}
    values |= fires if spiking else {}
    if not a.any():
        return ("LIF" if spiking else "LI"), values | {"tau": tau}
    syn = dt / (1 - a)
    return ("CubaLIF" if spiking else "CubaLI"), values | {
        "tau_mem": tau, "tau_syn": syn, "w_in": syn / dt}
