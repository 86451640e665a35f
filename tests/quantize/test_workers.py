# SPDX-License-Identifier: Apache-2.0
"""A pass of the quantizer shows its progress on a terminal, and nothing in a log."""

import io
import time
from importlib import import_module

import pytest

from spikewright.quantize.workers import each_neuron

workers = import_module(each_neuron.__module__)


class Screen(io.StringIO):
    """Standard error that is a terminal, or is none."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


def _slowly(item):
    time.sleep(0.15)
    return -item


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_of_a_pass(monkeypatch, terminal):
    screen = Screen(terminal)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(workers, "_workers", lambda memory: 1)
    items = range(12 if terminal else 2)
    assert each_neuron(_slowly, items, "rounding") == [-item for item in items]
    text = screen.getvalue()
    if terminal:
        assert "rounding: " in text and "/12 [" in text and "neuron" in text
    else:
        assert text == ""
