# SPDX-License-Identifier: Apache-2.0
"""A layer without the norm of its input and a readout, in sinabs.

The files here are of sinabs 3.1.3, nirtorch 2.0.2, nir 1.0.4 and torch 2.13.0.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import torch
from sinabs.activation import SingleSpike
from sinabs.layers import LIF, ExpLeak
from sinabs.nir import to_nir

sys.path.append(str(Path(__file__).parents[1]))
from common import CHANNELS, NEURONS, OUTPUTS, input_spikes, save, weights

net = torch.nn.Sequential(OrderedDict([
    ("fc1", torch.nn.Linear(CHANNELS, NEURONS, bias=False)),
    ("lif1", LIF(tau_mem=10.0, spike_fn=SingleSpike, norm_input=False)),
    ("fc2", torch.nn.Linear(NEURONS, OUTPUTS, bias=False)),
    ("li2", ExpLeak(tau_mem=20.0)),
]))
net.fc1.weight.data = torch.tensor(weights(NEURONS, CHANNELS))
net.fc2.weight.data = torch.tensor(weights(OUTPUTS, NEURONS))

fired = []
net.lif1.register_forward_hook(lambda module, x, y: fired.append(y[0]))
with torch.no_grad():
    membranes = net(torch.tensor(input_spikes())[None])[0]
spikes = fired[0].numpy()

graph = to_nir(net, torch.zeros(1, 1, CHANNELS))  # one step: more would make more neurons
save(graph, {"lif1": spikes}, membranes.numpy())
