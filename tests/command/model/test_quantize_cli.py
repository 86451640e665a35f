# SPDX-License-Identifier: Apache-2.0

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from spikewright.model.artefact import load_artefact, load_manifest
from spikewright.network.metrics import published_time
from spikewright.network.recording import read_recording

ROOT = Path(__file__).parents[3]


def test_build(here, call_command):
    status, out, err = call_command("quantize", "net.safetensors", "-o", "deep/model",
                            "--calibrate", "rec.npz")
    assert (status, err) == (0, "")
    model, manifest = load_artefact(here / "deep" / "model")
    assert (model.name, model.lead_steps, model.widths.weight) == ("net", 5, 8)
    assert manifest["checkpoint"]["file"] == "net.safetensors"
    assert manifest["calibration"]["source"] == "rec.npz"
    lines = dict(line.split(maxsplit=1) for line in out.splitlines()[:-1])
    assert lines["model"] == f"net, hash {manifest['model_hash'][:16]}"
    assert lines["shape"] == "6 channels -> 5 hidden (recurrent) -> 2 readout (output)"
    assert lines["lead"] == "5 steps, 20 ms earlier than the checkpoint's own model"
    non_zeros = sum(np.count_nonzero(p.weights) for p in model.projections)
    assert lines["non-zeros"] == f"{non_zeros} weights"
    assert lines["tables"].startswith(
        "with 4 lanes, bits in all, equal rows of bitmaps counted once: dense ")
    assert out.splitlines()[-1] == "-> deep/model"


def test_build_with_options(here, call_command):
    status, _, err = call_command("quantize", "net.safetensors", "-o", "model", "--weight-bits", 4,
                          "--current-bits", 14, "--membrane-bits", 18, "--decay-bits", 10,
                          "--name", "Mine, v2")
    assert status == 0
    model, manifest = load_artefact(here / "model")
    widths = model.widths
    assert (widths.weight, widths.current, widths.membrane, widths.decay) == (4, 14, 18, 10)
    assert model.name == "Mine, v2"
    assert err == "".join(f"warning: {text}\n" for text in manifest["warnings"])
    assert "simulated Poisson spikes" in err


def test_build_with_rules(here, call_command):
    status, out, err = call_command(
        "quantize", "net.safetensors", "-o", "model", "--states", "proven",
        "--events-per-channel", 3, "--decay-terms", 3, "--calibrate", "rec.npz")
    assert status == 0 and "may saturate" not in err
    model, manifest = load_artefact(here / "model")
    told, widths = manifest["calibration"], model.widths
    assert (told["states"], told["proven"]) == ("proven", True)
    assert told["proven_bits"] == {"current": widths.current, "membrane": widths.membrane,
                                   "events_per_channel": 3}
    assert told["rule"].endswith("no input of at most 3 spikes per channel and step can saturate "
                                 "a state")
    neurons = sum(p.neurons for p in model.populations)
    assert told["state_bits"] == {"calibrated": neurons * 36,
                                  "proven": neurons * (widths.current + widths.membrane)}
    assert manifest["decay_terms"]["most"] == 3
    lines = dict(line.split(maxsplit=1) for line in out.splitlines()[:-1])
    assert lines["states"] == (f"proven; memory: calibrated {neurons * 36} bits, proven "
                               f"{told['state_bits']['proven']} bits")
    assert call_command("show", "model")[1].startswith(out.removesuffix("-> model\n"))


def test_build_warns_of_changed_behaviour(here, call_command, monkeypatch):
    monkeypatch.setattr("spikewright.api.models.changed_behaviour",
                        lambda *_: ["neurons that differ"])
    assert call_command("quantize", "net.safetensors", "-o", "model")[2].endswith(
        "warning: neurons that differ\n")
    assert load_manifest(here / "model")["warnings"][-1] == "neurons that differ"


def test_build_is_reproducible(here, call_command):
    for name in "ab":
        assert call_command("quantize", "net.safetensors", "-o", name)[0] == 0
    assert load_manifest(here / "a") == load_manifest(here / "b")


def test_build_of_a_file_with_a_strange_name(here, call_command):
    strange = os.fsdecode(b"n\xff\n\xc3\xa9t" + 110 * b"x" + b".safetensors")
    os.rename("net.safetensors", strange)
    assert call_command("quantize", strange, "-o", "model")[0] == 0
    assert load_manifest(here / "model")["model"]["name"] == "n__ét" + 95 * "x"


def test_show_and_export(here, call_command):
    assert call_command("quantize", "net.safetensors", "-o", "model")[0] == 0
    status, out, err = call_command("show", "model")
    assert (status, err) == (0, "")
    for text in ("net, hash ", "simulated Poisson", "hidden->readout", "delay 3",
                 "5 x 5", "warning"):
        assert text in out
    status, out, err = call_command("export", "model", "-o", "rom", "--lanes", 8)
    assert (status, err) == (0, "")
    index = json.loads((here / "rom" / "rom.json").read_text())
    assert index["lanes"] == 8 and index["model_hash"] == load_manifest(here / "model")[
        "model_hash"]
    assert [line.split()[0] for line in out.splitlines()[:-1]] == [*index["files"], "rom.json"]
    assert call_command("export", "model", "-o", "rom")[0] == 0     # its own folder may be replaced
    assert json.loads((here / "rom" / "rom.json").read_text())["lanes"] == 4


def test_golden_run(here, call_command):
    assert call_command("quantize", "net.safetensors", "-o", "model")[0] == 0
    status, out, err = call_command("run", "model", "rec.npz", "-o", "out.npz")
    assert (status, err) == (0, "") and out.startswith("400 steps, ")
    with np.load("out.npz") as file:
        assert file["velocity_int"].shape == (400, 2) and file["velocity_int"].dtype == np.int64
        assert file["spikes"].shape == (400, 5) and file["spikes"].dtype == bool
        assert file["cycles"].shape == file["latency"].shape == (400,)
        decoded = file["velocity"]
    lead = load_artefact(here / "model")[0].lead_steps
    moved = published_time(decoded, lead, read_recording(here / "rec.npz").reset)
    with np.load("rec.npz") as file:
        np.savez("moved.npz", **file, velocity=moved * 10)
    for backend in ("golden", "float"):
        status, out, _ = call_command("run", "model", "moved.npz", "-o", "out.npz",
                                      "--backend", backend)
        assert status == 0 and out.splitlines()[1].startswith(
            "decoding: correlation of each axis ") and " | R2 " in out.splitlines()[1]
        assert backend == "float" or out.endswith("axis 1.000, 1.000 | R2 1.000, 1.000\n")
    told = "error: gone.npz cannot be used: No such file or directory\n"
    assert call_command("run", "model", "gone.npz", "-o", "out2.npz") == (
        2, "", told)
    told = ("error: argument --lanes: must be a whole number from 1 to 64, not '65' "
            "(see 'spikewright run --help')\n")
    assert call_command("run", "model", "rec.npz", "-o", "out2.npz", "--lanes", 65) == (2, "", told)


def test_command_line_as_a_user_types_it(here):
    def command(*arguments):
        return subprocess.run([sys.executable, "-m", "spikewright",
                               *arguments], cwd=ROOT,
                              capture_output=True, text=True, check=False)
    done = command("quantize", str(here / "net.safetensors"), "-o", str(here / "model"))
    assert done.returncode == 0 and (here / "model" / "manifest.json").is_file()
    failed = command("quantize", str(here / "gone"), "-o", str(here / "model"))
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == f"error: Checkpoint must be a file, not '{here}/gone': there is none\n"
    assert "quantize" in command("--help").stdout


def test_no_retime(here, call_command):
    """Outputs keep the time of the file: those of the retimed model, 5 steps later."""
    for name, options in (("early", ()), ("late", ("--no-retime",))):
        assert call_command("quantize", "net.safetensors", "-o", name, "--calibrate", "rec.npz",
                            *options)[0] == 0
        for backend in ("float", "golden"):
            assert call_command("run", name, "rec.npz", "-o", f"{name}_{backend}.npz",
                                "--backend", backend)[0] == 0
    model, manifest = load_artefact(here / "late")
    assert (model.lead_steps, manifest["options"]["retime"]) == (0, False)
    assert sorted(p.delay for p in model.projections) == [2, 3, 3]
    early, late = (np.load(here / f"{name}_float.npz")["velocity"] for name in ("early", "late"))
    np.testing.assert_allclose(late[5:], early[:-5], rtol=0, atol=1e-12)
    assert not late[:5].any()
    assert call_command("check", "late", "rec.npz")[0] == 0
