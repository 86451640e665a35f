# SPDX-License-Identifier: Apache-2.0
"""State dicts of NeuroBench's SNN, against its equations and answers of the published weights."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.checkpoint import network_from_tensors, read_checkpoint
from spikewright.network.recording import read_recording
from spikewright.network.reference import run_reference
from spikewright.network.state_dicts.neurobench import KEYS
from tests.networks import SHARED, make_recording, random_recording, refused

VECTORS, WEIGHTS = SHARED / "oracle" / "vectors", SHARED / "neurobench_baselines"
SESSIONS = ("indy_20160622_01", "loco_20170210_03")


def _tensors(seed, channels=6, hidden=8, outputs=2, **more):
    rng = np.random.default_rng(seed)
    return {"fc1.weight": rng.normal(0.1, 0.6, (hidden, channels)),
            "fc_out.weight": rng.normal(0, 0.1, (outputs, hidden)),
            "lif1.beta": np.array(0.9), "lif_out.beta": np.array(0.8), **more}


def equations(w, w_out, decays, recording, threshold=1.0):
    """Outputs and spikes; ``decays`` are the decays of the hidden neurons and of the outputs."""
    m, o = np.zeros(len(w)), np.zeros(len(w_out))
    outputs, spikes = [], []
    for t in range(recording.steps):
        x = np.bincount(recording.channel[recording.start[t]:recording.start[t + 1]],
                        minlength=w.shape[1])
        m = decays[0] * np.where(m > threshold, 0, m) + w @ x
        o = decays[1] * o + w_out @ (m > threshold)
        spikes.append(m > threshold)
        outputs.append(o)
    return np.array(outputs), np.array(spikes)


@pytest.mark.parametrize("seed", range(5))
def test_network_is_as_the_equations(seed):
    tensors, recording = _tensors(seed), random_recording(seed, 6, 300)
    wanted, spikes = equations(tensors["fc1.weight"], tensors["fc_out.weight"], (0.9, 0.8),
                               recording)
    assert 0.02 < spikes.mean() < 0.9
    trace = run_reference(network_from_tensors(tensors), recording)
    assert np.array_equal(trace.spikes, spikes)
    assert trace.velocity == pytest.approx(wanted, abs=1e-12)


def test_populations():
    network = network_from_tensors(_tensors(0))
    hidden, readout = network.populations
    assert (network.dt, network.lead_steps, hidden.reset) == (4e-3, 0, "zero_keep")
    assert (hidden.name, hidden.neurons, readout.name, readout.spiking) == (
        "hidden", 8, "readout", False)
    assert not hidden.synaptic_decay.any()
    assert (hidden.threshold == 1).all()
    assert [(p.source, p.target, p.delay) for p in network.projections] == [
        ("input", "hidden", 0), ("hidden", "readout", 0)]


@pytest.mark.parametrize("reset, kind", [(0, "subtract_next"), (1, "zero_keep"), (2, "none")])
def test_threshold_and_reset_of_the_file(tmp_path, reset, kind):
    tensors = _tensors(0, **{"lif1.threshold": np.array(2), "lif_out.threshold": np.array(1),
                             "lif1.reset_mechanism_val": np.array(reset),
                             "lif_out.reset_mechanism_val": np.array(2)})
    save_file(tensors, tmp_path / "net.safetensors")
    hidden, _ = read_checkpoint(tmp_path / "net.safetensors").populations
    assert hidden.reset == kind
    assert hidden.threshold.tolist() == [2] * 8


def test_graded_spikes():
    """The spikes of a layer are multiplied by this factor."""
    plain = network_from_tensors(_tensors(0)).projections[1].weights
    graded = network_from_tensors(_tensors(0, **{"lif1.graded_spikes_factor": np.array(0.5)}))
    assert np.array_equal(graded.projections[1].weights, 0.5 * plain)


SHAPES = (": the shapes are fc1.weight (lif1, C), fc_out.weight (lif_out, lif1), see "
          "docs/howto/checkpoint.md")


@pytest.mark.parametrize("change, message", [
    ({"fc1.bias": np.zeros(8), "fc2.weight": np.ones((2, 2))},
     ("Checkpoint must have only fc1.weight (H, C), fc_out.weight (O, H), lif1.beta, lif_out.beta, "
     "not 'fc2.weight': see docs/howto/checkpoint.md")),
    ({"lif1.beta": np.array(np.nan)}, "lif1.beta must be finite, not nan"),
    ({"lif_out.beta": np.array(1.5)}, "lif_out.beta must be 0 or more and below 1, not 1.5"),
    ({"lif1.threshold": np.array(0.0)}, "lif1.threshold must be above 0, not 0"),
    ({"lif1.beta": np.full(3, 0.5)},
     "lif1.beta must be one number, or one for each of 8 neurons, not of shape (3,)"),
    ({"lif1.reset_mechanism_val": np.array(3)},
     "lif1.reset_mechanism_val must be 0, 1 or 2, not 3"),
    ({"lif1.reset_mechanism_val": np.ones(2)},
     "lif1.reset_mechanism_val must be one finite number, not of shape (2,)"),
    ({"lif_out.reset_mechanism_val": np.array(1)},
     ("Layer lif_out must be Leaky or Synaptic without a reset, because it is the last one and its "
     "membranes are the outputs, not Leaky with the reset zero")),
    ({"fc_out.weight": np.ones((2, 7))},
     "fc_out.weight must have shape (2, 8) to fit the other tensors, not (2, 7)" + SHAPES),
])
def test_wrong_tensor(change, message):
    with refused(message, ValueError):
        network_from_tensors(_tensors(0) | change)


@pytest.mark.parametrize("key", ["fc1.weight", "lif1.beta", "lif_out.beta"])
def test_missing_tensor(key):
    tensors = _tensors(0)
    del tensors[key]
    axes = ", ".join(KEYS[key])
    told = f"{key} ({axes})" if axes else key
    with refused(f"Checkpoint must have {told}, not only {', '.join(sorted(tensors))}: see "
                 "docs/howto/checkpoint.md", ValueError):
        network_from_tensors(tensors)


def _stored(data):
    steps, channels = data["input_shape"].tolist()
    events = [[] for _ in range(steps)]
    for step, channel, count in zip(data["input_bin"], data["input_channel"], data["input_count"],
                                    strict=True):
        events[step] += [int(channel)] * int(count)
    return make_recording(events, channels)


def _load(path):
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return np.load(path)


def test_network_is_as_the_vectors():
    data = _load(VECTORS / "nb_snn.npz")
    network = network_from_tensors({
        "fc1.weight": data["w"], "fc_out.weight": data["w_out"], "lif1.beta": data["beta"],
        "lif_out.beta": data["beta_out"]})
    trace = run_reference(network, _stored(data))
    spikes = np.unpackbits(data["spikes"], axis=1)[:, :len(data["w"])].astype(bool)
    assert np.array_equal(trace.spikes, spikes)
    assert trace.velocity == pytest.approx(data["outputs"], abs=1e-12)


@pytest.mark.parametrize("session", SESSIONS)
def test_published_weights_give_the_published_answers(session):
    pytest.importorskip("torch")
    data = _load(VECTORS / f"published_{session}.npz")
    recording = (read_recording(SHARED / "data" / "mc_rtt_indy_4reaches_4ms.npz")
                 if "input_shape" not in data else _stored(data))
    # The answers are those of one run through all reaches.
    recording.reset[:] = False
    network = read_checkpoint(WEIGHTS / f"SNN2_{session}.pt")
    trace = run_reference(network, recording)
    assert trace.velocity == pytest.approx(data["SNN"], abs=1e-9)
    (hidden, outputs), (decay, decay_out) = (
        [p.weights.T for p in network.projections], [p.membrane_decay for p in network.populations])
    wanted, spikes = equations(hidden, outputs, (decay, decay_out), recording)
    assert np.array_equal(trace.spikes, spikes)
    assert trace.velocity == pytest.approx(wanted, abs=1e-12)
