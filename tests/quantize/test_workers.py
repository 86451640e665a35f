# SPDX-License-Identifier: Apache-2.0

import os
import threading
import time

import pytest

from spikewright.quantize.workers import each_neuron


def test_each_neuron_keeps_the_order():
    assert each_neuron(lambda k: k * k, iter(range(50)), "squares") == [k * k for k in range(50)]


@pytest.mark.parametrize("memory, most", [(0, 8), (1 << 28, 8), (1 << 29, 4), (3 << 29, 1),
                                          (1 << 40, 1)])
def test_few_neurons_at_once_where_memory_is_short(monkeypatch, memory, most):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    active, peak, lock = 0, 0, threading.Lock()

    def work(_):
        nonlocal active, peak
        with lock:
            active += 1
            peak = max(peak, active)
        time.sleep(0.02)
        with lock:
            active -= 1

    each_neuron(work, range(24), "rests", memory=lambda _: memory)
    assert peak == most
