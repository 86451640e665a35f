# SPDX-License-Identifier: Apache-2.0
"""A recurrent layer and a layer of spiking neurons, in Spyx.

The files here are of spyx 1.0.0, nir 1.0.8, jax 0.10.2 and flax 0.12.8.
"""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from flax import nnx
from spyx.nir import to_nir
from spyx.nn import LIF, RLIF, Sequential, run

sys.path.append(str(Path(__file__).parents[1]))
from common import CHANNELS, NEURONS, OUTPUTS, input_spikes, save, weights

rngs = nnx.Rngs(0)
net = Sequential(
    nnx.Linear(CHANNELS, NEURONS, use_bias=False, rngs=rngs),
    RLIF((NEURONS,), beta=0.9, rngs=rngs),
    nnx.Linear(NEURONS, OUTPUTS, use_bias=False, rngs=rngs),
    LIF((OUTPUTS,), beta=0.8, rngs=rngs),
)
net.layers[0].kernel[...] = jnp.array(weights(NEURONS, CHANNELS).T)
net.layers[1].recurrent_w[...] = jnp.array(weights(NEURONS, NEURONS, mean=-0.1).T / 2)
net.layers[2].kernel[...] = jnp.array(weights(OUTPUTS, NEURONS).T)

x = jnp.array(input_spikes())[:, None]
hidden, _ = run(Sequential(*net.layers[:2]), x)
out, _ = run(net, x)
spikes = {"layer_1.layer_1.lif": np.array(hidden[:, 0]), "layer_3": np.array(out[:, 0])}
# How often each output fired in the last 25 steps, 0.1 s.
total = np.cumsum(np.pad(spikes["layer_3"], ((25, 0), (0, 0))), axis=0)

graph = to_nir(net, {"input": np.array([CHANNELS])}, {"output": np.array([OUTPUTS])})
save(graph, spikes, total[25:] - total[:-25])
