# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""The timing diagram of the docs is what the core does."""

import json

import pytest

from docs.make.pictures.waveform import (
    LANES,
    example_model,
    step_samples,
    step_waves,
    write_waveform,
)
from spikewright.golden.run import run_golden
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from tests.designs import ROOT
from tests.networks import make_recording

LANE1 = CoreConfig(lanes=1)


def _lanes(waves):
    return {lane["name"]: lane for group in waves["signal"] if isinstance(group, list)
            for lane in group[1:]}


def test_diagram_of_the_docs_is_simulated():
    assert json.loads((ROOT / "docs" / "core_step.json").read_text()) == step_waves()


def test_picture_is_of_the_diagram(tmp_path):
    pytest.importorskip("yowasp_wavedrom", reason="WaveDrom is not installed "
                                                  "(pip install -e '.[docs]')")
    path = tmp_path / "core_step.json"
    assert write_waveform(path) == [path, path.with_suffix(".svg")]
    for name in ("core_step.json", "core_step.svg"):
        assert (tmp_path / name).read_text() == (ROOT / "docs" / name).read_text()


def test_step_of_the_diagram_equals_golden():
    """Values, spikes and cycles; every lane is drawn, and every change of it."""
    samples = step_samples(Plan(model=example_model(), config=LANE1))
    answer = run_golden(example_model(), make_recording([[0, 2]], channels=3), LANE1)
    result, = [now for now in samples if now["o__valid"] and now["o__ready"]]
    assert result["o__payload outputs[0]"] == answer.velocity_int[0, 0] != 0
    assert result["o__payload cycles"] == answer.cycles[0]
    end = samples.index(result)
    assert sum(now["busy"] for now in samples[:end]) == answer.cycles[0]
    spikes = [now["spike neuron"] for now in samples if now["spike valid"]]
    assert spikes == answer.spikes[0].nonzero()[0].tolist() == [0]
    assert {name for _, names in LANES for name in names} == set(samples[0])


def test_folded_cycles_hide_nothing():
    """Every change of a lane is drawn, and what is drawn is what was sampled."""
    samples = step_samples(Plan(model=example_model(), config=LANE1))
    waves = step_waves()
    cycles = waves["head"]["tock"].split(" ")
    lanes = _lanes(waves)
    for lane in ("i__valid", "i__ready", "busy", "spike.valid", "o__valid", "o__ready"):
        values, drawn = [now[lane.replace(".", " ")] for now in samples], {}
        level = None
        for cycle, letter in zip(cycles, lanes[lane]["wave"], strict=True):
            level = int(letter) if letter in "01" else level
            drawn |= {} if cycle == "–" else {int(cycle): level}
        assert [drawn[t] for t in sorted(drawn)] == [values[t] for t in sorted(drawn)]
        edges = {t for t in range(1, len(values)) if values[t] != values[t - 1]}
        assert edges <= set(drawn) and {t - 1 for t in edges} <= set(drawn)
    assert waves["head"]["tock"].count("–") == lanes["busy"]["wave"].count("|") > 0
