# SPDX-License-Identifier: Apache-2.0
"""A recurrent layer with a synapse and a readout, in snnTorch.

The files here are of snntorch 1.0.0, nirtorch 2.6, nir 1.0.8 and torch 2.13.0.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import snntorch
import torch
from snntorch.export_nir import export_to_nir

sys.path.append(str(Path(__file__).parents[1]))
from common import CHANNELS, NEURONS, OUTPUTS, input_spikes, save, weights

net = torch.nn.Sequential(OrderedDict([
    ("fc1", torch.nn.Linear(CHANNELS, NEURONS, bias=False)),
    ("lif1", snntorch.RSynaptic(alpha=0.5, beta=0.9, linear_features=NEURONS, init_hidden=True,
                                reset_mechanism="subtract")),
    ("fc2", torch.nn.Linear(NEURONS, OUTPUTS, bias=False)),
    # Without one value for each neuron, the exporter does not know how many a Leaky has.
    ("lif2", snntorch.Leaky(beta=torch.full((OUTPUTS,), 0.95), threshold=torch.ones(OUTPUTS),
                            init_hidden=True, reset_mechanism="none", output=True)),
]))
net.fc1.weight.data = torch.tensor(weights(NEURONS, CHANNELS))
net.lif1.recurrent.weight.data = torch.tensor(weights(NEURONS, NEURONS, mean=-0.1))
net.lif1.recurrent.bias.data.zero_()
net.fc2.weight.data = torch.tensor(weights(OUTPUTS, NEURONS))

fired = []
net.lif1.register_forward_hook(lambda module, x, y: fired.append(y))
with torch.no_grad():
    membranes = [net(x)[-1] for x in torch.tensor(input_spikes())[:, None]]
spikes = torch.cat(fired).numpy()

graph = export_to_nir(net, torch.zeros(1, CHANNELS), ignore_dims=[0])
save(graph, {"lif1.lif": spikes}, torch.cat(membranes).numpy())
