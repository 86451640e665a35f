# SPDX-License-Identifier: Apache-2.0
"""Both decays of a neuron rounded together, so that its weights can make up for the most.

A membrane that decays too fast and a current that decays too slowly partly make up for one another,
and larger weights for both. Where integers are far apart, the nearest are therefore not the best::

    A, B = least of  min over w' of sum(g * (Z(A, B) w' - m)**2)

over the two integers that are nearest to each exact decay; m is the exact membrane, and Z and g are
as in `rounding`.
"""

import itertools

import numpy as np

from spikewright.network.network import Network
from spikewright.network.recording import Recording
from spikewright.network.reference import Trace

from .decays import Decays, nearest_values, round_decays
from .gram import Drive, drives, membrane_errors
from .workers import each_neuron

__all__ = ["suited_decays"]

# A pair of which both time constants are changed by less than this share stays: nothing is gained.
FINE  = 0.01
STEPS = 3000


def suited_decays(network: Network, bits: int, terms: int | None, recording: Recording,
                  trace: Trace) -> dict[str, Decays]:
    """Decays over ``2**bits`` as `round_decays` allows them, chosen in pairs.

    ``trace`` is the run of ``network`` over ``recording``, of which the first ``STEPS`` steps tell.
    """
    chosen, unit = round_decays(network, bits, terms), 2.0 ** -bits

    def choose(drive: Drive) -> None:
        population, i = drive.population, drive.neuron
        exact = np.array([population.synaptic_decay[i], population.membrane_decay[i]])
        decays = chosen[population.name]
        given = np.array([decays.synaptic[i], decays.membrane[i]]) * unit
        if (np.abs(np.log(given) / np.log(exact) - 1) < FINE).all():
            return
        pairs = list(itertools.product(*(nearest_values(decay, bits, terms, 2)
                                         for decay in exact)))
        rest = [membrane_errors(drive, (a * unit, b * unit)).rest for a, b in pairs]
        decays.synaptic[i], decays.membrane[i] = pairs[int(np.argmin(rest))]

    each_neuron(choose, drives(network, recording.head(STEPS), trace.spikes[:STEPS]),
                "rounding decays", memory=lambda drive: drive.memory)
    return chosen
