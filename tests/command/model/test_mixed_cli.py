# SPDX-License-Identifier: Apache-2.0
"""Weights of several widths on the command line."""

import re

import pytest

from spikewright.model.artefact import load_artefact

INPUT, RECURRENT, OUTPUT = "input->hidden", "hidden->hidden", "hidden->readout"


def test_build_with_projection_bits(here, call_command):
    status, out, _ = call_command("quantize", "net.safetensors", "-o", "model", "--weight-bits", 7,
                          "--projection-bits", "input=3", "output=4")
    assert status == 0
    model, _ = load_artefact(here / "model")
    assert [(p.title, p.bits) for p in model.projections] == [
        (RECURRENT, 7), (INPUT, 3), (OUTPUT, 4)]
    lines = dict(re.split("  +", line, maxsplit=1) for line in out.splitlines()[:-1])
    assert lines["widths"].startswith("weights 7 and 4 and 3 bits, currents 16")
    assert lines[INPUT].startswith("input, 3 bits, delay 0")
    assert lines[RECURRENT].startswith("recurrent, 7 bits, delay 3")
    assert lines[OUTPUT].startswith("output, 4 bits, delay 0")


def test_build_with_the_same_bits_for_all_is_the_same_model(here, call_command):
    names = [f"{name}=8" for name in ("input", "recurrent", "output")]
    for folder, options in (("a", ()), ("b", ("--weight-bits", 4, "--projection-bits", *names))):
        assert call_command("quantize", "net.safetensors", "-o", folder, *options)[0] == 0
    (a, first), (b, second) = (load_artefact(here / name) for name in "ab")
    assert first["model_hash"] == second["model_hash"] and a.widths == b.widths


HELP = "(see 'spikewright quantize --help')"
PARSED = ("argument --projection-bits: must be NAME=N with a whole number N from 2 to 16, "
          "such as input=4")


@pytest.mark.parametrize("options, message", [
    (("recurent=4",), "Projection must be one of recurrent, input, output, not 'recurent'"),
    (("input=4", "input=5"), "--projection-bits must give input once, not twice"),
    (("input=1",), f"{PARSED}, not 'input=1' {HELP}"),
    (("input=17",), f"{PARSED}, not 'input=17' {HELP}"),
    (("input",), f"{PARSED}, not 'input' {HELP}"),
    (("input=4", "net.safetensors"),
     f"{PARSED}, not 'net.safetensors' {HELP}"),
    (("input=16", "--current-bits", 12),
     "Width current must be at least weight + fraction = 16, not 12"),
])
def test_wrong_projection_bits(here, call_command, options, message):
    assert call_command("quantize", "net.safetensors", "-o", "model",
                        "--projection-bits", *options) == (
        2, "", f"error: {message}\n")
    assert not (here / "model").exists()
