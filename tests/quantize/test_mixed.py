# SPDX-License-Identifier: Apache-2.0
"""Weights of several widths, from the choices of the user to the model."""

import numpy as np
import pytest

from spikewright.model.integers import Widths
from spikewright.network.retime import retime
from spikewright.quantize.compile import compile_network
from spikewright.quantize.mixed import mixed_bits
from tests.networks import make_network, random_recording, refused, tiny_network

INPUT, RECURRENT, OUTPUT = "input->hidden", "hidden->hidden", "hidden->readout"


@pytest.mark.parametrize("by_role, weight, bits", [
    ({}, 8, (8, 8, 8)),
    ({"input": 8}, 8, (8, 8, 8)),
    ({"input": 4}, 8, (8, 4, 8)),
    ({"recurrent": 10}, 10, (10, 8, 8)),
    ({"input": 4, "recurrent": 6, "output": 6}, 6, (6, 4, 6)),
    ({"input": 5, "recurrent": 5, "output": 5}, 5, (5, 5, 5)),
    ({"input": 2, "recurrent": 3, "output": 4}, 4, (3, 2, 4)),
])
def test_mixed_bits(by_role, weight, bits):
    """Other projections have the bits of the widths. The most bits become the width."""
    network = retime(tiny_network(0))
    assert [p.title for p in network.projections] == [RECURRENT, INPUT, OUTPUT]
    assert mixed_bits(network, Widths(fraction=0), by_role) == (
        Widths(fraction=0, weight=weight), bits)


def test_mixed_bits_of_another_form():
    """A projection that is not input, recurrent or output has its title. Two may be inputs."""
    network = make_network(0, {"a": 2, "b": 2, "out": 1}, [
        ("input", "a", 0), ("input", "b", 0), ("a", "b", 1), ("b", "b", 1), ("b", "out", 0)])
    assert mixed_bits(network, Widths(), {"input": 4, "a->b": 5}) == (Widths(), (4, 4, 5, 8, 8))
    with refused("Projection must be one of input, a->b, recurrent, output, not 'b->b'",
                 ValueError):
        mixed_bits(network, Widths(), {"b->b": 4})


@pytest.mark.parametrize("bits", [1, 17, 4.0, True])
def test_mixed_bits_wrong(bits):
    with refused(f"Weight bits of input must be an int from 2 to 16, not {bits!r}", ValueError):
        mixed_bits(retime(tiny_network(0)), Widths(), {"input": bits})
    with refused("Width current must be at least weight + fraction = 16, not 12", ValueError):
        mixed_bits(retime(tiny_network(0)), Widths(current=12, fraction=0), {"input": 16})


@pytest.mark.parametrize("bits", [{"input": 3}, {"recurrent": 3}, {"output": 3},
                                  {"input": 3, "recurrent": 2}])
def test_compiled_weights_use_the_range_of_each_projection(bits):
    network = tiny_network(3, channels=12, hidden=16)
    network.projections[1].weights[2:4] = 0
    recording = random_recording(3, 12, 500)
    model, _, _ = compile_network(network, name="m", recording=recording, projection_bits=bits,
                                  widths=Widths(weight=7))
    roles = {INPUT: "input", RECURRENT: "recurrent", OUTPUT: "output"}
    for projection in model.projections:
        width = bits.get(roles[projection.title], 7)
        assert projection.bits == width
        half = 1 << width - 1
        assert -half <= projection.weights.min() and projection.weights.max() < half
        assert np.abs(projection.weights).max() >= half // 2
