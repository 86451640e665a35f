# SPDX-License-Identifier: Apache-2.0
"""Currents that no input can fill."""

import dataclasses

import numpy as np
import pytest

from spikewright.model.currents import currents_fit
from spikewright.model.integers import IntegerPopulation, IntegerProjection, Widths
from spikewright.model.model import IntegerModel
from spikewright.network.network import INPUT
from tests.hybrid import hybrid_model
from tests.networks import deep_model
from tests.units import inner_model, units_of


def model_of(*later, kept=0, shift=0, current=16, period=1):
    """Units with values up to 15, one neuron that takes them, and one output.

    ``later`` are the delays and the weights of the projections from the neuron to the output.
    """
    def neurons(name, spiking, decay, period=1):
        return IntegerPopulation(
            name=name, spiking=spiking, size=1, kept=np.arange(1), threshold=np.full(
                1, 5 if spiking else (1 << current - 1) - 1), membrane_decay=np.array([100]),
            synaptic_decay=np.array([decay]), period=period)

    def rows(source, target, weights, delay=0, **facts):
        return IntegerProjection(source=source, target=target, delay=delay, bits=4,
                                 weights=np.array(weights), **facts)

    return IntegerModel(
        name="made", dt=4e-3, channels=1, channel_row=np.array([0]), readout=np.eye(1),
        lead_steps=0, widths=Widths(weight=4, current=current, membrane=current, fraction=0),
        populations=(units_of("units", 2, bits=5), neurons("lif", True, kept, period),
                     neurons("out", False, 4096)),
        projections=(rows(INPUT, "units", [[1, -1]], until=3),
                     rows("units", "lif", [[7], [-6]], shift=shift),
                     *(rows("lif", "out", [[weight]], delay) for delay, weight in later)))


TAKEN_BACK = (0, 3), (1, -6), (2, 3)


@pytest.mark.parametrize("shift, period, fits", [
    (4, 1, True),       # 15 * 13 * 2**4 = 3120, and 4095 at most
    (5, 1, False),
    (4, 2, False)])     # two values come before the current is used
def test_currents_that_are_used_up(shift, period, fits):
    model = model_of(*((period * delay, weight) for delay, weight in TAKEN_BACK),
                     shift=shift, current=13, period=period)
    assert currents_fit(model) == fits


@pytest.mark.parametrize("later, current, fits", [
    (TAKEN_BACK, 13, True),
    (((0, 3), (1, -6), (2, 4)), 13, False),                 # 1 stays of each spike
    (((0, 7), (40, -7)), 10, True),                         # 7 in 40 steps, then 14 at most: 294
    (((0, 7), (80, -7)), 10, False)])                       # 574, and 511 at most
def test_currents_that_are_kept(later, current, fits):
    assert currents_fit(model_of(*later, current=current)) == fits


def test_decay_between_is_not_proven():
    assert not currents_fit(model_of(*TAKEN_BACK, kept=1, current=20))


def test_hybrid_networks_have_such_currents():
    """The input reaches their pools alone. Their widths are made for it."""
    for seed in range(20):
        model = hybrid_model(seed)
        assert currents_fit(model)
        few = tuple(p for p in model.projections if (p.target, p.delay) != ("fc3", 8))
        assert not currents_fit(dataclasses.replace(model, projections=few))


def test_currents_from_the_input_are_not_proven():
    assert not currents_fit(deep_model(1)) and not currents_fit(inner_model(0))
