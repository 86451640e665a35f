# SPDX-License-Identifier: Apache-2.0
"""The rows of the published table: one test for each value that is more than a number."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from spikewright.network.constants import BIG_HEADS, DT, TAU_MEM, TAU_SYN
from spikewright.network.state_dicts.rsnn import TINY_HEADS
from spikewright.train.published.pruning import prune_in_rounds
from spikewright.train.published.recipe import PUBLISHED
from tests.networks import refused

torch = pytest.importorskip("torch", reason="torch is not installed")

from spikewright.train.fitting.model import BigRSNN, TinyRSNN  # noqa: E402  # they need torch
from spikewright.train.fitting.pruning import prune  # noqa: E402
from spikewright.train.published.initial import initialise  # noqa: E402
from spikewright.train.published.step import bounds, r2, run_noisy  # noqa: E402

TINY, BIG = PUBLISHED["tinyrsnn"], PUBLISHED["bigrsnn"]


def test_values():
    """Each number of the table."""
    same = {"seed": 0, "pretraining": 100, "tuning": 200, "retraining": 100, "batch": 250,
            "learning_rate": 0.002, "period": 200, "dropout": 0.3, "steep": 20, "spread": 0.5,
            "from_input": 0.9, "readout": -0.01, "fewest": 0.001, "fewest_strength": 100,
            "most": 10, "prune_first": 40, "prune_most": 80, "prune_steps": (10, 5),
            "tolerance": 0.02}
    assert asdict(TINY) == same | {"network": "tinyrsnn", "hidden": 64, "most_strength": 0.01,
                                   "prunes": True, "half": True}
    assert asdict(BIG) == same | {"network": "bigrsnn", "hidden": 1024, "most_strength": 0,
                                  "prunes": False, "half": False}
    assert (DT, TAU_SYN, TAU_MEM) == (0.004, 0.01, 0.02)
    assert TINY_HEADS == ((0.05, 0.01),)
    assert BIG_HEADS == ((0.05, 0.01), (0.02, 0.005), (0.02, 0.02), (0.03, 0.01), (0.1, 0.03))


@pytest.mark.parametrize("kind, heads", [(TinyRSNN, TINY_HEADS), (BigRSNN, BIG_HEADS)])
def test_time_constants(kind, heads):
    """exp(-dt / (tau softplus(p))): hidden ones of 0.69 to 1.31 bases, readouts of 1.313."""
    model = kind(8, 500)
    initialise(model, TINY, [10.0], torch.Generator().manual_seed(1))
    a, b, ra, rb = (-0.004 / decay.detach().double().log() for decay in model.decays())
    for found, base in ((a, 0.01), (b, 0.02)):
        times = found / base
        assert 0.69 < times.min() < 0.71 and 1.29 < times.max() < 1.3133
        parameter = (times.exp() - 1).log()             # softplus the other way round
        assert float(parameter.mean()) == pytest.approx(0.5, abs=0.04)
        assert float(parameter.var()) == pytest.approx(1 / 12, rel=0.1)
    wanted = np.log1p(np.e) * np.repeat(np.array(heads), 2, axis=0)
    np.testing.assert_allclose(rb, wanted[:, 0], rtol=1e-4)
    np.testing.assert_allclose(ra, wanted[:, 1], rtol=1e-4)


@pytest.mark.parametrize("kind, recipe", [(TinyRSNN, TINY), (BigRSNN, BIG)])
def test_first_weights(kind, recipe):
    """Standard deviations, and those of a second array: divided by the ratio of the rates."""
    model = kind(192, 512)
    initialise(model, recipe, [8.0, 20.0], torch.Generator().manual_seed(1))
    into, recurrent, *heads = model.matrices()
    of_spike = 0.0024852162770733904        # of a kernel: squares in steps of 4 ms, times 4 ms
    expected = [(into[:, :96], 0.5 * (0.9 / (192 * 8 * of_spike)) ** 0.5),
                (into[:, 96:], 0.5 * (0.9 / (192 * 8 * of_spike)) ** 0.5 / (20 / 8)),
                (recurrent, 0.5 * (0.1 / (512 * 8 * of_spike)) ** 0.5),
                *((head, 512 ** -0.5) for head in heads)]
    assert len(heads) == len(model.heads)
    for weight, wanted in expected:
        few = 5 / weight.numel() ** 0.5
        assert weight.std().item() == pytest.approx(wanted, rel=few)
        assert weight.mean().item() == pytest.approx(0, abs=few * wanted)
        share = (weight.abs() < wanted).float().mean()      # of a normal distribution
        assert share.item() == pytest.approx(0.6827, abs=few)
    assert (heads[0] != heads[-1]).any() or len(heads) == 1


def test_kernel_of_the_first_weights():
    """The sum of squares of a membrane after one spike at the base constants, times the step."""
    a, b, syn, mem, total = np.exp(-0.4), np.exp(-0.2), 1.0, 0.0, 0.0
    for _ in range(500):
        syn, mem = a * syn, b * mem + (1 - b) * syn
        total += mem * mem
    assert 0.004 * total == pytest.approx(0.0024852, abs=1e-7)
    model = TinyRSNN(1000, 100)
    initialise(model, replace(TINY, spread=1, from_input=1), [5.0], torch.Generator())
    found = 1 / (1000 * 5 * model.con1.op.weight.var().item())
    assert found == pytest.approx(0.004 * total, rel=0.02)


def test_silent_array():
    with refused("Sessions must have spikes in each array of 96 channels to train on, not mean "
                 "rates of 3 Hz, 0 Hz"):
        initialise(TinyRSNN(192), TINY, [3.0, 0.0], torch.Generator())


def plain(model, spikes, recipe, through, sent):
    """The published steps in torch, one after the other, with the masks of both dropouts."""
    class Superspike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x > 0).to(x.dtype)

        @staticmethod
        def backward(ctx, grad):
            x, = ctx.saved_tensors
            return grad / (20 * x.abs() + 1) ** 2

    w1, w2, *heads = model.matrices()
    a, b, ra, rb = model.decays()
    outputs, fired_ones = [], []
    syn = mem = torch.zeros(spikes.shape[1], recipe.hidden)
    sum_syn = [torch.zeros(spikes.shape[1], 2) for _ in heads]
    out = [torch.full((spikes.shape[1], 2), -0.01) for _ in heads]
    x, z = torch.zeros_like(spikes[0]), torch.zeros_like(mem)
    for step in range(len(spikes)):
        fired = Superspike.apply(mem - 1)
        for k, weight in enumerate(heads):
            part = slice(2 * k, 2 * k + 2)
            out[k] = rb[part] * out[k] + (1 - rb[part]) * sum_syn[k]
            sum_syn[k] = ra[part] * sum_syn[k] + z @ weight.T
        mem = (b * mem + (1 - b) * syn) * (1 - fired.detach())
        syn = a * syn + x @ w1.T + z @ w2.T
        x, z = spikes[step] * through[step] / 0.7, fired * sent[step] / 0.7
        outputs.append(sum(out) / len(out))
        fired_ones.append(fired)
    return torch.stack(outputs), torch.stack(fired_ones)


@pytest.mark.parametrize("kind", [TinyRSNN, BigRSNN])
def test_samples_run_as_published(kind, monkeypatch):
    """Dropout of the input and of what neurons send, reset, first readout and gradients."""
    recipe = replace(TINY, hidden=6)
    model = kind(5, 6)
    initialise(model, recipe, [6.0], torch.Generator().manual_seed(2))
    spikes = (torch.rand(60, 3, 5, generator=torch.Generator().manual_seed(3)) < 0.3).float()
    masks = []
    dropout, rand = torch.nn.functional.dropout, torch.rand

    def kept_dropout(x, p):
        assert p == 0.3
        masks.append(dropout(torch.ones_like(x), p) > 0)
        return x * masks[-1] / 0.7

    def kept_rand(shape):
        masks.append(rand(shape))
        return masks[-1]
    monkeypatch.setattr("spikewright.train.published.step.dropout", kept_dropout)
    monkeypatch.setattr(torch, "rand", kept_rand)
    torch.manual_seed(4)
    found = []
    for run in (lambda: run_noisy(model, spikes, recipe), lambda: plain(
            model, spikes, recipe, masks[0], masks[1] < 0.7)):
        model.zero_grad()
        output, hidden = run()
        (output.square().sum() + hidden.sum(0).square().sum()).backward()
        found.append((output.detach(), hidden.detach(),
                      [parameter.grad.clone() for parameter in model.parameters()]))
    (output, hidden, gradients), (wanted, fired, slopes) = found
    assert hidden.any() and (hidden == fired).all() and set(hidden.unique().tolist()) == {0, 1}
    assert (hidden.bool() & ~(masks[1] < 0.7)).any()    # spikes before dropout come back
    torch.testing.assert_close(output, wanted, rtol=1e-4, atol=1e-6)
    for mine, slope in zip(gradients, slopes, strict=True):
        torch.testing.assert_close(mine, slope, rtol=1e-3, atol=1e-4 * float(slope.abs().max()))
    first = torch.tensor(-0.01) * model.decays()[3].detach()
    torch.testing.assert_close(output[0, 0], model.mean(first), rtol=1e-5, atol=0)


def test_bounds_of_activity():
    """By hand: 2 samples of 3 neurons with the counts 0, 12, 30 and 1, 2, 3."""
    counts = torch.tensor([[0, 12, 30], [1, 2, 3]])
    hidden = (torch.arange(40)[:, None, None] < counts).float().requires_grad_()
    found = bounds(hidden, TINY)
    assert found.item() == pytest.approx(100 * 0.001**2 / 6 + 0.01 * (14 - 10)**2 / 2, rel=1e-6)
    found.backward()
    assert hidden.grad[:, 0, 0].unique().numel() == 1
    assert hidden.grad[0, 0].tolist() == pytest.approx(
        [0.01 * 4 / 3 - 100 * 2 * 0.001 / 6, 0.01 * 4 / 3, 0.01 * 4 / 3], rel=1e-5)
    assert not hidden.grad[:, 1].any()
    assert bounds(hidden, BIG).item() == pytest.approx(100 * 0.001**2 / 6, rel=1e-6)


def test_r2_by_hand():
    target = torch.tensor([[[0.0, 1.0]], [[2.0, 1.0]], [[4.0, 7.0]]])
    output = target + torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]], [[-1.0, 2.0]]])
    assert r2(output, target) == pytest.approx(1 - (2 / 8 + 8 / 24) / 2, rel=1e-6)
    target[..., 1] = 5                                  # an axis that does not move
    assert r2(output, target) == pytest.approx(1 - 2 / 8, rel=1e-6)
    assert np.isnan(r2(output, torch.ones_like(target)))


@pytest.mark.parametrize("failures, wanted, good", [
    ([], [40, 50, 60, 70, 80], 80),
    ([2], [40, 50, 60, 55, 60, 65, 70, 75, 80], 80),
    ([2, 4], [40, 50, 60, 55, 60], 55),
    ([3, 4], [40, 50, 60, 70, 65], 60),
    ([4], [40, 50, 60, 70, 80, 75, 80], 80),
    ([0], [40, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80], 80),
    ([0, 1], [40, 35], None),
])
def test_levels_of_pruning(failures, wanted, good):
    """Levels until the second failure or 80 %, where the rounds with these numbers fail."""
    seen = []

    def retrain(percent):
        seen.append(percent)
        return 0.4 if len(seen) - 1 in failures else 0.5
    assert prune_in_rounds(retrain, 0.5, TINY) == good
    assert seen == wanted


@pytest.mark.parametrize("before, found, good", [
    (0.5, 0.4899, None), (0.5, 0.4901, 80), (-0.5, -0.5099, 80), (-0.5, -0.5101, None)])
def test_tolerance_of_pruning(before, found, good):
    """2 % of the size of the R2 before, also below 0."""
    assert prune_in_rounds(lambda percent: found, before, TINY) == good


def test_masks_of_pruning():
    """floor(p n) of the smallest weights of each matrix, also where some are equal."""
    model = TinyRSNN(3, 7)
    with torch.no_grad():
        model.con1.op.weight.copy_(torch.arange(-10.0, 11).view(7, 3))
        model.con2.op.weight.fill_(0.5)
    masks = dict(zip("abc", (mask for _, mask in prune(model, 0.55)), strict=True))
    assert [int((~mask).sum()) for mask in masks.values()] == [11, 26, 7]
    assert (masks["a"] == (model.con1.op.weight.abs() > 5)).all()
