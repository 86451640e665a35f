# SPDX-License-Identifier: Apache-2.0
"""The steps of a network in compiled loops, forward and backward.

They compute what `train.fitting.loop` does operation by operation: the same values, in the same
order, and the same gradients. Only sums over spikes have another order, because they have a term
for each spike.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .loop import STEEP, loop_steps

__all__ = ["State", "continue_steps", "run_steps"]

#: What a step leaves for the next one: the input on its way, then syn, mem and spikes of the hidden
#: neurons, (batch, hidden), then rsyn and rmem of the outputs, (batch, outputs).
State = tuple[np.ndarray, ...]


def run_steps(current: Tensor, recurrent: Tensor, readout: Tensor, decays: tuple[Tensor, ...], *,
              steep: float = STEEP, sent: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Run hidden neurons and outputs from zero state, see `train.fitting.model.TinyRSNN`.

    Tensors of a GPU run in the loop of torch.

    Parameters
    ----------
    current : (steps, batch, hidden)
        What the input spikes of each step add to a neuron.
    recurrent : (hidden, hidden), readout : (outputs, hidden)
        Weights.
    decays : tuple
        (hidden,), (hidden,), (outputs,), (outputs,).
    steep : float
        Of the surrogate gradient.
    sent : bool (steps, batch, hidden), optional
        Which spikes reach neurons and outputs. All of them reset their own neuron, and are in
        ``hidden``. By default, all are sent.

    Returns
    -------
    output : (steps, batch, outputs)
    hidden : (steps, batch, hidden)
        Spikes, 0 or 1.
    """
    if current.device.type != "cpu":
        return loop_steps(current, recurrent, readout, decays, steep=steep, sent=sent)
    if sent is None:
        sent = torch.ones(current.shape, dtype=torch.bool)
    return _Steps.apply(steep, sent, current, recurrent, readout, *decays)


def continue_steps(current: Tensor, recurrent: Tensor, readout: Tensor, decays: tuple[Tensor, ...],
                   state: State | None = None) -> tuple[Tensor, Tensor, State]:
    """Run one step or more from the ``state`` that the last call gave, by default from zero state.

    The other arguments are those of `run_steps`. There are no gradients.

    Returns
    -------
    output, hidden : Tensor
        As from `run_steps`.
    state : State
        For the steps that follow.
    """
    arrays = _arrays(current, recurrent, readout, *decays)
    sent   = np.ones(current.shape, bool)
    late   = state[0] if state else np.zeros_like(arrays[0][0])
    states = _states(arrays[0], len(readout), state)
    _forward(*arrays, sent, late, *states)                      # type: ignore[call-arg]
    left = arrays[0][-1].copy(), *(each[-1].copy() for each in states)
    return torch.from_numpy(states[4][1:]), torch.from_numpy(states[2][1:]), left


def _arrays(*tensors: Tensor) -> list[np.ndarray]:
    return [each.detach().contiguous().numpy() for each in tensors]


def _states(current: np.ndarray, outputs: int, first: State | None = None) -> list[np.ndarray]:
    """Room for syn, mem, spikes, rsyn and rmem, whose first row is filled: the state before."""
    steps, batch, hidden = current.shape
    states = [np.empty((steps + 1, batch, size), current.dtype)
              for size in (hidden, hidden, hidden, outputs, outputs)]
    for each, before in zip(states, first[1:] if first else [0] * len(states), strict=True):
        each[0] = before
    return states


class _Steps(torch.autograd.Function):
    @staticmethod
    def forward(ctx, steep, sent, current, recurrent, readout, a, b, ra, rb):
        arrays = _arrays(current, recurrent, readout, a, b, ra, rb)
        kind   = arrays[0].dtype
        syn, mem, spikes, rsyn, rmem = _states(arrays[0], len(readout))
        sent = sent.numpy()
        late = np.zeros_like(arrays[0][0])
        _forward(*arrays, sent, late, syn, mem, spikes, rsyn, rmem)     # type: ignore[call-arg]
        ctx.save_for_backward(recurrent, readout, a, b, ra, rb)
        ctx.kept = kind.type(steep), sent, syn, mem, spikes, rsyn, rmem
        return torch.from_numpy(rmem[1:]), torch.from_numpy(spikes[1:])

    @staticmethod
    def backward(ctx, of_output, of_hidden):
        arrays = _arrays(*ctx.saved_tensors)
        of_current = np.empty_like(ctx.kept[2][1:])
        of_weights = [np.zeros_like(each) for each in arrays]
        _backward(*arrays, *ctx.kept, of_output.contiguous().numpy(),  # type: ignore[call-arg]
                  of_hidden.contiguous().numpy(), of_current, *of_weights)
        return None, None, torch.from_numpy(of_current), *map(torch.from_numpy, of_weights)


@njit(cache=True)
def _forward(current, recurrent, readout, a, b, ra, rb, sent, late, syn, mem, spikes, rsyn, rmem):
    """Fill the states after each step, and its spikes. Before the first step, they are there.

    ``late`` is the ``current`` of the step before the first. ``spikes[t + 1]`` are those of step t,
    and ``sent[t]`` says which of them reach others; all do of those before the first step. Sums
    over spikes go source by source.
    """
    steps, batch, hidden = current.shape
    outputs = len(readout)
    from_source = recurrent.T.copy()
    one = current.dtype.type(1)
    drive = np.empty(hidden, current.dtype)
    for t in range(steps):
        for n in range(batch):
            drive[:] = 0
            for i in range(hidden):
                if spikes[t, n, i] and (t == 0 or sent[t - 1, n, i]):
                    for j in range(hidden):
                        drive[j] += from_source[i, j]
            for j in range(hidden):
                fired = mem[t, n, j] - one > 0
                spikes[t + 1, n, j] = one if fired else 0
                added = current[t - 1, n, j] if t else late[n, j]
                mem[t + 1, n, j] = 0 if fired else b[j] * mem[t, n, j] + (one - b[j]) * syn[t, n, j]
                syn[t + 1, n, j] = a[j] * syn[t, n, j] + added + drive[j]
            for o in range(outputs):
                added = one * 0
                for i in range(hidden):
                    if spikes[t, n, i] and (t == 0 or sent[t - 1, n, i]):
                        added += readout[o, i]
                rmem[t + 1, n, o] = rb[o] * rmem[t, n, o] + (one - rb[o]) * rsyn[t, n, o]
                rsyn[t + 1, n, o] = ra[o] * rsyn[t, n, o] + added


@njit(cache=True)
def _backward(recurrent, readout, a, b, ra, rb, steep, sent, syn, mem, spikes, rsyn, rmem,
              of_output, of_hidden, of_current, of_recurrent, of_readout, of_a, of_b, of_ra, of_rb):
    """Fill the gradients ``of_...``, those of the weights added to zeros.

    The variables of a neuron have the gradients of its state after step t, then before it.
    """
    steps, batch, hidden = of_current.shape
    outputs = len(readout)
    kind = of_current.dtype
    one = kind.type(1)
    to_source = np.zeros((hidden, hidden), kind)            # gradient of from_source in _forward
    for n in range(batch):
        g_syn, g_mem = np.zeros(hidden, kind), np.zeros(hidden, kind)
        g_rsyn, g_rmem = np.zeros(outputs, kind), np.zeros(outputs, kind)
        g_spike = np.empty(hidden, kind)
        # Spikes of step t go to the syn and rsyn of step t + 1: `g_next` is their gradient.
        g_next = np.zeros(hidden, kind)
        of_current[steps - 1, n] = 0
        for t in range(steps - 1, -1, -1):
            for j in range(hidden):
                g_spike[j] = of_hidden[t, n, j] + g_next[j]
            # The readout of step t has the spikes of step t - 1.
            g_next[:] = 0
            for o in range(outputs):
                g_rmem[o] += of_output[t, n, o]
                of_ra[o] += g_rsyn[o] * rsyn[t, n, o]
                of_rb[o] += g_rmem[o] * (rmem[t, n, o] - rsyn[t, n, o])
                for i in range(hidden):
                    g_next[i] += g_rsyn[o] * readout[o, i]
                    if spikes[t, n, i] and sent[t - 1, n, i]:
                        of_readout[o, i] += g_rsyn[o]
                g_rsyn[o] = g_rmem[o] * (one - rb[o]) + g_rsyn[o] * ra[o]
                g_rmem[o] = g_rmem[o] * rb[o]
            for i in range(0, hidden - hidden % 4, 4):
                for j in range(hidden):
                    g_next[j] += ((g_syn[i] * recurrent[i, j] + g_syn[i + 1] * recurrent[i + 1, j])
                                  + (g_syn[i + 2] * recurrent[i + 2, j]
                                     + g_syn[i + 3] * recurrent[i + 3, j]))
            for i in range(hidden - hidden % 4, hidden):
                for j in range(hidden):
                    g_next[j] += g_syn[i] * recurrent[i, j]
            for i in range(hidden):
                if not sent[t - 1, n, i]:
                    g_next[i] = 0
                elif spikes[t, n, i]:
                    for j in range(hidden):
                        to_source[i, j] += g_syn[j]
            for j in range(hidden):
                kept = g_mem[j] if spikes[t + 1, n, j] == 0 else one * 0
                of_a[j] += g_syn[j] * syn[t, n, j]
                of_b[j] += kept * (mem[t, n, j] - syn[t, n, j])
                slope = one + steep * abs(mem[t, n, j] - one)
                if t:
                    of_current[t - 1, n, j] = g_syn[j]
                g_mem[j] = kept * b[j] + g_spike[j] / (slope * slope)
                g_syn[j] = kept * (one - b[j]) + g_syn[j] * a[j]
    for i in range(hidden):
        for j in range(hidden):
            of_recurrent[j, i] = to_source[i, j]
