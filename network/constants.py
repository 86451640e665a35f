# SPDX-License-Identifier: Apache-2.0
"""Constants of the published tinyRSNN and bigRSNN code, in seconds, and limits.

A time constant is one of the TAU below times ``softplus(p)``, where ``p`` is the learnt parameter
of the neuron. The decay of one step is ``exp(-dt / time constant)``.

Source: Liu, Gygax, Rossbroich et al., "Decoding Finger Velocity from Cortical Spike Trains with
Recurrent Spiking Neural Networks" (2024), and the configuration of the authors' code,
fmi-basel/neural-decoding-RSNN.
"""

from numbers import Real

DT              = 4e-3      # one step
TAU_SYN         = 10e-3     # synaptic current, of hidden and readout neurons
TAU_MEM         = 20e-3     # membrane of a hidden neuron
TAU_MEM_READOUT = 50e-3     # membrane of a readout neuron

# Membrane and current of the readout heads of bigRSNN, in place of TAU_MEM_READOUT and TAU_SYN.
BIG_HEADS = ((50e-3, 10e-3), (20e-3, 5e-3), (20e-3, 20e-3), (30e-3, 10e-3), (100e-3, 30e-3))

MOST_DT = 10                # seconds; a step must be shorter
MOST_DELAY = (1 << 16) - 1  # steps of a projection
MOST_LOOK = 64              # steps that a graded network looks back into the input


def is_dt(seconds: object) -> bool:
    """Whether ``seconds``, of any type, can be the length of a step."""
    return (isinstance(seconds, Real) and not isinstance(seconds, bool)
            and 0 < float(seconds) < MOST_DT)
