# SPDX-License-Identifier: Apache-2.0
"""The integer model in torch: the values of golden forward, a surrogate gradient backward.

Every tensor is float64 and holds whole numbers below 2**53, so sums, products by a decay and
shifts by ``floor`` are exact, in any order. Rounding and saturation pass the gradient unchanged. A
spike has the gradient of `train.fitting.loop.Spike` at ``m / threshold - 1``. A reset passes none.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikewright.base.errors import InputError
from spikewright.model.model import IntegerModel
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.plan.program import Map

from ..fitting.loop import Spike

__all__ = ["Events", "IntegerNetwork", "State"]


@dataclass(frozen=True)
class Events:
    """Input events of streams that run in parallel.

    Parameters
    ----------
    rows : int64, (steps, batch, most)
        Input rows of the events in their order; unused entries are ``-1``.
    reset : bool, (steps, batch)
        The state of the stream is cleared before the step.
    """
    rows: Tensor
    reset: Tensor


@dataclass(frozen=True)
class State:
    """State between steps: per population ``s`` and ``m``, float64 (batch, neurons).

    ``spikes`` holds the spikes of the last steps per population, the latest last.
    """
    s: list[Tensor]
    m: list[Tensor]
    spikes: list[list[Tensor]]

    def detach(self) -> "State":
        """The same values, detached from the graph of gradients."""
        return State([s.detach() for s in self.s], [m.detach() for m in self.m],
                     [[y.detach() for y in late] for late in self.spikes])


class IntegerNetwork(nn.Module):
    """An integer model with trainable weights.

    Parameters
    ----------
    model : IntegerModel
        Training starts with its weights. Its other constants do not change.

    Raises
    ------
    InputError
        If the model has several projections from the input, or one with a delay.

    Members
    -------
    shadow : list of float64 parameters, (sources, targets)
        Weights of each projection before rounding, in LSB; the model computes with `weights`.
    halves : list of int
        Weights of a projection are between ``-half`` and ``half - 1``.
    """
    def __init__(self, model: IntegerModel):
        super().__init__()
        self.model  = model
        self.shadow = nn.ParameterList(
            nn.Parameter(torch.from_numpy(p.weights).double()) for p in model.projections)
        self.halves = [p.largest + 1 for p in model.projections]
        # The order of the operations is the same on every core.
        program = Plan(model=model, config=CoreConfig()).program
        if program.log_room:
            raise InputError(f"Model {model.name} must have one projection from the input, with "
                             "delay 0, to be trained, not others")
        self._operations = program.operations
        self._place  = {p.name: k for k, p in enumerate(model.populations)}
        self._a, self._b, self._threshold = (
            [torch.from_numpy(getattr(p, key)).double() for p in model.populations]
            for key in ("synaptic_decay", "membrane_decay", "threshold"))
        self._slots = max(1, *(p.delay for p in model.projections))

    def weights(self) -> list[Tensor]:
        """Integers of each projection: the shadow rounded half up, within the weights' width."""
        return [_straight(w, torch.floor(w + 0.5).clamp(-half, half - 1))
                for w, half in zip(self.shadow, self.halves, strict=True)]

    def start(self, batch: int) -> State:
        """Zero state of ``batch`` streams."""
        zero = [torch.zeros(batch, p.neurons, dtype=torch.float64) for p in self.model.populations]
        return State(list(zero), list(zero), [[y] * self._slots for y in zero])

    def forward(self, events: Events, state: State) -> tuple[Tensor, Tensor, State]:
        """Run from ``state``.

        Returns
        -------
        output : float64, (steps, batch, outputs)
            m of the outputs, in LSB.
        hidden : float64, (steps, batch, neurons)
            Spikes of the neurons that spike, 0 or 1.
        state : State
        """
        populations = self.model.populations
        weights = [w * (1 << self.model.widths.fraction + p.shift)
                   for w, p in zip(self.weights(), self.model.projections, strict=True)]
        counts  = _counts(events.rows, self.model.rows)
        s, m    = list(state.s), list(state.m)
        late    = [list(spikes) for spikes in state.spikes]
        output, hidden = [], []
        for t, restart in enumerate(events.reset):
            if restart.any():
                keep = (~restart).double()[:, None]
                s, m = [x * keep for x in s], [x * keep for x in m]
                late = [[y * keep for y in spikes] for spikes in late]
            fired: dict[int, Tensor] = {}
            for operation in self._operations:
                if isinstance(operation, Map):
                    k = self._place[operation.span.population.name]
                    s[k], m[k], fired[k] = self._update(k, s[k], m[k], late[k][-1])
                    continue
                w = weights[operation.projection]
                k = self._place[self.model.projections[operation.projection].target]
                if operation.origin is None:
                    s[k] = self._add(s[k], counts[t], w, events.rows[t])
                else:
                    source = self._place[operation.origin.population.name]
                    due  = late[source][-operation.delay] if operation.delay else fired[source]
                    s[k] = self._add(s[k], due, w)
            late = [[*spikes[1:], fired[k]] for k, spikes in enumerate(late)]
            output.append(torch.cat([m[k] for k, p in enumerate(populations) if not p.spiking], 1))
            hidden.append(torch.cat([fired[k] for k, p in enumerate(populations) if p.spiking], 1))
        return torch.stack(output), torch.stack(hidden), State(s, m, late)

    def _update(self, k: int, s: Tensor, m: Tensor, before: Tensor
                ) -> tuple[Tensor, Tensor, Tensor]:
        high, bits = self.model.widths.largest_membrane, self.model.widths.decay
        threshold, population = self._threshold[k], self.model.populations[k]
        m = _scaled(m, self._b[k], bits) + s
        if population.reset == "subtract_next":
            m = m - threshold * before.detach()
        m = _straight(m, m.clamp(-high - 1, high))
        if population.reset == "zero_lose":
            m = m * (1 - before.detach())
        fired = (Spike.apply((m - threshold) / threshold.clamp(min=1))
                 if population.spiking else torch.zeros_like(m))
        if population.reset == "zero_keep":
            m = m * (1 - fired.detach())
        elif population.reset == "subtract_same":
            m = m - threshold * fired.detach()
        return _scaled(s, self._a[k], bits), m, fired

    def _add(self, s: Tensor, events: Tensor, weights: Tensor, rows: Tensor | None = None
             ) -> Tensor:
        """Add ``events`` (batch, sources) one by one: in the order of ``rows``, or of sources."""
        high  = (1 << self.model.widths.current - 1) - 1
        total = s + events @ weights
        with torch.no_grad():
            if (s.abs() + events @ weights.abs()).max() <= high:
                return total                    # no order of the events can saturate
            exact = s
            if rows is None:
                drives = events.T[:, :, None] * weights[:, None]
            else:
                drives = torch.cat([weights, torch.zeros_like(weights[:1])])[rows.T]
            for drive in drives:
                exact = (exact + drive).clamp(-high - 1, high)
        return _straight(total, exact)


def _straight(x: Tensor, value: Tensor) -> Tensor:
    """``value`` forward; backward, its gradient goes unchanged to ``x``."""
    return x + (value - x).detach()


def _scaled(x: Tensor, factor: Tensor, bits: int) -> Tensor:
    """``x * factor / 2**bits``, rounded half up as `golden.core.scaled` does."""
    exact = x * factor / (1 << bits)
    return _straight(exact, torch.floor(exact + 0.5))


def _counts(rows: Tensor, sources: int) -> Tensor:
    """Events of each row, float64 (steps, batch, sources), from ``rows`` (steps, batch, most)."""
    counts = torch.zeros(*rows.shape[:2], sources + 1, dtype=torch.float64)
    counts.scatter_add_(2, rows % (sources + 1), torch.ones_like(rows, dtype=torch.float64))
    return counts[..., :sources]
