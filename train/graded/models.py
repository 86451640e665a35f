# SPDX-License-Identifier: Apache-2.0
"""Graded networks in torch. Their state dicts are those that `network.state_dicts` reads."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, pad

from spikewright.network.constants import MOST_LOOK
from spikewright.network.graded.window import Sum, Window
from spikewright.network.state_dicts.neurobench_ann import PARTS, WIDTH

from ..fitting.loop import Spike

__all__ = ["Ann", "Hybrid", "Leaky", "SnnFlat"]

# Sizes of the published networks.
HIDDEN = 32, 48
FEATURES, TAPS, NEURONS = 40, (9, 18), 56

# Limits of a trained beta and a trained threshold.
MOST_BETA, LEAST_THRESHOLD = 0.999, 1e-3

# Seconds that the sum of the ANN has.
SPAN = 0.2


class Ann(nn.Module):
    """NeuroBench's ANN, or with ``flat`` its ANN_Flat.

    Called with sums (batch, parts, channels) of `window`; gives outputs (batch, 2).
    """
    def __init__(self, channels: int, dt: float, flat: bool = False):
        super().__init__()
        steps = min(max(round(SPAN / dt), 1), MOST_LOOK)
        self.window: Sum | Window = (
            Window(name="window", channels=channels, parts=PARTS, width=WIDTH) if flat
            else Sum(name="window", channels=channels, width=steps))
        one, two = HIDDEN
        self.dropout = nn.Dropout(0.2)
        self.fc1, self.batchnorm1 = nn.Linear(self.window.outputs, one), nn.BatchNorm1d(one)
        self.fc2, self.batchnorm2 = nn.Linear(one, two), nn.BatchNorm1d(two)
        self.fc3 = nn.Linear(two, 2)
        self.register_buffer("parts", torch.tensor(float(PARTS if flat else 1)))
        if not flat:
            self.register_buffer("steps", torch.tensor(float(steps)))

    def forward(self, sums: Tensor) -> Tensor:
        x = self.dropout(sums.transpose(1, 2).flatten(1))
        x = self.batchnorm1(self.fc1(x).relu())
        return self.fc3(self.batchnorm2(self.fc2(x).relu()))

    @torch.no_grad()
    def scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Answer ``mean + deviation`` times what the network answers now."""
        self.fc3.weight.mul_(deviation[:, None])
        self.fc3.bias.copy_(mean + deviation * self.fc3.bias)


class Leaky(nn.Module):
    """Leaky neurons with the reset as snnTorch numbers it: 0 subtracts the threshold, 1 is to zero,
    and with 2 there is none.
    """
    recurrent: nn.Linear

    def __init__(self, shape: tuple[int, ...], beta: float, threshold: float, reset: int):
        super().__init__()
        self.reset = reset
        self.beta = nn.Parameter(torch.full(shape, beta))
        self.threshold = nn.Parameter(torch.full(shape, threshold))
        self.register_buffer("reset_mechanism_val", torch.tensor(reset))

    def forward(self, current: Tensor, m: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Membranes and spikes of an update, from those of the update before."""
        taken = z.detach()
        m = self.beta * (m * (1 - taken) if self.reset == 1 else m) + current
        if self.reset == 0:
            m = m - self.threshold * taken
        return m, Spike.apply(m - self.threshold)

    @torch.no_grad()
    def keep(self) -> None:
        """Bring beta and the threshold back into the range that a state dict may have."""
        self.beta.clamp_(0, MOST_BETA)
        self.threshold.clamp_(min=LEAST_THRESHOLD)


class SnnFlat(nn.Module):
    """NeuroBench's SNN_Flat.

    Called with sums (batch, parts, channels) of `window`; gives outputs (batch, 2).
    """
    def __init__(self, channels: int, dt: float):
        super().__init__()
        self.window = Window(name="window", channels=channels, parts=PARTS, width=WIDTH)
        one, two = HIDDEN
        self.dropout = nn.Dropout(0.2)
        self.norm_layer = nn.LayerNorm((PARTS, channels))
        self.fc1, self.lif1 = nn.Linear(channels, one), Leaky((), 0.5, 0.5, 0)
        self.fc2, self.lif2 = nn.Linear(one, two), Leaky((), 0.5, 0.5, 0)
        self.fc3, self.lif3 = nn.Linear(two, 2), Leaky((), 0.6, 0.5, 2)
        self.v_x, self.v_y = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, sums: Tensor) -> Tensor:
        currents = self.fc1(self.norm_layer(self.dropout(sums)))
        m1 = z1 = torch.zeros_like(currents[:, 0])
        m2 = z2 = torch.zeros(len(sums), self.fc2.out_features)
        m3 = torch.zeros(len(sums), 2)
        for part in range(PARTS):
            m1, z1 = self.lif1(currents[:, part], m1, z1)
            m2, z2 = self.lif2(self.fc2(z1), m2, z2)
            m3 = self.lif3.beta * m3 + self.fc3(z2)
        return torch.cat([self.v_x, self.v_y]) * m3

    @torch.no_grad()
    def scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Answer ``mean + deviation`` times what the network answers now."""
        self.v_x.mul_(deviation[0])
        self.v_y.mul_(deviation[1])
        # A bias that is added in each inner step, and decays in the next ones.
        steps = (self.lif3.beta ** torch.arange(PARTS)).sum()
        self.fc3.bias.add_(mean / (torch.cat([self.v_x, self.v_y]) * steps))


class Hybrid(nn.Module):
    """The hybrid network, with the second pool in phase 0.

    Called with counts (batch, steps, channels) from zero state; gives keypoints (batch, keypoints,
    2) and spikes (batch, keypoints, neurons). Keypoint k comes in step ``4 k + 3``.
    """
    def __init__(self, channels: int, dt: float):
        super().__init__()
        self.conv1 = nn.Conv1d(channels, FEATURES, TAPS[0])
        self.conv2 = nn.Conv1d(FEATURES, FEATURES, TAPS[1])
        self.fc1, self.lif1 = nn.Linear(FEATURES, NEURONS), Leaky((NEURONS,), 0.8, 1.0, 1)
        self.fc2, self.lif2 = nn.Linear(NEURONS, NEURONS), Leaky((NEURONS,), 0.8, 1.0, 1)
        for layer in (self.lif1, self.lif2):
            layer.recurrent = nn.Linear(NEURONS, NEURONS, bias=False)
        self.fc3 = nn.Linear(NEURONS, 2)
        self.register_buffer("phase", torch.tensor(0.0))
        self.mean: Tensor
        self.sd: Tensor
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("sd", torch.ones(2))

    @torch.no_grad()
    def begin(self, counts: Tensor) -> None:
        """Scale the first weights so that values for ``counts`` have a deviation of 1.

        Few channels fire in a step, so that values would be small otherwise.
        """
        x = counts.transpose(1, 2)
        for conv, taps in ((self.conv1, TAPS[0]), (self.conv2, TAPS[1])):
            conv.weight.div_(conv(pad(x, (taps - 1, 0))).std())
            x = max_pool1d(conv(pad(x, (taps - 1, 0))), 2)
        self.fc1.weight.div_(self.fc1(x.transpose(1, 2)).std())

    def forward(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        x = counts.transpose(1, 2)
        for conv, taps in ((self.conv1, TAPS[0]), (self.conv2, TAPS[1])):
            x = max_pool1d(conv(pad(x, (taps - 1, 0))), 2)
        currents = self.fc1(x.transpose(1, 2))
        m1 = z1 = m2 = z2 = torch.zeros_like(currents[:, 0])
        keys, spikes = [], []
        for k in range(currents.shape[1]):
            m1, z1 = self.lif1(currents[:, k] + self.lif1.recurrent(z1), m1, z1)
            m2, z2 = self.lif2(self.fc2(z1) + self.lif2.recurrent(z2), m2, z2)
            keys.append(z2)
            spikes.append(torch.cat([z1, z2], dim=1))
        return self.fc3(torch.stack(keys, dim=1)), torch.stack(spikes, dim=1)

    @torch.no_grad()
    def scale(self, mean: Tensor, deviation: Tensor) -> None:
        """Answer ``mean + deviation`` times what the network answers now."""
        self.mean.copy_(mean)
        self.sd.copy_(deviation)
