# SPDX-License-Identifier: Apache-2.0
"""The compiled steps against the same steps in torch, spike by spike and gradient by gradient."""

import time
from functools import partial

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from spikewright.train.fitting.kernel import (  # noqa: E402  # they need torch
    continue_steps,
    run_steps,
)
from spikewright.train.fitting.loop import loop_steps  # noqa: E402
from spikewright.train.fitting.model import TinyRSNN  # noqa: E402


def _random_run(dtype, hidden, steps, batch, seed=0):
    """Arguments of `run_steps` with lively neurons, each with a gradient."""
    draw = torch.Generator().manual_seed(seed)
    normal = [torch.randn(shape, generator=draw, dtype=dtype) for shape in (
        (steps, batch, hidden), (hidden, hidden), (2, hidden))]
    decays = [torch.rand(size, generator=draw, dtype=dtype) * 0.9 for size in (
        hidden, hidden, 2, 2)]
    arguments = [normal[0] * 2 + 0.3, normal[1] * 0.7, normal[2], *decays]
    return [each.requires_grad_() for each in arguments]


def _answers(function, arguments):
    """Outputs and spikes, and the gradient of a function of both for each argument."""
    current, recurrent, readout, *decays = arguments
    output, hidden = function(current, recurrent, readout, tuple(decays))
    weights = [torch.linspace(-1, 2, part.numel(), dtype=part.dtype).view_as(part).sin()
               for part in (output, hidden)]
    (output * weights[0]).sum().add((hidden * weights[1]).sum()).backward()
    gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in arguments]
    for each in arguments:
        each.grad = None
    return output.detach(), hidden.detach(), gradients


@pytest.mark.parametrize("hidden, steps, batch", [(1, 1, 1), (3, 7, 2), (6, 80, 3), (33, 200, 2)])
def test_steps_are_those_of_torch(hidden, steps, batch):
    arguments = _random_run(torch.float64, hidden, steps, batch)
    one, two = (_answers(function, arguments) for function in (loop_steps, run_steps))
    assert (one[1] == two[1]).all() and (steps < 9 or 0.05 < one[1].mean() < 0.5)
    torch.testing.assert_close(two[0], one[0], rtol=1e-12, atol=1e-12)
    for mine, wanted in zip(two[2], one[2], strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-9, atol=1e-10)


def test_spikes_that_are_not_sent():
    """They reset their own neuron, and reach no other; with another surrogate gradient."""
    arguments = _random_run(torch.float64, 9, 120, 3)
    sent = torch.rand(120, 3, 9, generator=torch.Generator().manual_seed(1)) < 0.7
    one, two, whole = (_answers(partial(function, **more), arguments) for function, more in (
        (loop_steps, {"sent": sent, "steep": 20.0}), (run_steps, {"sent": sent, "steep": 20.0}),
        (run_steps, {})))
    assert (one[1] == two[1]).all() and (whole[1] != two[1]).any()
    torch.testing.assert_close(two[0], one[0], rtol=1e-12, atol=1e-12)
    for mine, wanted in zip(two[2], one[2], strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-9, atol=1e-10)


def test_steps_in_pieces_are_those_at_once():
    """Also a piece of one step, and with spikes and inputs on their way between two pieces."""
    with torch.no_grad():
        current, recurrent, readout, *decays = _random_run(torch.float64, 9, 120, 3)
        wanted = run_steps(current, recurrent, readout, tuple(decays))
        state, parts = None, []
        for piece in current.split([50, 1, 1, 60, 8]):
            *part, state = continue_steps(piece, recurrent, readout, tuple(decays), state)
            parts.append(part)
    assert wanted[1][49].any() and wanted[1][50].any()
    for mine, whole in zip(zip(*parts, strict=True), wanted, strict=True):
        assert (torch.cat(mine) == whole).all()


def test_steps_in_single_precision():
    """Sums over spikes have another order, so only short runs have the same spikes."""
    arguments = _random_run(torch.float32, 32, 40, 8)
    one, two = (_answers(function, arguments) for function in (loop_steps, run_steps))
    assert two[0].dtype == two[2][0].dtype == torch.float32
    assert (one[1] == two[1]).all() and one[1].any()
    torch.testing.assert_close(two[0], one[0], rtol=1e-5, atol=1e-5)
    for mine, wanted in zip(two[2], one[2], strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))


def _seconds(run):
    """Least CPU seconds of three runs, forward and backward, on one thread."""
    seconds = []
    for _ in range(4):
        begin = time.process_time()
        run()
        seconds.append(time.process_time() - begin)
    return min(seconds[1:])


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_training_is_four_times_as_fast_as_snntorch(one_thread):
    """64 windows of 250 steps, 96 channels and 64 neurons, in the same run."""
    snntorch = pytest.importorskip("snntorch", reason="snntorch is not installed")
    torch.manual_seed(0)
    model = TinyRSNN(96, 64, 2)
    model.con1.op.weight.data.normal_(std=0.8)
    spikes = (torch.rand(250, 64, 96) < 0.04).float()
    layer = snntorch.RSynaptic(alpha=torch.rand(64), beta=torch.rand(64), linear_features=64)
    leaky = snntorch.Synaptic(alpha=torch.rand(2), beta=torch.rand(2), reset_mechanism="none")

    def ours():
        output, hidden = model(spikes)
        (output.square().mean() + hidden.mean()).backward()

    def theirs():
        spk, syn, mem = layer.init_rsynaptic()
        rsyn, rmem = leaky.init_synaptic()
        outputs = []
        for step in model.con1.op(spikes):
            spk, syn, mem = layer(step, spk, syn, mem)
            _, rsyn, rmem = leaky(model.con3.op(spk), rsyn, rmem)
            outputs.append(rmem)
        torch.stack(outputs).square().mean().backward()
    assert _seconds(theirs) > 4 * _seconds(ours)
