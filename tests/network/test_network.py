# SPDX-License-Identifier: Apache-2.0

import dataclasses

import numpy as np
import pytest

from spikewright.network.network import INPUT, Network, Population, Projection
from tests.networks import make_network, make_population, refused

SIZES = {"first": 3, "second": 2, "out": 2}
EDGES = [(INPUT, "first", 0), ("first", "first", 1), ("first", "second", 0), ("second", "out", 2)]


def _parts(**changes):
    network = make_network(0, SIZES, EDGES)
    return {"channels": 4, "dt": 4e-3, "populations": network.populations,
            "projections": network.projections, **changes}


def _projection(source, target, delay, shape):
    return Projection(source=source, target=target, delay=delay, weights=np.ones(shape))


def test_network_sizes():
    network = make_network(0, SIZES, EDGES)
    assert [network.size(name) for name in (INPUT, *SIZES)] == [4, 3, 2, 2]
    assert network.population("second") is network.populations[1]
    assert network.lead_steps == 0


def test_network_outputs_and_columns():
    network = make_network(0, SIZES, EDGES)
    assert network.outputs == 2 and np.array_equal(network.readout, np.eye(2))
    assert network.spike_columns == {"first": slice(0, 3), "second": slice(3, 5)}
    assert network.roles == ["input", "recurrent", "first->second", "output"]


@pytest.mark.parametrize("readout, message", [
    (np.ones((2, 3)), "must have shape (axes, 2), not (2, 3)"),
    (np.ones(2),      "must have shape (axes, 2), not (2,)"),
    (np.array([[1, np.nan]]), "must be finite, not nan at [0, 1]"),
    (np.ones((0, 2)), "must have 1 axis or more, not none"),
])
def test_network_wrong_readout(readout, message):
    with refused(f"Network readout {message}", ValueError):
        Network(**_parts(readout=readout))


def test_network_with_delays():
    network = make_network(0, SIZES, EDGES)
    other = network.with_delays([1, 2, 3, 4], lead_steps=7)
    assert [p.delay for p in other.projections] == [1, 2, 3, 4]
    assert other.lead_steps == 7
    assert all(a.weights is b.weights
               for a, b in zip(network.projections, other.projections, strict=True))
    with pytest.raises(ValueError):
        network.with_delays([1, 2, 3], lead_steps=0)


@pytest.mark.parametrize("key, place, value, message", [
    ("synaptic_decay", 1, -0.5,   "synaptic_decay must be at least 0 and below 1, not -0.5 at [1]"),
    ("synaptic_decay", 1, 1.0,    "synaptic_decay must be at least 0 and below 1, not 1.0 at [1]"),
    ("membrane_decay", 0, 1.5,    "membrane_decay must be from 0 to 1, not 1.5 at [0]"),
    ("membrane_decay", 2, np.nan, "membrane_decay must be from 0 to 1, not nan at [2]"),
    ("threshold",      2, 0.0,    "threshold must be above 0, not 0.0 at [2]"),
    ("threshold",      2, np.inf, "threshold must be above 0, not inf at [2]"),
])
def test_population_wrong_value(key, place, value, message):
    values = vars(make_population(np.random.default_rng(0), "wrong", 3))
    values[key][place] = value
    with refused(f"Population wrong {message}", ValueError):
        Population(**values)


@pytest.mark.parametrize("key, size", [("membrane_decay", 2), ("threshold", 4)])
def test_population_wrong_shape(key, size):
    values = vars(make_population(np.random.default_rng(0), "wrong", 3))
    with refused(f"Population wrong {key} must have one value for each of 3 neurons, "
                 f"not shape ({size},)", ValueError):
        Population(**{**values, key: np.full(size, 0.5)})


def test_population_empty():
    with refused("Population none synaptic_decay must have one value for each of 0 neurons, "
                 "not shape (0,)", ValueError):
        make_population(np.random.default_rng(0), "none", 0)


def test_projection_wrong():
    with refused("Projection a->b delay must be 0 or more, not -1", ValueError):
        _projection("a", "b", -1, (2, 2))
    with refused("Projection a->b weights must be finite, not inf at [1, 0]", ValueError):
        Projection(source="a", target="b", delay=0, weights=np.array([[0, 0], [np.inf, 0]]))


@pytest.mark.parametrize("projection, message", [
    (("none", "out", 0, (2, 2)),     "none->out must join populations of the network, not others"),
    (("first", "none", 0, (3, 2)), "first->none must join populations of the network, not others"),
    ((INPUT, INPUT, 0, (4, 4)),   "input->input must join populations of the network, not others"),
    (("first", "out", 0, (2, 3)),    "first->out weights must have shape (3, 2), not (2, 3)"),
    (("out", "first", 1, (2, 3)),    "out->first must come from a population that spikes"),
    (("second", "first", 0, (2, 3)), "second->first delay must be 1 or more to go backward, not 0"),
    (("first", "first", 0, (3, 3)),  "first->first delay must be 1 or more to go backward, not 0"),
    (("first", "out", 65536, (3, 2)), "first->out delay must be at most 65535, not 65536"),
])
def test_network_wrong_projection(projection, message):
    parts = _parts()
    wrong = _projection(*projection)
    with refused(f"Projection {message}", ValueError):
        Network(**{**parts, "projections": (*parts["projections"], wrong)})


@pytest.mark.parametrize("changes, message", [
    ({"channels": 0}, "must have 1 channel or more and a dt between 0 and 10 s, not 0 and 0.004"),
    ({"dt": 0.0},     "must have 1 channel or more and a dt between 0 and 10 s, not 4 and 0.0"),
    ({"dt": np.nan},  "must have 1 channel or more and a dt between 0 and 10 s, not 4 and nan"),
    ({"lead_steps": 65536}, "lead_steps must be from 0 to 65535, not 65536"),
    ({"lead_steps": -1},    "lead_steps must be from 0 to 65535, not -1"),
])
def test_network_wrong(changes, message):
    with refused(f"Network {message}", ValueError):
        Network(**_parts(**changes))


def test_population_name_that_cannot_be_printed():
    with refused("Population name must be printable text, not '\\x1b[31m'", ValueError):
        make_network(0, {"\x1b[31m": 3, "out": 2}, [])


def test_network_wrong_populations():
    first, second, out = _parts()["populations"]
    told = "Network population names must differ from one another and from 'input', not be "
    with refused(f"{told}first, first, out", ValueError):
        Network(**_parts(populations=(first, first, out)))
    with refused(f"{told}first, input, out", ValueError):
        Network(**_parts(populations=(first, dataclasses.replace(second, name=INPUT), out)))
    with refused("Network must have a population that does not spike, its output, not none",
                 ValueError):
        Network(**_parts(populations=(first, second), projections=()))
    with refused("Network must have a population that spikes, not none", ValueError):
        Network(**_parts(populations=(out,), projections=(_projection(INPUT, "out", 0, (4, 2)),)))
    for name in ("second", "out"):
        with refused(f"Network population {name} must be the target of a projection, not of none",
                     ValueError):
            Network(**_parts(projections=[p for p in _parts()["projections"] if p.target != name]))
