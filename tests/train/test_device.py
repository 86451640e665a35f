# SPDX-License-Identifier: Apache-2.0
"""Training on a GPU: refused where there is none, and the same recipe where there is one."""

from dataclasses import replace

import numpy as np
import pytest

from spikewright.network.metrics import r_squared
from spikewright.train.fitting.recipe import Recipe
from spikewright.train.reaches import Units, save_session, simulate

torch = pytest.importorskip("torch", reason="torch is not installed")

from spikewright.train.fitting import fit as fit_module  # noqa: E402  # they need torch
from spikewright.train.fitting.fit import fit  # noqa: E402
from spikewright.train.fitting.loop import loop_steps  # noqa: E402
from spikewright.train.fitting.predict import predict  # noqa: E402

SESSION = simulate(n_bins=500, seed=1, units=Units(channels=20), trials=2)
RECIPE  = Recipe(hidden=8, epochs=3)

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
gpu    = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@no_gpu
@pytest.mark.parametrize("command", ["train", "reaches"])
def test_no_gpu_is_refused(tmp_path, call_command, command):
    save_session(tmp_path / "a.npz", SESSION)
    (tmp_path / "out").mkdir()
    words = [tmp_path / "a.npz"] if command == "train" else []
    status, out, err = call_command(command, *words, "-o", tmp_path / "out", "--device", "cuda")
    assert (status, out) == (2, "")
    assert err == (f"error: Option --device must be cpu where torch "
                   f"{torch.__version__} finds no GPU, not cuda\n")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("options, message", [
    (("--network", "ann"), "Option --device must come with the network tinyrsnn, not with ann"),
    (("--recipe", "published"),
     "Option --device must come with the recipe default, not with published")])
def test_other_networks_have_no_device(tmp_path, call_command, options, message):
    save_session(tmp_path / "a.npz", SESSION)
    status, _, err = call_command("train", tmp_path / "a.npz", "-o", tmp_path / "b", "--device",
                                  "cpu", *options)
    assert status == 2 and message in err


def test_steps_in_torch_train_the_same_network(monkeypatch):
    """They run here on the CPU. The weights may differ by the rounding of sums."""
    runs = []
    monkeypatch.setattr(fit_module, "loop_steps", lambda *arguments, **options: (
        runs.append(1) or loop_steps(*arguments, **options)))
    one, two = (fit(SESSION, replace(RECIPE, compiled=compiled), progress=False)
                for compiled in (True, False))
    assert len(runs) == 3
    for mine, other in zip(one.matrices(), two.matrices(), strict=True):
        mine, other = mine.detach(), other.detach()
        assert ((mine == 0) == (other == 0)).float().mean() > 0.95
        torch.testing.assert_close(mine, other, rtol=0, atol=0.1 * float(mine.std()))


@gpu
def test_network_learns_on_a_gpu():
    recipe = replace(RECIPE, hidden=16, epochs=60, dropout=0.0, learning_rate=0.03, device="cuda")
    model = fit(SESSION, recipe, progress=False)
    assert r_squared(SESSION.velocity, predict(model, SESSION)[0]).mean() > 0
    same = fit(SESSION, recipe, progress=False)
    assert np.array_equal(model.con1.op.weight.detach(), same.con1.op.weight.detach())
