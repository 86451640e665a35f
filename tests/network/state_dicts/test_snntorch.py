# SPDX-License-Identifier: Apache-2.0
"""State dicts of snnTorch modules with a description, against the equations of the modules."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from spikewright.network.checkpoint import checkpoint_hash, read_checkpoint
from spikewright.network.network import RESETS
from spikewright.network.reference import run_reference
from spikewright.network.retime import retime
from spikewright.network.state_dicts.snntorch import KINDS, RESET_NUMBERS
from tests.networks import random_recording, refused

CHANNELS, SIZES = 5, (6, 4, 2)


def _tensors(rng, kinds, resets):
    """A state dict of layers of these kinds, as snnTorch writes one."""
    tensors, before = {}, CHANNELS
    for k, (kind, reset, size) in enumerate(zip(kinds, resets, SIZES, strict=True), 1):
        tensors |= {f"fc{k}.weight": rng.normal(0.2, 0.7, (size, before)),
                    f"fc{k}.bias": rng.normal(0, 0.1, size),
                    f"lif{k}.beta": rng.uniform(0.3, 0.95, size), f"lif{k}.threshold": np.array(1),
                    f"lif{k}.reset_mechanism_val": np.array(RESET_NUMBERS.index(reset)),
                    f"lif{k}.graded_spikes_factor": np.array(1.0), f"lif{k}.mem": np.zeros(1)}
        if kind.endswith("Synaptic"):
            tensors |= {f"lif{k}.alpha": np.array(rng.uniform(0.3, 0.9)),
                        f"lif{k}.syn": np.zeros(1)}
        if kind.startswith("R"):
            tensors |= {f"lif{k}.recurrent.weight": rng.normal(0, 0.4, (size, size)),
                        f"lif{k}.recurrent.bias": rng.normal(0, 0.1, size)}
        before = size
    return tensors


def _run(tensors, kinds, resets, recording):
    """Membranes of the last layer and spikes of the others, as the modules compute them."""
    layers = len(kinds)
    syn, mem, spk = ([np.zeros(size) for size in SIZES] for _ in range(3))
    outputs, fired = [], []
    for t in range(recording.steps):
        value = np.bincount(recording.channel[recording.start[t]:recording.start[t + 1]],
                            minlength=CHANNELS).astype(float)
        for k in range(layers):
            value = tensors[f"fc{k + 1}.weight"] @ value + tensors.get(f"fc{k + 1}.bias", 0)
            if kinds[k].startswith("R"):
                value = (value + tensors[f"lif{k + 1}.recurrent.weight"] @ spk[k]
                         + tensors[f"lif{k + 1}.recurrent.bias"])
            threshold, reset = tensors[f"lif{k + 1}.threshold"], mem[k] > 1
            if kinds[k].endswith("Synaptic"):
                value = syn[k] = tensors[f"lif{k + 1}.alpha"] * syn[k] + value
            beta = tensors[f"lif{k + 1}.beta"]
            if resets[k] == "zero" and kinds[k] == "Leaky":
                mem[k] = beta * np.where(reset, 0, mem[k]) + value
            else:
                mem[k] = beta * mem[k] + value
                if resets[k] == "zero":
                    mem[k] = np.where(reset, 0, mem[k])
                elif resets[k] == "subtract":
                    mem[k] = mem[k] - reset * threshold
            value = spk[k] = (mem[k] > threshold).astype(float)
        outputs.append(mem[-1])
        fired.append(np.concatenate(spk[:-1]) > 0)
    return np.array(outputs), np.array(fired)


def _write(folder, tensors, layers, **changes):
    save_file({key: np.asarray(value) for key, value in tensors.items()},
              folder / "net.safetensors")
    path = folder / "net.json"
    path.write_text(json.dumps({"state_dict": "net.safetensors", "dt": 0.01, "layers": layers}
                               | changes))
    return path


def _layers(kinds):
    return [{"linear": f"fc{k}", "neuron": f"lif{k}", "kind": kind}
            for k, kind in enumerate(kinds, 1)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reset", RESET_NUMBERS)
@pytest.mark.parametrize("last", ["Leaky", "Synaptic"])
def test_network_is_as_the_modules(tmp_path, kind, reset, last):
    seed = 100 * KINDS.index(kind) + RESET_NUMBERS.index(reset)
    rng = np.random.default_rng(seed)
    kinds = (kind, str(rng.choice(KINDS)), last)
    resets = (reset, str(rng.choice(RESET_NUMBERS)), "none")
    tensors, recording = _tensors(rng, kinds, resets), random_recording(seed, CHANNELS, 300)
    network = read_checkpoint(_write(tmp_path, tensors, _layers(kinds)))
    assert network.dt == 0.01
    wanted, spikes = _run(tensors, kinds, resets, recording)
    assert spikes.any()
    for form in (network, retime(network)):
        trace = run_reference(form, recording)
        assert np.array_equal(trace.spikes, spikes)
        assert trace.velocity == pytest.approx(wanted, abs=1e-9)


def test_populations(tmp_path):
    tensors = _tensors(np.random.default_rng(0), ("RSynaptic", "Leaky", "Leaky"),
                       ("subtract", "zero", "none"))
    del tensors["fc2.bias"], tensors["fc3.bias"]
    network = read_checkpoint(_write(tmp_path, tensors, _layers(("RSynaptic", "Leaky", "Leaky"))))
    assert [(p.name, p.reset) for p in network.populations] == [
        ("constant", "none"), ("lif1", "subtract_next"), ("lif2", "zero_keep"),
        ("lif3", "zero_lose")]
    assert [(p.title, p.delay) for p in network.projections] == [
        ("input->lif1", 0), ("lif1->lif1", 1), ("constant->lif1", 0), ("lif1->lif2", 0),
        ("lif2->lif3", 0)]
    assert {p.reset for p in network.populations} <= set(RESETS)


def test_values_of_the_description(tmp_path):
    """A description has what the state dict lacks, as one number or as one for each neuron."""
    kinds = ("Synaptic", "RLeaky", "Leaky")
    tensors = _tensors(np.random.default_rng(1), kinds, ("none",) * 3)
    wanted = read_checkpoint(_write(tmp_path, tensors, _layers(kinds)))
    layers = _layers(kinds)
    for k, layer in enumerate(layers, 1):
        layer["reset"] = RESET_NUMBERS[int(tensors.pop(f"lif{k}.reset_mechanism_val"))]
        for key in ("alpha", "beta", "threshold"):
            if f"lif{k}.{key}" in tensors:
                layer[key] = tensors.pop(f"lif{k}.{key}").tolist()
    got = read_checkpoint(_write(tmp_path, tensors, layers))
    for one, other in zip(got.populations, wanted.populations, strict=True):
        assert one.reset == other.reset
        for key in ("synaptic_decay", "membrane_decay", "threshold"):
            assert np.array_equal(getattr(one, key), getattr(other, key))


@pytest.mark.parametrize("own", [0.5, [0.1, -0.2, 0.3, 0.4, -0.5, 0.6]])
@pytest.mark.parametrize("key", ["V", "recurrent.V"])
def test_one_to_one_recurrence(tmp_path, key, own):
    kinds = ("RLeaky", "Leaky", "Leaky")
    tensors = _tensors(np.random.default_rng(2), kinds, ("zero", "zero", "none"))
    del tensors["lif1.recurrent.weight"], tensors["lif1.recurrent.bias"]
    network = read_checkpoint(_write(tmp_path, tensors | {f"lif1.{key}": own}, _layers(kinds)))
    assert np.array_equal(network.projections[1].weights, np.diag(np.broadcast_to(own, 6)))


def test_decays_are_clipped(tmp_path):
    """The modules clip decays to 0 and 1 in each step."""
    kinds = ("Leaky", "Leaky", "Leaky")
    tensors = _tensors(np.random.default_rng(3), kinds, ("zero", "zero", "none"))
    tensors["lif2.beta"] = np.array([-0.5, 0.5, 1.0, 1.5])
    network = read_checkpoint(_write(tmp_path, tensors, _layers(kinds)))
    assert network.population("lif2").membrane_decay.tolist() == [0, 0.5, 1, 1]


def _refused(folder, message, change=None, drop=(), layers=None, **changes):
    kinds = ("RLeaky", "Synaptic", "Leaky")
    tensors = _tensors(np.random.default_rng(4), kinds, ("zero", "subtract", "none"))
    tensors = {key: value for key, value in (tensors | (change or {})).items() if key not in drop}
    path = _write(folder, tensors, _layers(kinds) if layers is None else layers,
                  **changes)
    with refused(message.replace("PATH", str(path))):
        read_checkpoint(path)


PAGE = "docs/howto/checkpoint.md"


@pytest.mark.parametrize("drop, message", [
    (["lif1.beta"], ("PATH: Layer lif1 must have 'beta' in its description, because the state dict "
                    "has no lif1.beta")),
    (["lif2.alpha"], ("PATH: Layer lif2 must have 'alpha' in its description, because the state "
                     "dict has no lif2.alpha")),
    (["lif2.reset_mechanism_val"],
     ("PATH: Layer lif2 must have 'reset' in its description, because the state dict has no "
      "lif2.reset_mechanism_val")),
    (["lif1.threshold"], ("PATH: Layer lif1 must have 'threshold' in its description, because the "
                         "state dict has no lif1.threshold")),
    (["fc2.weight", "lif1.recurrent.weight"],
     ("PATH: Checkpoint must have lif1.recurrent.weight, fc2.weight, not only fc1.bias, "
      "fc1.weight, fc2.bias, fc3.bias, fc3.weight, lif1.beta, lif1.graded_spikes_factor, lif1.mem "
      "and 15 more")),
])
def test_missing(tmp_path, drop, message):
    _refused(tmp_path, message, drop=drop)


@pytest.mark.parametrize("change, message", [
    ({"conv.weight": np.ones((2, 2))},
     ("PATH: Checkpoint must have only tensors of the layers that are described, not "
      "'conv.weight'")),
    ({"lif2.alpha": np.array(1.0)}, ("PATH: Population lif2 synaptic_decay must be at least 0 and "
                                    "below 1, not 1.0 at [0]")),
    ({"fc1.bias": np.ones(3)},
     ("PATH: fc1.bias must have shape (6,) to fit the other tensors, not (3,): the shapes are "
      "fc1.weight (lif1, C), lif1.recurrent.weight (lif1, lif1), fc1.bias (lif1), "
      "lif1.recurrent.bias (lif1), fc2.weight (lif2, lif1), fc2.bias (lif2), fc3.weight (lif3, "
      f"lif2), fc3.bias (lif3), see {PAGE}")),
    ({"lif1.V": np.ones(4)},
     ("PATH: lif1.V must have shape (6,) to fit the other tensors, not (4,): the shapes are "
      "fc1.weight (lif1, C), fc1.bias (lif1), lif1.V (lif1), fc2.weight (lif2, lif1), fc2.bias "
      f"(lif2), fc3.weight (lif3, lif2), fc3.bias (lif3), see {PAGE}")),
    ({"lif1.graded_spikes_factor": np.array(np.inf)},
     "PATH: lif1.graded_spikes_factor must be finite, not inf"),
    ({"lif3.reset_mechanism_val": np.array(0)},
     ("PATH: Layer lif3 must be Leaky or Synaptic without a reset, because it is the last one and "
     "its membranes are the outputs, not Leaky with the reset subtract")),
])
def test_wrong_tensor(tmp_path, change, message):
    drop = ["lif1.recurrent.weight", "lif1.recurrent.bias"] if "lif1.V" in change else []
    _refused(tmp_path, message, change, drop)


def _with(**changes):
    layers = _layers(("RLeaky", "Synaptic", "Leaky"))
    layers[1] |= changes
    return layers


@pytest.mark.parametrize("changes, message", [
    ({"layers": _with(kind="Alpha")}, ("Description PATH layers[1] kind must be one of Leaky, "
                                      "Synaptic, RLeaky, RSynaptic, not 'Alpha'")),
    ({"layers": _with(linear="")}, ("Description PATH layers[1] linear must be the name of a "
                                   "module, not ''")),
    ({"layers": _with(neuron=2)}, ("Description PATH layers[1] neuron must be the name of a "
                                   "module, not 2")),
    ({"layers": _with(reset="hard")}, ("Description PATH layers[1] reset must be one of subtract, "
                                      "zero, none, not 'hard'")),
    ({"layers": _with(beta=True)}, ("Description PATH layers[1] beta must be a number or a list of "
                                   "numbers, not True")),
    ({"layers": _with(kind="Leaky", alpha=0.5)}, ("Description PATH layers[1] alpha must come with "
                                                 "a Synaptic or RSynaptic neuron, not with Leaky")),
    ({"layers": _with(tau=1)}, ("Description PATH layers[1] must have only linear, neuron, kind, "
                               f"beta, alpha, threshold, reset, not 'tau': see {PAGE}")),
    ({"layers": [{"linear": "fc1"}, 2]}, ("Description PATH layers[0] must have neuron, kind, not "
                                         f"only linear: see {PAGE}")),
    ({"layers": [2, 2]}, f"Description PATH layers[0] must be an object, not 2: see {PAGE}"),
    ({"layers": []}, ("Description PATH layers must be a list of 2 layers or more, the last of "
                     "which has the outputs, not []")),
    ({"dt": 0}, "Description PATH dt must be seconds between 0 and 10, not 0"),
    ({"dt": "4 ms"}, "Description PATH dt must be seconds between 0 and 10, not '4 ms'"),
    ({"state_dict": "net.json"}, ("Description PATH state_dict must be the name of a file with "
                                 "tensors, not 'net.json'")),
    ({"format": 1}, ("Description PATH must have only state_dict, dt, layers, not 'format': see "
                    f"{PAGE}")),
])
def test_wrong_description(tmp_path, changes, message):
    _refused(tmp_path, message, **changes)


def test_description_that_is_no_json(tmp_path):
    path = tmp_path / "net.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=f"^Description {path} must be a JSON file, not one that "
                                         "cannot be read: "):
        read_checkpoint(path)
    with pytest.raises(ValueError, match="must be a JSON file"):
        read_checkpoint(tmp_path / "none.json")
    path.write_text('{"dt": 0.01, "dt": 0.02}')
    with refused(f"Description {path} must be a JSON file, not one that cannot be read: it has the "
                 "key 'dt' twice"):
        read_checkpoint(path)
    path.write_text("[]")
    with refused(f"Description {path} must be an object, not []: see {PAGE}"):
        read_checkpoint(path)


def test_state_dict_that_is_not_there(tmp_path):
    path = _write(tmp_path, {}, _layers(KINDS), state_dict="other.pth")
    other = str(tmp_path / "other.pth")
    with refused(f"Checkpoint must be a file, not {other!r}: there is none"):
        read_checkpoint(path)


def test_hash_has_the_description_and_the_tensors(tmp_path):
    path = _write(tmp_path, {"a": np.ones(2)}, _layers(KINDS))
    both = path.read_bytes() + (tmp_path / "net.safetensors").read_bytes()
    assert checkpoint_hash(path) == hashlib.sha256(both).hexdigest()
