# SPDX-License-Identifier: Apache-2.0
"""A layer with synapses and a readout, in Rockpool.

The files here are of rockpool 3.1.0, nirtorch 2.6, nir 1.0.8 and torch 2.13.0.
"""

import sys
from pathlib import Path

import torch
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import ExpSynTorch, LIFTorch, LinearTorch
from rockpool.nn.modules.torch.nir import to_nir

sys.path.append(str(Path(__file__).parents[1]))
from common import CHANNELS, DT, NEURONS, OUTPUTS, input_spikes, save, weights

net = Sequential(
    LinearTorch((CHANNELS, NEURONS), weight=weights(NEURONS, CHANNELS).T, has_bias=False),
    LIFTorch(NEURONS, tau_mem=0.02, tau_syn=0.01, max_spikes_per_dt=1, dt=DT),
    LinearTorch((NEURONS, OUTPUTS), weight=weights(OUTPUTS, NEURONS).T, has_bias=False),
    ExpSynTorch(OUTPUTS, tau=torch.full((OUTPUTS,), 0.05), dt=DT),
)

with torch.no_grad():
    membranes, _, records = net(torch.tensor(input_spikes())[None], record=True)
spikes = records["1_LIFTorch"]["spikes"][0].numpy()

graph = to_nir(net)
readout = graph.nodes["3_ExpSynTorch"]
readout.tau = readout.tau.detach()  # nir.write refuses a tensor that is trained
save(graph, {"1_LIFTorch": spikes}, membranes[0].numpy())
