# SPDX-License-Identifier: Apache-2.0
"""Networks written as NIR graphs: read back the same, by this program and by the nir package."""

import dataclasses

import numpy as np
import pytest

from spikewright.network.network import INPUT, Network, Population, Projection, start
from spikewright.network.nir.export import write_nir
from spikewright.network.nir.options import Options
from spikewright.network.nir.reader import read_nir
from spikewright.network.retime import retime
from tests.networks import make_network, refused, tiny_network

from .corpus import NAMES, Entry, needs_corpus

nir = pytest.importorskip("nir", reason="NIR files are written with the package nir")


def _parts(network):
    """The parts of a network by their names, whatever their order."""
    return ({p.name: p for p in network.populations},
            {(p.source, p.target, p.delay): p.weights for p in network.projections})


def _round_trip(network, path):
    write_nir(network, path)
    nir.read(path)                      # with its checks of types
    reading = read_nir(path, Options())
    assert reading.warnings == ()
    again = reading.network
    (populations, weights), (others, more) = _parts(network), _parts(again)
    assert populations.keys() == others.keys() and weights.keys() == more.keys()
    for name, one in populations.items():
        other = others[name]
        assert (one.spiking, one.at_least) == (other.spiking, other.at_least)
        assert one.reset == other.reset or not one.spiking
        if one.spiking:
            assert np.array_equal(one.threshold, other.threshold)
        for key in ("synaptic_decay", "membrane_decay"):
            # A decay becomes a time constant and back: its last bit may change.
            assert np.allclose(getattr(one, key), getattr(other, key), rtol=0, atol=2e-16)
    assert all(np.array_equal(weights[key], more[key]) for key in weights)
    assert (network.channels, network.dt, network.lead_steps) == (
        again.channels, again.dt, again.lead_steps)
    assert np.array_equal(network.readout, again.readout)
    assert np.array_equal(network.offset, again.offset)
    return again


@needs_corpus
@pytest.mark.parametrize("name", NAMES)
def test_graph_of_the_corpus(tmp_path, name):
    entry = Entry(name)
    again = _round_trip(entry.reading.network, tmp_path / "out.nir")
    for _, spikes, expected, *_ in entry.answers(again):
        assert np.array_equal(spikes, expected)


@pytest.mark.parametrize("retimed", [False, True])
def test_tinyrsnn(tmp_path, retimed):
    network = tiny_network(0)
    _round_trip(retime(network) if retimed else network, tmp_path / "out.nir")


def test_delays_and_readout(tmp_path):
    """Several projections between the same populations, and a matrix behind the outputs."""
    network = make_network(3, {"a": 5, "b": 4, "out": 3}, [
        (INPUT, "a", 0), (INPUT, "a", 3), ("a", "a", 1), ("a", "b", 0), ("a", "b", 5),
        ("b", "a", 2), ("b", "out", 0)])
    matrix = np.random.default_rng(0).normal(size=(2, 3))
    _round_trip(dataclasses.replace(network, readout=matrix, offset=np.array([0.1, -3.0]),
                                    lead_steps=4), tmp_path / "out.nir")


@pytest.mark.parametrize("decay", ["leak", "none", "all"])
@pytest.mark.parametrize("spiking", [True, False])
@pytest.mark.parametrize("synapse", [False, True])
def test_every_type_of_neuron(tmp_path, decay, spiking, synapse):
    """With a leak, without one, and with a membrane that keeps nothing."""
    b = {"leak": np.array([0.0, 0.7, 1.0]), "none": np.ones(3), "all": np.zeros(3)}[decay]
    one = Population(name="n", spiking=spiking, threshold=np.array([0.5, 1.0, 2.0]),
                     reset="none" if decay == "all" and spiking else "subtract_next",
                     at_least=spiking, membrane_decay=b,
                     synaptic_decay=np.full(3, 0.6 * synapse))
    other = Population(name="other", spiking=not spiking, threshold=np.ones(3), reset="none",
                       membrane_decay=np.zeros(3), synaptic_decay=np.zeros(3))
    network = Network(channels=3, dt=2e-3, populations=(one, other) if spiking else (other, one),
                      projections=(
        Projection(source=INPUT, target="n", delay=1, weights=np.arange(9.0).reshape(3, 3)),
        Projection(source=INPUT, target="other", delay=0, weights=np.eye(3)) if not spiking else
        Projection(source="n", target="other", delay=2, weights=np.eye(3))))
    _round_trip(network, tmp_path / "out.nir")
    kind = type(nir.read(tmp_path / "out.nir").nodes["n"]).__name__
    plain = {"leak": "LI", "none": "I", "all": "LI"}[decay]
    expected = {"leak": "LIF", "none": "IF", "all": "Threshold"}[decay] if spiking else plain
    assert kind == (expected if not synapse else "CubaLIF" if spiking else "CubaLI")


def test_file_means_the_same_to_others(tmp_path):
    """NIR's own equations, with the resistances in the file: gains are 1 without the metadata."""
    write_nir(tiny_network(1), tmp_path / "out.nir")
    graph = nir.read(tmp_path / "out.nir")
    node = graph.nodes["hidden"]
    assert np.allclose(graph.metadata and node.r * 4e-3 / node.tau_mem, 1)
    assert np.allclose(node.w_in * 4e-3 / node.tau_syn, 1)


def test_options_of_the_user_come_before_those_of_the_file(tmp_path):
    write_nir(tiny_network(0), tmp_path / "out.nir")
    network = read_nir(tmp_path / "out.nir", Options(
        dt=2e-3, answers={"reset": "none"}, nodes={"hidden": {"compare": ">="}})).network
    hidden = network.population("hidden")
    assert (network.dt, hidden.reset, hidden.at_least) == (2e-3, "none", True)


def test_kick_has_no_form(tmp_path):
    network = tiny_network(0)
    kick, again = start()
    network = dataclasses.replace(
        network, populations=(kick, *network.populations),
        projections=(*network.projections, again, Projection(
            source="start", target="hidden", delay=0, weights=np.ones((1, 5)))))
    with refused("Network must start with all membranes at rest, not with a kick to hidden: NIR "
                 "has no form for it"):
        write_nir(network, tmp_path / "out.nir")
    assert not (tmp_path / "out.nir").exists()


def test_file_of_others_is_kept(tmp_path):
    path = tmp_path / "out.nir"
    path.write_bytes(b"mine")
    with refused(f"Output must be a new file, or one that Spikewright wrote, not '{path}'"):
        write_nir(tiny_network(0), path)
    assert path.read_bytes() == b"mine"
    path.unlink()
    write_nir(tiny_network(0), path)
    write_nir(tiny_network(0), path)


def test_damaged_metadata(tmp_path):
    import h5py
    path = tmp_path / "out.nir"
    write_nir(tiny_network(0), path)
    with h5py.File(path, "a") as file:
        del file["node/metadata/spikewright"]
        file["node/metadata/spikewright"] = "{"
    with refused(f"{path}: Graph metadata spikewright must be options as this program writes them, "
                 "not others: Expecting property name enclosed in double quotes: line 1 column 2 "
                 "(char 1)"):
        read_nir(path, Options())
