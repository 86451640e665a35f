# SPDX-License-Identifier: Apache-2.0
"""NIR graphs on the command line and in the API: options, refusals, manifest, export."""

import json
from pathlib import Path

import numpy as np
import pytest

import spikewright as sw
from spikewright.network.network import RESETS as RESET_KINDS
from spikewright.network.nir.graph import ANALOG, LINEAR, SPIKING
from spikewright.network.nir.options import ANSWERS, FRAMEWORKS, flag
from tests.network.nir.graphs import chain, write_graph
from tests.networks import refused

pytest.importorskip("nir", reason="NIR files are read and written with the packages of the extra "
                    "'nir'")

LIF = {"tau": np.full(3, 1e-3), "r": np.full(3, 10.0), "v_leak": np.zeros(3),
       "v_threshold": np.ones(3), "v_reset": np.zeros(3)}
GIVEN = ("--from", "snntorch", "--reset", "subtract_next", "--readout", "spikes")
STEP = ("warning: A step takes 0.0001 s, as every file of snntorch says. --step gives the seconds "
        "of yours\n")
RESETS = "zero_lose, zero_keep, subtract_next, subtract_same, none"


@pytest.fixture
def graph(here):
    """A file g.nir with the neurons a and b, for the channels of rec.npz."""
    rng = np.random.default_rng(0)
    write_graph("g.nir", *chain(("fc", ("Affine", {"weight": rng.normal(0.5, 1, (3, 6)),
                                                   "bias": np.full(3, 0.1)})),
                                ("a", ("LIF", LIF)),
                                ("fo", ("Linear", {"weight": rng.normal(0.5, 1, (3, 3))})),
                                ("b", ("LIF", LIF)), shape=(6,)))
    return here


def test_read(graph, call_command):
    assert call_command("read", "g.nir", *GIVEN) == (0, """\
file         g.nir
step         0.1 ms
input        6 channels
constant     fires in every step
a            3 neurons, spiking, reset subtract_next
b            3 neurons, spiking, reset subtract_next
output       3 neurons, output
input->a     input, 6 x 3, 18 weights not 0, delay 0
constant->a  bias, 1 x 3, 3 weights not 0, delay 0
a->b         a->b, 3 x 3, 9 weights not 0, delay 0
b->output    output, 3 x 3, 3 weights not 0, delay 0
""", STEP)


def test_read_warns_of_what_it_assumed(graph, call_command):
    status, _, err = call_command("read", "g.nir", "--dt", "1e-4", "--reset", "none")
    assert (status, err) == (0, (
        "warning: NIR files lack these options, and the values are assumed: --decay euler, "
        "--compare '>', --source-delay 0. See docs/howto/nir.md\n"))


@pytest.mark.parametrize("arguments, message", [
    ((), ("g.nir: Options must say what a NIR file does not: --dt, the time per step in the unit "
     f"of the file; and --reset ({RESETS}) of a, b")),
    (("--from", "snntorch"), ("g.nir: Options must say what a NIR file does not: --reset "
     f"({RESETS}) of a, b")),
    (("--dt", "x"), "argument --dt: invalid float value: 'x' (see 'spikewright read --help')"),
    (("--dt", "nan"), "Option dt must be a number between 0 and 10, not nan"),
    (("--from", "snntorc"), ("argument --from: invalid choice: 'snntorc' (choose from 'snntorch', "
     "'norse', 'spikingjelly', 'sinabs', 'rockpool', 'spyx'): did you mean snntorch? (see "
     "'spikewright read --help')")),
    (("--node", "a"), ("argument --node: must be NAME:KEY=VALUE, such as "
     "lif2:reset=none,gain=unit, not 'a' (see 'spikewright read --help')")),
    (("--node", "a:v_reset=x"), ("argument --node: must have a number as the v_reset, not 'x' (see "
     "'spikewright read --help')")),
    (("--node", "a:rest=none"), ("Node a option must be one of decay, gain, syn_gain, order, "
     "reset, compare, v_reset, v0, back_delay, source_delay, not 'rest': did you mean reset?")),
    (("--node", "c:reset=none", *GIVEN), ("g.nir: Option --node must name a neuron of the graph "
     "(a, b), not 'c'")),
    (("--node", "a:reset=none,gain=nir", "--node", "a:gain=nir,reset=zero_keep"),
     "Option --node must give reset of a once, not as none and as zero_keep"),
    ((*GIVEN, "--readout", "argmax"), ("Option readout must be spikes, membranes or counts:W with "
     "a window of W steps, 1 to 9999, not 'argmax'")),
    (("--inputs", "x,y", *GIVEN), ("g.nir: Option --inputs must name every Input once, in the "
     "order of the channels (input), not x,y")),
])
def test_refused(graph, call_command, arguments, message):
    assert call_command("read", "g.nir", *arguments) == (2, "", f"error: {message}\n")


def test_options_without_a_graph(here, call_command):
    assert call_command("read", "net.safetensors", "--dt", "0.004") == (
        2, "", ("error: Options of NIR graphs must come with a .nir file, not 'net.safetensors': "
                "for this file, give --step\n"))
    assert call_command("read", "net.safetensors", "--reset", "none") == (
        2, "", "error: Options of NIR graphs must come with a .nir file, not 'net.safetensors'\n")


def test_step_of_a_graph(graph, call_command):
    """The seconds of a step change neither the decays nor the delays."""
    status, out, err = call_command("read", "g.nir", *GIVEN, "--step", "0.004")
    assert (status, err) == (0, "") and "step         4 ms\n" in out
    options = {"framework": "snntorch", "reset": "subtract_next"}
    network, other = sw.read("g.nir", **options), sw.read("g.nir", step=0.004, **options)
    assert (network.dt, other.dt) == (1e-4, 0.004)
    for one, two in zip(network.populations, other.populations, strict=True):
        assert np.array_equal(one.membrane_decay, two.membrane_decay)
    assert [p.delay for p in network.projections] == [p.delay for p in other.projections]
    model = sw.quantize(other, calibrate="rec.npz")
    assert (model.integers.dt, model.facts["nir"]["step"]) == (0.004, 0.004)


@pytest.mark.parametrize("value", ["0", "10", "-1", "nan"])
def test_step_refused(graph, call_command, value):
    for name in ("g.nir", "net.safetensors"):
        assert call_command("read", name, "--step", value) == (
            2, "", f"error: Option step must be seconds between 0 and 10, not {float(value)}\n")


def test_quantize_keeps_the_options(graph, call_command):
    status, _, err = call_command(
        "quantize", "g.nir", "-o", "model", *GIVEN, "--v0", "zero", "--node",
        "b:reset=none,compare=>=", "--node", "b:v-reset=-0.5", "--readout", "counts:3")
    assert status == 0 and "assumed" not in err
    manifest = json.loads((graph / "model" / "manifest.json").read_text())
    assert manifest["nir"] == {
        "from": "snntorch", "dt": 1e-4, "readout": "counts:3", "reset": "subtract_next",
        "v0": "zero", "nodes": {"b": {"reset": "none", "compare": ">=", "v_reset": -0.5}}}
    assert manifest["checkpoint"]["file"] == "g.nir"


def test_warnings_of_the_reader_are_in_the_manifest(graph, call_command):
    model = sw.quantize(sw.read("g.nir", dt=1e-4, reset="none"))
    assert model.warnings[0].startswith("NIR files lack these options")
    assert model.facts["nir"]["assumed"] == {"decay": "euler", "compare": ">", "source_delay": 0}
    model.save("model")
    assert sw.load("model").facts == model.facts


def test_api(graph):
    network = sw.read("g.nir", framework="snntorch", reset="subtract_next",
                      nodes={"b": {"reset": "none"}})
    assert [p.reset for p in network.populations if p.name in "ab"] == ["subtract_next", "none"]
    with refused("Option reset must be one of zero_lose, zero_keep, subtract_next, subtract_same, "
                 "none, not 'soft'"):
        sw.read("g.nir", reset="soft")


def test_export_nir(graph, call_command):
    status, out, err = call_command("export-nir", "g.nir", "-o", "again.nir", *GIVEN)
    assert (status, err) == (0, STEP) and out.endswith("-> again.nir\n")
    first, again = sw.read("g.nir", framework="snntorch", reset="subtract_next"), sw.read(
        "again.nir")
    assert all(np.array_equal(a.weights, b.weights)
               for a, b in zip(first.projections, again.projections, strict=True))
    sw.quantize(sw.read("net.safetensors")).save("model")
    assert call_command("export-nir", "model", "-o", "model.nir")[0] == 0
    assert sw.read("model.nir").lead_steps == 5
    assert call_command("export-nir", "model", "-o", "model.npz") == (
        2, "", ("error: argument -o/--output: must end in .nir, not 'model.npz' (see 'spikewright "
        "export-nir --help')\n"))


def test_page_has_every_option_and_framework():
    page = Path(__file__).parents[3].joinpath("docs", "howto", "nir.md").read_text()
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `")]
    assert {flag(key) for key in ANSWERS} | {"--from", "--dt", "--readout", "--inputs",
                                             "--node"} <= {row.strip("`") for row in rows}
    assert set(FRAMEWORKS) | set(RESET_KINDS) <= {row.strip("`") for row in rows}
    kinds = {kind.strip() for line in page.splitlines() if line.startswith("| ")
             for kind in line.split("|")[1].split(",")}
    assert {*SPIKING, *ANALOG, *LINEAR} - {"Output", "I"} <= kinds
