# SPDX-License-Identifier: Apache-2.0
"""A layer with leaks of its own and a readout, in Norse.

The files here are of norse 1.1.0, nirtorch 2.6, nir 1.0.8 and torch 2.13.0.
"""

import sys
from pathlib import Path

import norse.torch as norse
import torch
from norse.torch.functional.leaky_integrator_box import LIBoxParameters
from norse.torch.functional.lif_box import LIFBoxParameters
from norse.torch.module.leaky_integrator_box import LIBoxCell
from norse.torch.utils.export_nir import to_nir

sys.path.append(str(Path(__file__).parents[1]))
from common import CHANNELS, DT, NEURONS, OUTPUTS, input_spikes, save, weights

hidden = LIFBoxParameters(tau_mem_inv=torch.linspace(20, 100, NEURONS),
                          v_leak=torch.full((NEURONS,), 0.1), v_th=torch.full((NEURONS,), 0.3),
                          v_reset=torch.full((NEURONS,), -0.1))
readout = LIBoxParameters(tau_mem_inv=torch.full((OUTPUTS,), 10.0), v_leak=torch.zeros(OUTPUTS))
fc1 = torch.nn.Linear(CHANNELS, NEURONS, bias=False)
lif1 = norse.LIFBoxCell(hidden, dt=DT)
fc2 = torch.nn.Linear(NEURONS, OUTPUTS, bias=False)
li2 = LIBoxCell(readout, dt=DT)
net = norse.SequentialState(fc1, lif1, fc2, li2)
fc1.weight.data = torch.tensor(weights(NEURONS, CHANNELS))
fc2.weight.data = torch.tensor(weights(OUTPUTS, NEURONS))

fired, membranes, state = [], [], None
lif1.register_forward_hook(lambda module, x, y: fired.append(y[0]))
with torch.no_grad():
    for x in torch.tensor(input_spikes()):
        y, state = net(x, state)
        membranes.append(y)
spikes = torch.stack(fired).numpy()

graph = to_nir(net, torch.zeros(CHANNELS), dt=1.0)  # any other dt makes wrong time constants
save(graph, {"1": spikes}, torch.stack(membranes).numpy())
