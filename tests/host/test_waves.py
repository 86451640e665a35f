# SPDX-License-Identifier: Apache-2.0
"""Waves of a window of steps: what the signals did there, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.quantize.compile import compile_network
from tests.networks import random_recording, tiny_network

STEPS = 30


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A folder to work in, with a model and its recording; and what golden answers."""
    recording = random_recording(4, 6, STEPS, rate=0.5)
    model, network, facts = compile_network(tiny_network(4), name="tiny", recording=recording)
    Model(integers=model, network=network, facts=facts).save(tmp_path / "model")
    np.savez(tmp_path / "rec.npz", bin=np.repeat(np.arange(STEPS), np.diff(recording.start)),
             channel=recording.channel, n_bins=STEPS, n_channels=6, dt=recording.dt,
             note="SYNTHETIC")
    monkeypatch.chdir(tmp_path)
    return run_golden(model, recording, CoreConfig())


def changes(path):
    """Time in ns, and what each signal is from then on, by its full name."""
    names, scope, values = {}, [], {}
    head, body = path.read_text().split("$enddefinitions $end\n")
    for line in head.splitlines():
        match line.split():
            case ["$scope", "module", name, "$end"]:
                scope.append(name)
            case ["$upscope", "$end"]:
                scope.pop()
            case ["$var", _, _, mark, name, *_]:
                names.setdefault(mark, []).append(".".join([*scope, name]))
    time = None
    for line in body.splitlines():
        if line.startswith("#"):
            if time is not None:
                yield time, values
            time = int(line[1:])
        elif line:
            value, mark = line[1:].split() if line[0] == "b" else (line[0], line[1:])
            values |= dict.fromkeys(names[mark], int(value, 2))


def signed(value, bits):
    return value - (value >> (bits - 1) << bits)


def test_waves_of_a_window(made, call_command):
    status, out, err = call_command("decode", "model", "rec.npz", "-o", "out.npz", "--waves",
                                    "w.vcd", "--wave-steps", "5:8")
    assert status == 0, err
    assert out.endswith("-> out.npz, w.vcd\n")
    with np.load("out.npz") as answer:
        assert np.array_equal(answer["velocity_int"], made.velocity_int)
    bits = Model.load(Path("model")).integers.widths.membrane
    results, before, clocks = [], 0, []
    for time, values in changes(Path("w.vcd")):
        if values["clk"]:
            clocks.append(time)
        valid = values["link.i_results__valid"]
        if valid and not before:        # a new result
            results.append((values["link.i_results__payload.step"],
                            *(signed(values[f"link.i_results__payload.outputs[{k}]"], bits)
                              for k in range(2))))
        before = valid
    # The core keeps the result of step 4 until the next frame.
    assert results == [(t, *made.velocity_int[t]) for t in (4, 5, 6, 7)]
    # A cycle at 24 MHz has 41.7 ns.
    assert min(np.diff(clocks)) in (41, 42) and len(clocks) > made.cycles[5:8].sum()


@pytest.mark.parametrize("words, message", [
    (["--wave-steps", "5:8", "--waves", "w.vcd", "--port", "/dev/ttyUSB1"],
     "Option --waves must come with --port virtual, not with /dev/ttyUSB1"),
    (["--wave-steps", "5:8"], "Option --wave-steps must come with --waves, not without it"),
    (["--wave-steps", "25:31", "--waves", "w.vcd"],
     "--wave-steps must be within the 30 steps that are decoded, not 25:31"),
    (["--wave-steps", "8:5"], ("argument --wave-steps: must be A:B, two step numbers of which B is "
                               "larger, not '8:5' (see 'spikewright decode --help')")),
    (["--waves", "w.fst"], ("argument --waves: must end in .vcd, not 'w.fst' (see 'spikewright "
                            "decode --help')")),
])
def test_what_is_refused(made, call_command, words, message, tmp_path):
    files = sorted(tmp_path.iterdir())
    assert call_command("decode", "model", "rec.npz", "-o", "out.npz", *words) == (
        2, "", f"error: {message}\n")
    assert sorted(tmp_path.iterdir()) == files
