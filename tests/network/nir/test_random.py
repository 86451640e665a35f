# SPDX-License-Identifier: Apache-2.0
"""Random graphs: the network of the reader does what the nodes do one by one."""

import numpy as np
import pytest

from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import read_nir
from spikewright.network.reference import run_reference

from .corpus import dense_recording
from .graphs import run_graph, write_graph
from .random_graphs import RandomGraph

pytest.importorskip("h5py", reason="NIR files are read with the packages of the extra 'nir'")

STEPS = 60


def _compare(tmp_path, graph, seed):
    write_graph(tmp_path / "graph.nir", graph.nodes, graph.edges)
    options = Options(dt=graph.options["dt"], readout="spikes",
                      inputs=tuple(graph.inputs) if len(graph.inputs) > 1 else (),
                      answers={"back_delay": graph.options["back_delay"]},
                      nodes={name: graph.options[name] for name in graph.shapes})
    reading = read_nir(tmp_path / "graph.nir", options)
    rng = np.random.default_rng(seed)
    given = {name: rng.poisson(0.3, (STEPS, *shape)) for name, shape in graph.inputs.items()}
    counts = np.hstack([rows.reshape(STEPS, -1) for rows in given.values()])
    spikes, membranes, outputs = run_graph(graph.nodes, graph.edges, graph.options,
                                           {name: rows.astype(float) for name, rows
                                            in given.items()}, graph.shapes, graph.late)
    network = reading.network
    watched = [name for name in spikes if name in reading.origins
               and any(p.name == name for p in network.populations)]
    trace = run_reference(network, dense_recording(counts, network.dt), watch=watched)
    for name in watched:
        if network.population(name).spiking:
            assert np.array_equal(trace.spikes[:, network.spike_columns[name]], spikes[name]), name
        membrane = trace.membrane[name] + reading.origins[name]
        assert np.allclose(membrane, membranes[name], rtol=1e-9, atol=1e-9), name
    assert np.allclose(trace.velocity, np.hstack([outputs[name] for name in sorted(outputs)]),
                       rtol=1e-9, atol=1e-9)
    return sum(rows.sum() for rows in spikes.values())


@pytest.mark.parametrize("seed", range(60))
def test_random_graph(tmp_path, seed):
    _compare(tmp_path, RandomGraph(seed), seed)


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")    # of torch, on its speed
@pytest.mark.parametrize("seed", range(40))
def test_random_graph_of_images(tmp_path, seed):
    pytest.importorskip("torch", reason="its convolutions are the reference")
    _compare(tmp_path, RandomGraph(seed, images=True), seed)
