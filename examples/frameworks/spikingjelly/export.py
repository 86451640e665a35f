# SPDX-License-Identifier: Apache-2.0
"""A layer and a readout, neurons that never fire, in SpikingJelly.

The files here are of spikingjelly 2.0.0, nirtorch 2.6, nir 1.0.8 and torch 2.13.0.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import torch
from spikingjelly.activation_based import layer, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir

sys.path.append(str(Path(__file__).parents[1]))
from common import CHANNELS, DT, NEURONS, OUTPUTS, input_spikes, save, weights

net = torch.nn.Sequential(OrderedDict([
    ("fc1", layer.Linear(CHANNELS, NEURONS, bias=False)),
    ("lif1", neuron.LIFNode(tau=10.0, decay_input=False)),
    ("fc2", layer.Linear(NEURONS, OUTPUTS, bias=False)),
    ("lif2", neuron.LIFNode(tau=20.0, decay_input=False, v_threshold=float("inf"))),
]))
net.fc1.weight.data = torch.tensor(weights(NEURONS, CHANNELS))
net.fc2.weight.data = torch.tensor(weights(OUTPUTS, NEURONS))

fired, membranes = [], []
net.lif1.register_forward_hook(lambda module, x, y: fired.append(y))
with torch.no_grad():
    for x in torch.tensor(input_spikes())[:, None]:
        net(x)
        membranes.append(net.lif2.v)
spikes = torch.cat(fired).numpy()

graph = export_to_nir(net, torch.zeros(1, CHANNELS), dt=DT)
save(graph, {"lif1": spikes}, torch.cat(membranes).numpy())
