# SPDX-License-Identifier: Apache-2.0
# amaranth: UnusedElaboratable=no
"""The ladder as a command: rows, means, checks of the hardware, files and refusals."""

import dataclasses
import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file

import spikewright.verify.ladder.rungs
from spikewright.base.errors import CoreFault
from spikewright.golden.run import run_golden
from spikewright.network.checkpoint import read_checkpoint
from spikewright.network.metrics import r_squared, spike_agreement
from spikewright.network.recording import read_recording
from spikewright.network.reference import run_reference
from spikewright.plan.config import CoreConfig
from spikewright.plan.plan import Plan
from spikewright.quantize.compile import compile_network
from spikewright.report.score import number
from spikewright.verify.gates.simulate import GatesFault
from tests.designs import BUILD
from tests.networks import random_tensors
from tests.pages import check_on_phone, check_page, pictures

STEPS = 300
ROW = ["rung", "bits", "widths", "model_hash", "saturated_steps", "rtl", "gates", "table_bits",
       "state_bits", "footprint_bytes", "decay_multiplies", "synaptic_operations",
       "dense_operations", "connection_sparsity", "activation_sparsity", "fidelity_r2",
       "spike_agreement", "firing_rate_hz", "decoding_r2", "decoding_correlation"]
NETWORK = ["name", "checkpoint", "synthetic", "channels", "hidden", "outputs", "dt", "lead_steps",
           "recording", "calibration", "tuning", "unit_scale", "rungs"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with two checkpoints and two recordings."""
    monkeypatch.chdir(tmp_path)
    for k in range(2):
        save_file(random_tensors(k), f"net{k}.safetensors")
    rng = np.random.default_rng(0)
    for name, truth in (("reaches", {"velocity": 900 * rng.normal(size=(STEPS, 2))}), ("rest", {})):
        bins, channel = np.nonzero(rng.random((STEPS, 6)) < 0.4)
        np.savez(f"{name}.npz", bin=bins, channel=channel, n_bins=STEPS, n_channels=6, dt=4e-3,
                 trial_start_bin=[0, 150], **truth)
    return tmp_path


@pytest.fixture
def call(call_command):
    """Run the ladder, in this process and without RTL if ``options`` do not say otherwise."""
    def call(*arguments, jobs=1, rtl=False):
        options = ("--jobs", jobs, "--build", BUILD, *(() if rtl else ("--no-rtl",)))
        return call_command("ladder", *arguments, *options)
    return call


def _ladder(here):
    return json.loads((here / "out" / "ladder.json").read_text())


def test_rows_are_those_of_the_model(here, call):
    status, out, err = call("net0.safetensors", "--recording", "reaches.npz", "--calibrate",
                            "rest.npz", "--rungs", "fp32,FP16,8,int8", "-o", "out", rtl=True)
    assert (status, err) == (0, "1 network on 3 rungs\n")
    made = _ladder(here)
    assert made["rungs"] == ["fp32", "fp16", "int8"]
    [network] = made["networks"]
    assert list(network) == NETWORK and all(sorted(row) == sorted(ROW) for row in network["rungs"])
    assert network["calibration"] == "rest.npz"
    recording = read_recording(here / "reaches.npz")
    model, floats, _ = compile_network(read_checkpoint(here / "net0.safetensors"), name="net0",
                                       recording=read_recording(here / "rest.npz"))
    exact = run_reference(floats, recording, np.float32)
    golden = run_golden(model, recording, CoreConfig())
    row = network["rungs"][2]
    assert row["fidelity_r2"] == number(r_squared(exact.velocity, golden.velocity).mean())
    assert row["spike_agreement"] == number(spike_agreement(exact.spikes, golden.spikes))
    plan = Plan(model=model, config=CoreConfig())
    assert row["table_bits"] == plan.layout.table_bits
    assert row["widths"] == dataclasses.asdict(model.widths)
    assert row["rtl"] == {"equal": True, "steps": STEPS, "differences": []}
    assert len(row["decoding_r2"]) == len(row["decoding_correlation"]) == 2
    assert [row["rtl"] for row in network["rungs"][:2]] == [None, None]
    assert network["rungs"][0]["fidelity_r2"] == network["rungs"][0]["spike_agreement"] == 1

    lines = out.splitlines()
    assert lines[0] == ("net0 on reaches.npz, 300 steps; calibrated on rest.npz")
    assert lines[2].split("  ")[0] == "rung" and lines[2].endswith("RTL = golden")
    assert lines[5].split()[0] == "int8" and lines[5].endswith("300 steps")
    assert lines[-1] == "-> out/ladder.html"
    assert (here / "out" / "ladder.png").read_bytes().startswith(b"\x89PNG")
    page = (here / "out" / "ladder.html").read_text()
    assert "reaches.npz" in page
    check_page(page)
    assert pictures(page) == [
        "Two charts over the bits of a weight: fidelity, which is R² of the outputs with fp32, and "
        "correlation with the true velocity. " + ". ".join(
            f"{row['rung']}: {row['fidelity_r2']:.3f}; "
            f"{row['decoding_correlation'][0]:.3f}, {row['decoding_correlation'][1]:.3f}"
            for row in network["rungs"][1:]) + "."]
    check_on_phone(page, here)


def test_several_networks_in_processes_equal_one_by_one(here, call):
    arguments = ("net0.safetensors", "net1.safetensors", "--recording", "reaches.npz", "rest.npz",
                 "--rungs", "fp16,8", "-o", "out")
    assert call(*arguments)[0] == 0
    alone = _ladder(here)
    status, out, _ = call(*arguments, jobs=2)       # its own folder may be replaced
    assert status == 0 and _ladder(here) == alone
    one, other = (network["rungs"][1] for network in alone["networks"])
    mean = alone["mean"][1]
    assert mean["networks"] == 2
    for key in ("fidelity_r2", "synaptic_operations", "table_bits"):
        assert mean[key] == number((one[key] + other[key]) / 2)
    assert mean["decoding_r2"] == one["decoding_r2"]            # only one has a velocity
    assert "mean of 2 networks on reaches.npz and 1 more, 600 steps" in out
    assert [line.split()[0] for line in out.splitlines()[-4:-1]] == ["network", "net0", "net1"]


def test_one_network_on_several_recordings_and_on_simulated_spikes(here, call):
    assert call("net0.safetensors", "--recording", "reaches.npz", "rest.npz", "--rungs", "fp16",
                "-o", "out")[0] == 0
    names = [network["name"] for network in _ladder(here)["networks"]]
    assert names == ["net0 on reaches", "net0 on rest"]
    assert call("net0.safetensors", "--rungs", "fp16", "-o", "out")[0] == 0
    recording = _ladder(here)["networks"][0]["recording"]
    assert recording["simulated"] and recording["name"].endswith("seed 2")


def test_rung_of_mixed_widths(here, call):
    """A rung like any other in the tables; the picture, over the bits of all weights, has none."""
    status, out, _ = call("net0.safetensors", "--recording", "reaches.npz", "--rungs",
                          "8,3/8/6,INT5/5/5", "-o", "out")
    rows = _ladder(here)["mean"]
    assert status == 0 and [row["rung"] for row in rows] == ["int8", "int3/8/6", "int5"]
    mixed = _ladder(here)["networks"][0]["rungs"][1]
    assert mixed["widths"]["weight"] == 8
    # Rows of 2 words for each of 6 channels and 5 neurons, of one for the outputs; 4 lanes.
    assert [row["table_bits"] for row in rows] == [
        4 * (2 * 6 * bits[0] + 2 * 5 * bits[1] + 5 * bits[2])
        for bits in ((8, 8, 8), (3, 8, 6), (5, 5, 5))]
    assert all("3/8/6" not in text for text in
               re.findall("<svg.*?</svg>", (here / "out" / "ladder.html").read_text(), re.DOTALL))


def test_networks_of_one_name_are_told_apart(here, call):
    for k in range(2):
        (here / f"session{k}").mkdir()
        save_file(random_tensors(k), f"session{k}/net.safetensors")
    assert call("session0/net.safetensors", "session1/net.safetensors", "--recording", "rest.npz",
                "--rungs", "fp16", "-o", "out")[0] == 0
    assert [n["name"] for n in _ladder(here)["networks"]] == ["session0/net", "session1/net"]


def _wrong(core, recording, cache):
    answer = run_golden(core.model, recording, core.config)
    velocity = answer.velocity_int.copy()
    velocity[7, 1] += 1
    return dataclasses.replace(answer, velocity_int=velocity)


def _hangs(core, recording, cache):
    raise CoreFault("The core hangs at step 3")


@pytest.mark.parametrize("rtl, line", [
    (_wrong, "velocity_int in step 7, output 1 must be "), (_hangs, "The core hangs at step 3")])
def test_rtl_that_differs_ends_with_status_1(here, call, monkeypatch, rtl, line):
    monkeypatch.setattr(spikewright.verify.ladder.rungs, "run_compiled", rtl)
    status, out, err = call("net0.safetensors", "--recording", "rest.npz", "--rungs", "8", "-o",
                            "out", rtl=True)
    assert status == 1 and "DIFFERS" in out
    assert f"mismatch: net0 as int8, rtl: {line}" in err
    assert not _ladder(here)["mean"][0]["rtl"]["equal"]


HELP = "(see 'spikewright ladder --help')"
NO_RUNG = ("Rung must be fp64, fp32, fp16, a number of weight bits from 2 to 16, or one for "
           "each of input/recurrent/output such as 4/8/8")
NO_ICARUS = ("Tool iverilog must be on PATH for --netlist, not missing: install Icarus Verilog "
             "(Debian: apt install iverilog)")


@pytest.mark.parametrize("arguments, message", [
    (("gone.pth",), "Checkpoint must be a file, not 'gone.pth': there is none"),
    (("net0.safetensors", "--recording", "gone.npz"),
     "gone.npz cannot be used: No such file or directory"),
    (("net0.safetensors", "net1.safetensors", "--recording", *["rest.npz"] * 3),
     "Recordings of --recording must be one, or one for each of the 2 networks, not 3"),
    (("net0.safetensors", "--calibrate", "rest.npz", "rest.npz"),
     "Recordings of --calibrate must be one, or one for each of the 1 networks, not 2"),
    (("net0.safetensors", "--calibrate", "wide.npz"),
     "Recording wide.npz n_channels must be 6, as the network has, not 9"),
    (("net0.safetensors", "--rungs", "8,fp8"),
     f"argument --rungs: {NO_RUNG}, not 'fp8' {HELP}"),
    *((("net0.safetensors", "--rungs", rung), f"argument --rungs: {NO_RUNG}, not '{rung}' {HELP}")
      for rung in ("17", "4/8", "4/8/17", "4//8")),
    (("net0.safetensors", "-o", "."),
     "Output must be apart from 'net0.safetensors', which the command uses, not '.'"),
    ((), "Checkpoints must be one or more, not none"),
])
def test_bad_input_is_one_line_and_writes_nothing(here, call, arguments, message):
    np.savez("wide.npz", bin=[0], channel=[0], n_bins=1, n_channels=9, dt=4e-3)
    before = sorted(here.rglob("*"))
    assert call(*arguments) == (2, "", f"error: {message.format(here=here)}\n")
    assert sorted(here.rglob("*")) == before


def test_rung_that_cannot_be_is_named(here, call):
    np.savez("silent.npz", bin=np.zeros(0, int), channel=np.zeros(0, int), n_bins=9, n_channels=6,
             dt=4e-3)
    status, _, err = call("net0.safetensors", "--recording", "rest.npz", "--calibrate",
                          "silent.npz", "--rungs", "8", "-o", "out")
    assert status == 2 and not (here / "out").exists()
    assert err.splitlines()[-1] == ("error: net0 as int8: Recording silent.npz must hold spikes to "
                                    "calibrate on, not none")


def test_netlist_needs_icarus(here, call, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert call("net0.safetensors", "--netlist", 3) == (2, "", f"error: {NO_ICARUS}\n")


def test_gates_with_large_memory_are_simulated(here, call, monkeypatch):
    def fails(core, model_hash, recording, folder):
        assert core.large and recording.steps == 3
        raise GatesFault("The gates fail: they do not answer")

    monkeypatch.setattr("shutil.which", lambda tool: f"/usr/bin/{tool}")
    monkeypatch.setattr(spikewright.verify.ladder.rungs, "run_gates", fails)
    status, out, err = call("net0.safetensors", "--netlist", 3, "--preset", "fast", "--rungs", "8")
    assert status == 1 and "DIFFERS" in out
    assert err.endswith("mismatch: net0 as int8, gates: The gates fail: they do not answer\n")


def test_show_and_draw(here, call, call_command):
    call("net0.safetensors", "--recording", "rest.npz", "--rungs", "fp16,8", "-o", "out")
    status, out, _ = call_command("show", "out/ladder.json")
    assert status == 0 and out.startswith("net0 on rest.npz, 300 steps; calibrated on simulated")
    assert "decoding" not in out                    # there is no velocity
    assert call_command("ladder", "--draw", "out/ladder.json", "-o", "a.png")[0] == 0
    assert (here / "a.png").read_bytes() == (here / "out" / "ladder.png").read_bytes()
    for text in ("", "[]", "{}"):
        (here / "bad.json").write_text(text)
        assert call_command("show", "bad.json") == (
            2, "", "error: bad.json must be a ladder.json, not another or a damaged file\n")
    (here / "bad.json").write_text('{"schema": 9}')
    assert call_command("show", "bad.json") == (
        2, "", "error: bad.json schema must be 1, not 9: make the ladder again\n")
    good = json.loads((here / "out" / "ladder.json").read_text())

    def entry(ladder):
        return ladder["networks"][0]

    for damage, told in (
            (lambda ladder: ladder.update(networks=[]),
             "rungs and networks must have entries, not none"),
            (lambda ladder: ladder.update(mean="x"), "mean must be a list, not 'x'"),
            (lambda ladder: ladder.update(networks=[{}]),
             "networks[0].name must be there, not missing"),
            (lambda ladder: entry(ladder)["recording"].update(steps=-1),
             "networks[0].recording.steps must be a whole number of 0 or more, not -1"),
            (lambda ladder: ladder["mean"].pop(),
             "mean must have a row for each of the rungs fp16, int8"),
            (lambda ladder: entry(ladder)["rungs"][1].update(rtl={"equal": 1, "steps": 2}),
             "networks[0].rungs[1].rtl.equal must be true or false, not 1")):
        ladder = json.loads(json.dumps(good))
        damage(ladder)
        (here / "bad.json").write_text(json.dumps(ladder))
        for words in (("show", "bad.json"), ("ladder", "--draw", "bad.json", "-o", "b.png")):
            assert call_command(*words) == (
                2, "", f"error: bad.json cannot be used: {told}: make the ladder again\n")
