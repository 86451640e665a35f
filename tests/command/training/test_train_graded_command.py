# SPDX-License-Identifier: Apache-2.0
"""``spikewright train --network``, and the commands that take what it writes."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.graded.run import run_graded
from spikewright.network.recording import read_recording
from spikewright.train.reaches import Units, save_session, simulate
from tests.graded import KINDS, ann_tensors, graded_network, graded_tensors


@pytest.fixture
def session(tmp_path):
    path = tmp_path / "a.npz"
    save_session(path, simulate(n_bins=1000, seed=1, units=Units(channels=20), trials=2))
    return path


@pytest.mark.parametrize("network", ["ann", "srtnet"])
def test_training(tmp_path, call_command, session, network):
    pytest.importorskip("torch")
    status, out, err = call_command("train", session, "-o", tmp_path / "b", "--network", network,
                                    "--epochs", 2, "--seed", 3)
    path = tmp_path / "b" / "final.safetensors"
    assert status == 0
    assert out.startswith(f"network: {network}, 20 channels, dt 0.004 s, ")
    assert err == "" or err.endswith("try more --epochs, or record more\n")
    metrics = json.loads((tmp_path / "b" / "metrics.json").read_text())
    assert {key: metrics[key] for key in ("network", "epochs", "seed", "steps_held_out")} == {
        "network": network, "epochs": 2, "seed": 3, "steps_held_out": 200}
    assert set(metrics["baselines"]) == {"wiener", "ridge", "kalman"}
    x, y = metrics["r2_held_out"]
    assert f"held out, 200 steps: R2 {(x + y) / 2:.3f} (x {x:.3f}, y {y:.3f})\n" in out

    assert call_command("run", path, session, "-o", tmp_path / "o.npz",
                        "--backend", "float")[0] == 0
    again = run_graded(read_checkpoint(path), read_recording(session)).velocity
    assert np.array_equal(np.load(tmp_path / "o.npz")["velocity"], again)


@pytest.mark.parametrize("network", ["ann", "ann_flat", "snn_flat", "srtnet"])
def test_a_velocity_in_an_extreme_unit_is_refused_at_once(tmp_path, call_command, session, network):
    pytest.importorskip("torch")
    arrays = dict(np.load(session))
    np.savez(session, **arrays | {"velocity": arrays["velocity"].astype(float) * 1e200})
    assert call_command("train", session, "-o", tmp_path / "b", "--network", network) == (2, "", (
        "error: Recording a.npz velocity must have a standard deviation between 1e-4 and 1e4 on "
        "both axes, for float16 weights, not inf and inf: give it in another unit\n"))
    assert not (tmp_path / "b").exists()


def test_hidden_is_of_tinyrsnn(tmp_path, call_command, session):
    status, _, err = call_command("train", session, "-o", tmp_path / "b", "--network", "ann",
                                  "--hidden", 8)
    assert (status, err) == (2, ("error: Option --hidden must come with the network tinyrsnn, not "
                                "with ann\n"))
    assert not (tmp_path / "b").exists()


READ = {
    "ANN": """window      sum of the last 50 steps of each channel
fc1         6 x 5, 30 weights not 0
batchnorm1  5 units, negative values are 0, then gain and offset
fc2         5 x 4, 20 weights not 0
batchnorm2  4 units, negative values are 0, then gain and offset
fc3         4 x 2, 8 weights not 0
outputs     2 axes
""", "ANN_Flat": """window      7 sums of 7 steps of each channel, up to the step before
fc1         42 x 5, 210 weights not 0
batchnorm1  5 units, negative values are 0, then gain and offset
fc2         5 x 4, 20 weights not 0
batchnorm2  4 units, negative values are 0, then gain and offset
fc3         4 x 2, 8 weights not 0
outputs     2 axes
""", "SNN_Flat": """window      7 sums of 7 steps of each channel, up to the step before
norm_layer  42 values, less their mean and over their deviation
lif         7 inner steps
  lif1      5 neurons, spiking, reset subtract_next, 6 x 5, 30 weights not 0
  lif2      4 neurons, spiking, reset subtract_next, 5 x 4, 20 weights not 0
  lif3      2 neurons, output, 4 x 2, 8 weights not 0
outputs     2 axes
""", "sRTnet": """conv1    3 taps, 6 x 5, 90 weights not 0
pool1    largest of 2 values, phase 0
conv2    4 taps, 5 x 4, 80 weights not 0
pool2    largest of 2 values, phase 1
lif1     6 neurons, spiking, reset zero_keep, 4 x 6, 24 weights not 0, recurrent, 6 x 6, 36 weights not 0
lif2     5 neurons, spiking, reset zero_keep, 6 x 5, 30 weights not 0, recurrent, 5 x 5, 25 weights not 0
fc3      5 x 2, 10 weights not 0
line     line of 4 steps between keypoints
outputs  2 axes
"""}    # noqa: E501


@pytest.mark.parametrize("kind", KINDS)
def test_read_and_run(tmp_path, call_command, kind):
    path, recording = tmp_path / "net.safetensors", tmp_path / "rec.npz"
    save_file(graded_tensors(kind, 0), path)
    status, out, _ = call_command("read", path)
    assert status == 0
    assert out.split("\n", 4)[-1] == READ[kind]
    assert [line.split(maxsplit=1)[1] for line in out.splitlines()[1:4]] == [
        "4 ms", "6 channels", kind]
    rng = np.random.default_rng(0)
    np.savez(recording, bin=np.arange(300), channel=rng.integers(0, 6, 300), n_bins=300,
             n_channels=6, dt=4e-3)
    status, out, err = call_command("run", path, recording, "-o", tmp_path / "o.npz",
                                    "--backend", "float")
    assert (status, err) == (0, "")
    assert out.startswith("300 steps")
    answer = np.load(tmp_path / "o.npz")
    trace = run_graded(graded_network(kind, 0), read_recording(recording))
    assert np.array_equal(answer["velocity"], trace.velocity)
    assert np.array_equal(answer["spikes"], trace.spikes)
    assert [key for key in answer if key.startswith("spikes_")] == (
        [] if kind.startswith("ANN") else ["spikes_lif1", "spikes_lif2"])


def test_calibration_needs_trials_as_long_as_the_window(tmp_path, call_command):
    path, recording = tmp_path / "net.safetensors", tmp_path / "rec.npz"
    save_file(ann_tensors(0), path)
    content = {"bin": np.arange(200), "channel": np.arange(200) % 6, "n_bins": 200, "n_channels": 6,
               "dt": 4e-3}
    words = ["quantize", path, "-o", tmp_path / "model", "--calibrate", recording]
    np.savez(recording, **content, trial_start_bin=np.arange(0, 200, 49))
    assert call_command(*words) == (2, "", (
        "error: Recording rec.npz trials must be as long as the window of the network, 50 steps, "
        "to calibrate on, not shorter\n"))
    assert not (tmp_path / "model").exists()
    np.savez(recording, **content, trial_start_bin=np.arange(0, 200, 50))
    assert call_command(*words)[0] == 0


def test_nir_is_for_spiking_networks_only(tmp_path, call_command):
    path = tmp_path / "net.safetensors"
    save_file(ann_tensors(0), path)
    status, out, err = call_command("export-nir", path, "-o", tmp_path / "o.nir")
    assert (status, out, err) == (2, "", ("error: Network must be one of spiking neurons only, not "
                                         "a graded one of the kind ANN\n"))


def test_network_file_runs_in_floating_point_only(tmp_path, call_command):
    path = tmp_path / "net.safetensors"
    save_file(ann_tensors(0), path)
    status, _, err = call_command("run", path, tmp_path / "rec.npz", "-o", tmp_path / "o.npz")
    assert (status, err) == (2, (
        f"error: Model must be a folder made by 'spikewright quantize', not the network file "
        f"'{path}': round it with 'spikewright quantize {path} -o MODEL'\n"))
    status, _, err = call_command("run", "gone.pth", tmp_path / "rec.npz", "-o",
                                  tmp_path / "o.npz", "--backend", "float")
    assert (status, err) == (2, "error: Checkpoint must be a file, not 'gone.pth': there is none\n")
