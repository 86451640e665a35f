# SPDX-License-Identifier: Apache-2.0
"""Small random networks, models and recordings, and how a refusal is checked."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.model.integers import IntegerPopulation, IntegerProjection, Widths
from spikewright.model.model import IntegerModel
from spikewright.network.checkpoint import network_from_tensors
from spikewright.network.network import (
    INPUT,
    RESETS,
    Network,
    Population,
    Projection,
    constant,
    start,
)
from spikewright.network.recording import Recording
from spikewright.network.retime import in_order
from spikewright.quantize.integer import quantize
from spikewright.quantize.rounding import nearest

__all__ = ["CHECKPOINTS", "MIXED", "SHARED", "big_tensors", "deep_model", "general_network",
           "make_network", "make_population", "make_recording", "model_of_all_parts",
           "nearest_model", "random_recording", "random_tensors", "refused", "tiny_network"]

SHARED = Path(__file__).parent.parent.parent / "shared"
CHECKPOINTS = [f"{session}/tinyRSNN-{k}" for session in ("indy01", "indy03", "loco01", "loco03")
               for k in (1, 2, 3)]

# For `deep_model`: bits of the input, a recurrent projection and a pair of others, by title.
MIXED = {"input->first": 3, "second->second": 2, "first->out": 3}


@contextlib.contextmanager
def refused(message, error=InputError):
    """The block must raise ``error`` with exactly this text."""
    with pytest.raises(error) as caught:
        yield
    assert str(caught.value) == message


def random_tensors(seed, channels=6, hidden=5, outputs=2, gain=4.0):
    """The tensors of a published state dict, float16 as published, with lively weights."""
    rng = np.random.default_rng(seed)
    shapes = {"con1.op.weight": (hidden, channels), "con2.op.weight": (hidden, hidden),
              "con3.op.weight": (outputs, hidden), "group2.mem_param": (hidden,),
              "group2.syn_param": (hidden,), "group3.mem_param_readout": (outputs,),
              "group3.syn_param_readout": (outputs,)}
    return {key: (gain * rng.normal(size=shape) if "weight" in key
                  else rng.uniform(0, 2, size=shape)).astype(np.float16)
            for key, shape in shapes.items()}


def big_tensors(seed, **sizes):
    """The tensors of a published state dict of bigRSNN, in float64."""
    tensors = random_tensors(seed, **sizes)
    for k in range(4, 8):
        more = random_tensors(seed + k, **sizes)
        tensors |= {key.replace("3", str(k)): more[key] for key in more
                    if key.startswith(("con3", "group3"))}
    return {key: value.astype(float) for key, value in tensors.items()}


def tiny_network(seed, **sizes):
    """A network of the published form, with the published delays."""
    tensors = random_tensors(seed, **sizes)
    return network_from_tensors({key: value.astype(float) for key, value in tensors.items()})


def nearest_model(network, widths, name):
    """The integer model of ``network`` with each weight rounded to the nearest integer."""
    bits = (widths.weight,) * len(network.projections)
    return quantize(network, nearest(network, bits), widths, name)


def make_population(rng, name, neurons, spiking=True):
    """A population with random decays."""
    return Population(name=name, spiking=spiking, threshold=rng.uniform(0.5, 1.5, neurons),
                      synaptic_decay=rng.uniform(0.5, 0.95, neurons),
                      membrane_decay=rng.uniform(0.1, 0.95, neurons))


def make_network(seed, sizes, edges, channels=4):
    """A network with random weights.

    ``sizes`` maps names of populations, the last the output, to neurons; ``edges`` are (source,
    target, delay).
    """
    rng = np.random.default_rng(seed)
    last = list(sizes)[-1]
    size = {INPUT: channels, **sizes}
    return Network(
        channels=channels, dt=4e-3,
        populations=tuple(make_population(rng, name, neurons, name != last)
                          for name, neurons in sizes.items()),
        projections=tuple(Projection(source=source, target=target, delay=delay,
                                     weights=rng.normal(0, 0.7, (size[source], size[target])))
                          for source, target, delay in edges))


def general_network(seed, most=20):
    """A random network with every kind of neuron and projection, and one or two output populations.

    One to four spiking populations of 1 to ``most`` neurons have any reset; some have biases,
    kicks, recurrence, projections from the input with delays, or several projections from the same
    source. A second output population has the spikes of a population, or their counts over a
    window. A readout then mixes the outputs.
    """
    rng = np.random.default_rng(seed)
    channels, names = int(rng.integers(1, 9)), [f"p{k}" for k in range(rng.integers(1, 5))]
    size = {INPUT: channels} | {name: int(rng.integers(1, most + 1)) for name in names} | {
        "out": int(rng.integers(1, 4))}

    def decay(neurons, edge):
        kind = rng.integers(0, 3)
        return (np.zeros(neurons) if kind == 0 else np.full(neurons, edge) if kind == 1
                else rng.uniform(0.1, 0.95, neurons))

    def weights(source, target, spread=0.8):
        return rng.normal(0, spread, (source, target)) * (rng.random((source, target)) < 0.7)

    populations = [Population(
        name=name, spiking=name != "out", threshold=rng.uniform(0.5, 1.5, size[name]),
        synaptic_decay=decay(size[name], 0.0), membrane_decay=decay(size[name], 1.0),
        reset=str(rng.choice(RESETS)), at_least=bool(rng.integers(0, 2)))
        for name in (*names, "out")]
    edges = [(INPUT if k == 0 else str(rng.choice([INPUT, *names[:k]])), name,
              int(rng.choice([0, 0, 1, 3, 6]))) for k, name in enumerate((*names, "out"))
             if name != "out"]
    edges.append((names[-1], "out", int(rng.choice([0, 1, 2, 5]))))
    for _ in range(rng.integers(0, 5)):
        source, target = str(rng.choice([INPUT, *names])), str(rng.choice([*names, "out"]))
        backward = source != INPUT and [*names, "out"].index(source) >= [
            *names, "out"].index(target)
        edges.append((source, target, int(rng.integers(backward, 7))))
    projections = [Projection(source=source, target=target, delay=delay,
                              weights=weights(size[source], size[target]))
                   for source, target, delay in edges]
    if rng.random() < 0.5:
        populations.insert(0, constant())
        projections += [Projection(source="constant", target=name, delay=int(rng.choice([0, 0, 2])),
                                   weights=weights(1, size[name], 0.3))
                        for name in rng.choice([*names, "out"], 2, replace=False)]
    if rng.random() < 0.2:
        kick, again = start()
        populations.insert(0, kick)
        projections += [again, Projection(source="start", target=names[0], delay=0,
                                          weights=weights(1, size[names[0]]))]
    readout = None
    if rng.random() < 0.4:
        counted, window = str(rng.choice(names)), int(rng.integers(0, 4))
        n, late = size[counted], int(rng.integers(0, 3))
        populations.append(Population(
            name="counts", spiking=False, synaptic_decay=np.zeros(n), threshold=np.ones(n),
            membrane_decay=np.full(n, float(window > 0))))
        projections += [Projection(source=counted, target="counts", delay=late + more,
                                   weights=sign * np.eye(n))
                        for more, sign in [(0, 1.0), (window, -1.0)][:1 + (window > 0)]]
        readout = rng.normal(size=(2, size["out"] + n))
    return Network(channels=channels, dt=4e-3, populations=tuple(populations),
                   projections=tuple(projections), readout=readout)


def model_of_all_parts():
    """An integer model with each reset, biases, a kick and delayed input, and its network.

    It has 5 channels. Its input log keeps 64 events of a step.
    """
    rng, names = np.random.default_rng(30), ("keep", "next", "same", "lose")
    sizes = {"input": 5, "keep": 3, "next": 4, "same": 3, "lose": 4, "out": 2}

    def population(name):
        n = sizes[name]
        reset = {"keep": "zero_keep", "next": "subtract_next", "same": "subtract_same"}.get(
            name, "zero_lose")
        return Population(name=name, spiking=name != "out", reset=reset,
                          threshold=rng.uniform(0.5, 0.9, n), synaptic_decay=0.3 * np.ones(n),
                          membrane_decay=np.ones(n) if name == "next" else 0.7 * np.ones(n))

    kick, again = start()
    edges = [("input", "keep", 0), ("input", "next", 0), ("input", "same", 2), ("keep", "lose", 0),
             ("next", "same", 0), ("same", "next", 1), ("same", "lose", 1), ("constant", "next", 0),
             ("start", "lose", 0), *((name, "out", 0) for name in names)]
    sizes |= {"constant": 1, "start": 1}
    network = in_order(Network(
        channels=5, dt=4e-3, populations=(kick, constant(), *map(population, (*names, "out"))),
        projections=(again, *(
            Projection(source=source, target=target, delay=delay, weights=rng.normal(
                0.2, 0.6, (sizes[source], sizes[target]))) for source, target, delay in edges))))
    for projection in network.projections[1:3]:
        projection.weights[4] = 0       # many events of channel 4 saturate nothing in their step
    model = nearest_model(network, Widths(weight=4, current=11, membrane=12, decay=4, fraction=1),
                          "general")
    return model, network


def deep_model(seed, widths=None, bits=None):
    """An integer model of two recurrent populations and an output, with delays 0 to 5.

    Some channels have no row, some neurons of the checkpoint are gone, weights take their whole
    range, so that the states saturate where ``widths`` are narrow, and projections are shifted as
    far as ``widths`` have room. ``bits`` are those of a weight of the projections with a title that
    it names; all others have the bits of ``widths``.
    """
    rng = np.random.default_rng(seed)
    widths = widths or Widths(weight=5, current=9, membrane=11, decay=6, fraction=2)
    one = 1 << widths.decay
    kept = {"first": [0, 2, 3, 5, 6], "second": [1, 2, 3], "out": [0, 1]}
    size = {"first": 7, "second": 4, "out": 2}
    high = (1 << widths.membrane - 1) - 1
    populations = tuple(
        IntegerPopulation(
            name=name, spiking=name != "out", size=size[name], kept=np.array(places),
            synaptic_decay=rng.integers(0, one, len(places)),
            membrane_decay=rng.integers(0, one, len(places)),
            threshold=(np.full(len(places), high) if name == "out"
                       else rng.integers(0, high // 8, len(places))))
        for name, places in kept.items())
    edges = [("first", "first", 2), (INPUT, "first", 0), ("second", "first", 4),
             ("first", "second", 0), ("second", "second", 1), ("first", "out", 5),
             ("second", "out", 0), ("first", "out", 0)]
    sources = {INPUT: 4, "first": 5, "second": 3}

    def synapses(k, source, target, delay):
        own = (bits or {}).get(f"{source}->{target}", widths.weight)
        room, half = widths.current - own - widths.fraction, 1 << own - 1
        # The fewer its bits, the further a projection may be shifted.
        shift = min((source != INPUT) * k % 3 + widths.weight - own, room)
        return IntegerProjection(
            source=source, target=target, delay=delay, bits=own, shift=shift,
            weights=rng.integers(-half, half, (sources[source], len(kept[target]))))
    return IntegerModel(
        name=f"deep {seed}", dt=4e-3, widths=widths, channels=6,
        channel_row=np.array([2, -1, 0, 1, -1, 3]), populations=populations,
        projections=tuple(synapses(k, *edge) for k, edge in enumerate(edges)),
        readout=np.diag([0.5, 0.25]), lead_steps=0)


def make_recording(events, channels, reset=(), dt=4e-3):
    """A recording with the channels ``events[t]`` in step t."""
    flags = np.zeros(len(events), bool)
    flags[list(reset)] = True
    return Recording(name="made", channel=np.array([c for step in events for c in step], np.int64),
                     start=np.cumsum([0, *map(len, events)]), channels=channels, dt=dt, reset=flags)


def random_recording(seed, channels, steps, rate=0.3, reset=()):
    """Random events, several of a channel in a step among them, in shuffled order."""
    rng = np.random.default_rng(seed)
    return make_recording(
        [rng.permutation(np.repeat(np.arange(channels), rng.poisson(rate, channels))).tolist()
         for _ in range(steps)], channels, reset)
