# SPDX-License-Identifier: Apache-2.0
"""State dicts of bigRSNN, against the published equations. `tests.network.test_checkpoint` has the
cases of tinyRSNN.
"""

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.checkpoint import network_from_tensors, read_checkpoint
from spikewright.network.constants import BIG_HEADS
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.network.state_dicts.checks import listed
from spikewright.network.state_dicts.rsnn import BIG_KEYS, KEYS
from tests.networks import SHARED, big_tensors, make_recording, random_recording, refused

VECTORS = SHARED / "oracle" / "vectors"


def published(w_in, w_rec, w_out, decays, recording):
    """Outputs and spikes as the published code computes them.

    ``w_out`` has shape (heads, axes, neurons). ``decays`` are those of the current and of the
    membrane: (neurons,) of the hidden neurons, and (heads, axes) of the readouts.
    """
    a, b, ra, rb = decays
    syn, mem, spikes = np.zeros(len(a)), np.zeros(len(a)), np.zeros(len(a))
    rsyn, rmem, before = np.zeros(ra.shape), np.zeros(ra.shape), np.zeros(w_in.shape[1])
    outputs, fired_in = [], []
    for t in range(recording.steps):
        fired = mem > 1
        rmem = rb * rmem + (1 - rb) * rsyn
        rsyn = ra * rsyn + w_out @ spikes
        mem = np.where(fired, 0, b * mem + (1 - b) * syn)
        syn = a * syn + w_in @ before + w_rec @ spikes
        spikes = fired.astype(float)
        before = np.bincount(recording.channel[recording.start[t]:recording.start[t + 1]],
                             minlength=len(before))
        outputs.append(rmem.mean(axis=0))
        fired_in.append(fired)
    return np.array(outputs), np.array(fired_in)


def _decays(tensors):
    def decay(tau, key):
        return np.exp(-4e-3 / (tau * np.log1p(np.exp(tensors[key]))))
    return (decay(10e-3, "group2.syn_param"), decay(20e-3, "group2.mem_param"),
            np.array([decay(BIG_HEADS[k][1], f"group{3 + k}.syn_param_readout") for k in range(5)]),
            np.array([decay(BIG_HEADS[k][0], f"group{3 + k}.mem_param_readout") for k in range(5)]))


def test_heads_of_the_published_configuration():
    milliseconds = [(round(1e3 * mem), round(1e3 * syn)) for mem, syn in BIG_HEADS]
    assert milliseconds == [(50, 10), (20, 5), (20, 20), (30, 10), (100, 30)]
    assert len(KEYS) == 7
    assert len(BIG_KEYS) == 19


@pytest.mark.parametrize("seed", range(5))
def test_big_is_as_the_equations(seed):
    tensors, recording = big_tensors(10 * seed), random_recording(seed, 6, 300)
    network = network_from_tensors(tensors)
    wanted, spikes = published(
        tensors["con1.op.weight"], tensors["con2.op.weight"],
        np.array([tensors[f"con{k}.op.weight"] for k in range(3, 8)]), _decays(tensors), recording)
    assert spikes.any()
    trace = run_reference(network, recording)
    # A published spike follows its membrane by one step.
    assert np.array_equal(trace.spikes[:-1], spikes[1:])
    assert trace.velocity == pytest.approx(wanted, abs=1e-12)
    early = run_reference(retime(network), recording)
    assert early.velocity[:-5] == pytest.approx(wanted[5:], abs=1e-12)


def test_big_populations():
    network = network_from_tensors(big_tensors(0))
    hidden, readout = network.populations
    assert (hidden.neurons, readout.neurons, readout.spiking) == (5, 10, False)
    assert np.array_equal(network.readout, np.tile(np.eye(2), 5) / 5)
    assert [(p.source, p.target, p.delay) for p in network.projections] == [
        ("hidden", "hidden", 3), ("input", "hidden", 2), ("hidden", "readout", 3)]


def _copied(tensors):
    copies = {}
    for k in range(3, 8):
        for kind in ("mem", "syn"):
            copies[f"con{k}.src.{kind}_param"] = tensors[f"group2.{kind}_param"]
            copies[f"con{k}.dst.{kind}_param_readout"] = tensors[f"group{k}.{kind}_param_readout"]
    return copies


def test_big_copies(tmp_path):
    tensors = big_tensors(0)
    save_file(tensors | _copied(tensors), tmp_path / "net.safetensors")
    assert len(read_checkpoint(tmp_path / "net.safetensors").projections) == 3
    wrong = {"con6.dst.mem_param_readout": tensors["group6.mem_param_readout"] + 1}
    save_file(tensors | wrong, tmp_path / "net.safetensors")
    with refused(f"{tmp_path / 'net.safetensors'}: con6.dst.mem_param_readout must equal "
                 "group6.mem_param_readout, its original, not differ from it"):
        read_checkpoint(tmp_path / "net.safetensors")


def test_big_lacks_a_head():
    tensors = big_tensors(0)
    del tensors["con7.op.weight"], tensors["group5.syn_param_readout"]
    with refused("Checkpoint must have con7.op.weight (O, H), group5.syn_param_readout (O), not "
                 "only con1.op.weight, con2.op.weight, con3.op.weight, con4.op.weight, "
                 "con5.op.weight, con6.op.weight, group2.mem_param, group2.syn_param and 9 more: "
                 "see docs/howto/checkpoint.md", ValueError):
        network_from_tensors(tensors)


def test_big_head_of_another_shape():
    tensors = big_tensors(0) | {"con6.op.weight": np.ones((3, 5))}
    with refused("con6.op.weight must have shape (2, 5) to fit the other tensors, not (3, 5): the "
                 f"shapes are {listed(BIG_KEYS)}, see docs/howto/checkpoint.md", ValueError):
        network_from_tensors(tensors)


def _vector(name):
    """Tensors, recording, outputs and spikes of a vector file.

    The parameters of the decays are those that give the decays in the file.
    """
    path = VECTORS / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    data = np.load(path)
    hidden = len(data["a"])
    if "grid_packed" in data:
        packed = data["grid_packed"]
        grid = np.stack([packed & 15, packed >> 4], axis=-1).reshape(hidden, -1).astype(int) - 8
        both, w_out = grid * data["grid_scale"], data["grid_out"] * data["grid_out_scale"]
        channels = int(data["input_shape"][1])
        w_in, w_rec = both[:, :channels], both[:, channels:]
    else:
        w_in, w_rec, w_out = data["w_in"], data["w_rec"], data["w_out"]

    def parameter(tau, decay):
        return np.log(np.expm1(-4e-3 / (tau * np.log(decay))))
    tensors = {"con1.op.weight": w_in, "con2.op.weight": w_rec,
               "group2.syn_param": parameter(10e-3, data["a"]),
               "group2.mem_param": parameter(20e-3, data["b"])}
    for k, (tau_mem, tau_syn) in enumerate(BIG_HEADS):
        tensors |= {f"con{3 + k}.op.weight": w_out[k],
                    f"group{3 + k}.syn_param_readout": parameter(tau_syn, data["ra"][k]),
                    f"group{3 + k}.mem_param_readout": parameter(tau_mem, data["rb"][k])}
    steps, channels = data["input_shape"].tolist()
    events = [[] for _ in range(steps)]
    for step, channel, count in zip(data["input_bin"], data["input_channel"], data["input_count"],
                                    strict=True):
        events[step] += [int(channel)] * int(count)
    spikes = np.unpackbits(data["spikes"], axis=1)[:, :hidden].astype(bool)
    return tensors, make_recording(events, channels), data["outputs"], spikes


@pytest.mark.parametrize("name", ["bigrsnn_small", "bigrsnn_full4bit"])
def test_big_is_as_the_vectors(name):
    tensors, recording, outputs, spikes = _vector(name)
    trace = run_reference(network_from_tensors(tensors), recording)
    assert np.array_equal(trace.spikes[:-1], spikes[1:])
    assert trace.velocity == pytest.approx(outputs, abs=1e-12)
