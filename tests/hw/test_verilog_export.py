# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""The exported core: read back by other tools, run against golden, described as it is."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from spikewright.base.tools import run_tool
from spikewright.command.commands import run_words
from spikewright.hw.core import Core
from spikewright.hw.export.ports import ports_of
from spikewright.hw.params import core_params
from tests.boards.boards_bench import saved_model
from tests.designs import ROOT, plan_of, published_form
from tests.hw.export_bench import CORE, save_example, simulated
from tests.networks import tiny_network


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_example(tmp_path_factory.mktemp("export") / "model")


@pytest.fixture(scope="module")
def exported(model):
    folder = model.parent / "verilog"
    run_words(["verilog", str(model), "-o", str(folder), "--lanes", "2"])
    return folder


def test_example_passes(exported):
    assert sorted(path.name for path in exported.iterdir()) == sorted([
        f"{CORE}.v", f"{CORE}_tb.v", f"{CORE}.core", "verilog.json"])
    assert "saturated" in (exported / f"{CORE}.v").read_text()
    answers = re.findall(r"// step \d+: (-?\d+), ", (exported / f"{CORE}_tb.v").read_text())
    assert len(set(answers)) > 10
    assert simulated(exported, f"{CORE}.v", f"{CORE}_tb.v") == [
        f"passed: {len(answers)} results as expected"]


def test_example_loads_large_memory(model, tmp_path):
    out = tmp_path / "out"
    run_words(["verilog", str(model), "-o", str(out), "--weight-memory", "large"])
    facts = json.loads((out / "verilog.json").read_text())
    image = (out / f"{CORE}_weights.mem").read_text().split()
    assert len(image) == facts["table"]["words"] * facts["table"]["word_bytes"] > 0
    assert all(port["meaning"] and all(field["meaning"] for field in port["fields"])
               for port in facts["ports"])
    assert simulated(out, f"{CORE}.v", f"{CORE}_tb.v") == ["passed: 20 results as expected"]


def test_example_sees_a_wrong_result(exported, tmp_path):
    text = (exported / f"{CORE}_tb.v").read_text()
    place = re.search(r"answer\[7\] = \d+'h(\w+);", text)
    digit = place.end(1) - 1
    other = text[:digit] + format(int(text[digit], 16) ^ 1, "x") + text[digit + 1:]
    (tmp_path / "bench.v").write_text(other)
    shutil.copy(exported / f"{CORE}.v", tmp_path)
    told = simulated(tmp_path, f"{CORE}.v", "bench.v", status=1)
    assert re.match("step 7 must answer ", told[0])
    assert re.fullmatch(r"FATAL: bench\.v:\d+: 1 of 20 results differ", told[1])


def test_example_of_a_core_that_hangs(exported, tmp_path):
    text = (exported / f"{CORE}_tb.v").read_text()
    (tmp_path / "bench.v").write_text(re.sub("o__ready = .*;", "o__ready = taken < 5;", text))
    shutil.copy(exported / f"{CORE}.v", tmp_path)
    told = simulated(tmp_path, f"{CORE}.v", "bench.v", status=1)
    assert re.fullmatch(r"FATAL: bench\.v:\d+: only 5 of 20 results came", told[0])


def test_example_of_a_broken_core(exported, tmp_path):
    """One sum of the adder is a difference."""
    text = (exported / f"{CORE}.v").read_text()
    module = text.index(f"module \\{CORE}.adder ")
    place = re.compile(r" \+ ").search(text, module)
    (tmp_path / f"{CORE}.v").write_text(text[:place.start()] + " - " + text[place.end():])
    shutil.copy(exported / f"{CORE}_tb.v", tmp_path)
    told = simulated(tmp_path, f"{CORE}.v", f"{CORE}_tb.v", status=1)
    assert any(re.fullmatch(rf"FATAL: {CORE}_tb\.v:\d+: \d+ of 20 results differ", line)
               for line in told)


@pytest.mark.parametrize("pulse", [303, 2003, 4013])
def test_reset_after_rst(exported, tmp_path, pulse):
    """A pulse of rst in a step, then RESET: the second half is as without it, from step 0 on."""
    text = (exported / f"{CORE}_tb.v").read_text()
    reset = re.search(r"token\[(\d+)\] = .* // RESET", text)[1]
    for old, new in (
        ("(1'b0)", "(rst)"),
        ("  reg clk;", (f"  reg rst = 0; initial begin #{pulse} rst = 1; #20 rst = 0; end\n"
                        "  reg [31:0] lost = 0;\n  reg clk;")),
        ("(o__payload !== ", "(o__payload + lost !== "),
        ("    if (taken == STEPS)", (
            f"    if (rst) begin sent <= {reset}; taken <= CALM; gap <= 0; lost <= CALM; end\n"
            "    else if (taken == STEPS)")),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "bench.v").write_text(text)
    shutil.copy(exported / f"{CORE}.v", tmp_path)
    assert simulated(tmp_path, f"{CORE}.v", "bench.v") == ["passed: 20 results as expected"]


def test_yosys_reads_it_back(exported, tmp_path):
    """Through Yosys and out again it still passes its example."""
    for name in (f"{CORE}.v", f"{CORE}_tb.v"):
        shutil.copy(exported / name, tmp_path)
    log = run_tool("yosys", "-p", f"read_verilog {CORE}.v; hierarchy -check -top {CORE}; proc; "
                   "flatten; opt_clean; check -assert; memory_collect; write_verilog -noattr "
                   "again.v", folder=tmp_path, title="read back")
    assert "found and reported 0 problems" in log.lower()
    assert simulated(tmp_path, "again.v", f"{CORE}_tb.v") == ["passed: 20 results as expected"]


def test_header_is_true(exported, model):
    """Ports and their widths as Verilog has them, and the manifest's numbers."""
    text = (exported / f"{CORE}.v").read_text()
    facts = json.loads((exported / "verilog.json").read_text())
    manifest = json.loads((model / "manifest.json").read_text())
    top = text[text.index(f"\nmodule {CORE}("):text.index("endmodule")]
    declared = {name: (direction, int(high or 0) + 1) for direction, high, name in
                re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);$", top, re.MULTILINE)}
    assert declared == {port["name"]: (port["direction"], port["width"])
                        for port in facts["ports"]}
    header = text[:text.index("/* verilator lint_save */")]
    for port in facts["ports"]:
        assert port["meaning"] and f" {port['name']} " in header
        for field in port["fields"]:
            assert field["meaning"] and field["name"] in header
        assert sum(field["width"] for field in port["fields"]) in (0, port["width"])
    assert facts["model_hash"] == manifest["model_hash"] and manifest["model_hash"] in header
    assert "lanes 2, tables dense" in header and "//     0, -1, 1, 2, 3, 4" in header
    assert max(map(len, header.splitlines())) <= 104
    assert "timescale" not in text.lower().replace("timescalemod", "")  # files after it have theirs
    assert not re.search(r"(hw|plan)\.[a-z]+\.", header)      # no name of Python
    assert "//     hidden               9 neurons, first group 0\n" in header
    worst = {row["events"]: row["cycles"] for row in facts["worst"]}
    assert list(worst) == [0, 1, 10, 100, 218]
    assert worst[10] - worst[0] == 10 * 5 and re.search(rf"^//\s+10\s+{worst[10]}\s", header,
                                                        re.MULTILINE)
    for module, file in (("rows", "engines/lookup"), ("adder", "engines/adder"),
                         ("neurons", "engines/parallel"),
                         ("neurons.walk", "engines/walk"), ("sequencer.table", "program")):
        assert re.search(rf"^// .*\(hw/{file}\.py\)\nmodule \\{CORE}\.{module} ", text,
                         re.MULTILINE)
    assert str(ROOT) not in text                # no path of the machine that made it


def test_fusesoc_runs_the_example(exported, tmp_path):
    pytest.importorskip("fusesoc", reason="FuseSoC is not installed (pip install -e '.[test]')")
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed (Debian: apt install iverilog)")
    done = subprocess.run(
        [sys.executable, "-m", "fusesoc.main", "--cores-root", str(exported), "run",
         "--target=sim", f"spikewright:decoders:{CORE}"],
        cwd=tmp_path, env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}, text=True,
        capture_output=True, check=False)
    assert "passed: 20 results as expected" in done.stdout + done.stderr, done.stderr


def test_two_models_in_one_design(exported, model, tmp_path):
    """No module is called as one of another export."""
    run_words(["verilog", str(model), "-o", str(tmp_path / "out"), "--name", "second"])
    names = [set(re.findall(r"^module (\S+?) ?\(", path.read_text(), re.MULTILINE))
             for path in (exported / f"{CORE}.v", tmp_path / "out" / "second.v")]
    assert len(names[0]) > 6 and len(names[1]) > 6 and not names[0] & names[1]


def test_with_link(model, tmp_path, call_command):
    out = tmp_path / "out"
    status, told, _ = call_command("verilog", model, "-o", out, "--with-link",
                                   "--freq", 12)
    files = "spikewright_decoder.v, spikewright_decoder.core, verilog.json"
    assert (status, told) == (0, f"-> {out}: {files}\n")
    text = (out / "spikewright_decoder.v").read_text()
    assert re.search(r"^module spikewright_decoder\((.*)\);", text, re.MULTILINE)
    assert json.loads((out / "verilog.json").read_text())["link"] == {"clock_mhz": 12,
                                                                     "baud": 1_000_000}
    run_tool("yosys", "-p", "read_verilog spikewright_decoder.v; hierarchy -check -top "
             "spikewright_decoder; proc; check -assert", folder=out, title="read back")


def test_ports_in_the_docs():
    """The table of docs/core.md is of a core as large as the default network's."""
    model = published_form(tiny_network(1, channels=96, hidden=64, gain=0.5))
    core = Core(core_params(plan_of(model)))
    rows = []
    for port in ports_of(core):
        rows.append((f"`{port.name}`", port.direction, port.width, port.meaning))
        rows += [("", f"`{field.bits}`", f"`{field.name}`", field.meaning)
                 for field in port.fields]
    rows = "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
    assert rows in (ROOT / "docs" / "core.md").read_text()


@pytest.mark.parametrize("options, text", [
    (["--load", "model"], "Core load must be none without the link, not model"),
    *((["--name", name], f"Module name must be no keyword of Verilog, not {name!r}")
      for name in ("reg", "module", "logic")),
    *((["--name", name], ("Module name must be letters, digits and underscores, without a digit "
                          f"at its begin, not {name!r}")) for name in ("1st", "a-b", "")),
    (["--name", "a" * 65], "Module name must have 64 characters or fewer, not 65"),
    (["--lanes", "65"],
     ("argument --lanes: must be a whole number from 1 to 64, not '65' "
      "(see 'spikewright verilog --help')")),
    (["--with-link", "--baud", "9000000"],
     "Link baud must be between 9600 and 3000000, a bit of 8 clock cycles, not 9000000"),
])
def test_wrong_argument(tmp_path, call_command, options, text):
    model = saved_model(tmp_path / "model")
    assert call_command("verilog", model, "-o", tmp_path / "out", *options) == (
        2, "", f"error: {text}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_folder_of_someone_else(tmp_path, call_command):
    model = saved_model(tmp_path / "model")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    # Before any work, so without a line of Yosys.
    assert call_command("verilog", model, "-o", tmp_path / "out") == (
        2, "", ("error: Output folder must be new, empty or made by this command, not "
                f"{tmp_path / 'out'}\n"))
