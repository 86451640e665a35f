# SPDX-License-Identifier: Apache-2.0
"""A small model with its recording, and parts of a live loop that tests can hold."""

import json
import socket

import numpy as np
import pytest

from spikewright.host.decoder import Decoder
from spikewright.live.binner import Packet
from spikewright.model.saved import Model
from spikewright.quantize.compile import compile_network
from tests.networks import random_recording, tiny_network

STEPS = 300


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    """A model, its folder, another model of the same shape, and the file of a recording."""
    folder = tmp_path_factory.mktemp("live")
    recording = random_recording(4, 6, STEPS, rate=0.5)
    models = []
    for seed, name in ((4, "tiny"), (5, "other")):
        model, network, facts = compile_network(tiny_network(seed), name=name, recording=recording)
        models.append(Model(integers=model, network=network, facts=facts))
        models[-1].save(folder / name)
    np.savez(folder / "rec.npz", bin=np.repeat(np.arange(STEPS), np.diff(recording.start)),
             channel=recording.channel, n_bins=STEPS, n_channels=6, dt=recording.dt,
             trial_start_bin=[0, 50], note="SYNTHETIC",
             velocity=np.random.default_rng(1).normal(size=(STEPS, 2)))
    return folder, *models


@pytest.fixture
def model(session):
    return session[1]


@pytest.fixture
def notices():
    return []


def free_port():
    """A port of this computer that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        return place.getsockname()[1]


def golden(model):
    """Open the integer model of ``model``."""
    return Decoder.open("golden:", model)


def packet(time, *channels, **more):
    return Packet(time=time, channels=list(channels), **more)


def lines(path):
    """The facts in a file of JSON lines."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


class Clock:
    """A clock that only a test moves, and packets that come at their time."""

    title, refused = "test", 0

    def __init__(self, *packets):
        self.now, self.packets, self.slept = 0.0, list(packets), []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def take(self, most):
        there = [each for each in self.packets if each.time <= self.now][:most]
        self.packets = self.packets[len(there):]
        return there

    def wait(self, seconds):
        if not self.packets:
            self.now += seconds
        elif self.packets[0].time > self.now:
            self.now = min(self.packets[0].time, self.now + seconds)

    def close(self):
        self.closed = True
