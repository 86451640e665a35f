# SPDX-License-Identifier: Apache-2.0
"""Rounding of both decays of a neuron together.

A membrane that decays too fast and a current that decays too slowly partly cancel. Other weights
can correct a part of the rest. The nearest integers are therefore not always the best. Of the two
integers nearest to each exact decay, the pair A, B is chosen that minimises::

    min over w' of sum(g * (Z(A, B) w' - m)**2)

m is the exact membrane. `rounding` defines Z and g.
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

# If the nearest integers change both time constants by less than this share, they are kept.
FINE  = 0.01
STEPS = 3000


def suited_decays(network: Network, bits: int, terms: int | None, recording: Recording,
                  trace: Trace) -> dict[str, Decays]:
    """Rounded decays of every population, chosen in pairs.

    ``bits`` and ``terms`` are as for `round_decays`. ``trace`` is the run of ``network`` over
    ``recording``. Only its first ``STEPS`` steps are used.
    """
    chosen, unit = round_decays(network, bits, terms), 2.0 ** -bits

    def choose(drive: Drive) -> None:
        population, i = drive.population, drive.neuron
        exact = np.array([population.synaptic_decay[i], population.membrane_decay[i]])
        decays = chosen[population.name]
        given = np.array([decays.synaptic[i], decays.membrane[i]]) * unit
        inside = (exact > 0) & (exact < 1)
        if (np.abs(np.log(given[inside]) / np.log(exact[inside]) - 1) < FINE).all():
            return
        pairs = list(itertools.product(*(
            nearest_values(decay, bits, terms, 2) if change else [round(value / unit)]
            for decay, change, value in zip(exact, inside, given, strict=True))))
        rest = [membrane_errors(drive, (a * unit, b * unit)).rest for a, b in pairs]
        decays.synaptic[i], decays.membrane[i] = pairs[int(np.argmin(rest))]

    each_neuron(choose, drives(network, recording.head(STEPS), trace.spikes[:STEPS]),
                "rounding decays", memory=lambda drive: drive.memory)
    return chosen
