# SPDX-License-Identifier: Apache-2.0
"""Export of the tables, read by the tools that it is for."""

import dataclasses
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.artefact import model_tables
from spikewright.plan.config import CoreConfig
from spikewright.plan.export import export_rom
from spikewright.plan.header import identifier
from spikewright.plan.images import neuron_words
from spikewright.plan.layout import Layout
from spikewright.quantize.compile import compile_network
from spikewright.quantize.graded.compile import compile_graded
from tests.graded import graded_network
from tests.networks import (
    deep_model,
    model_of_all_parts,
    random_recording,
    refused,
    tiny_network,
)

HASH = "0123456789abcdef" * 4
NAMES = ["tinyRSNN-1", "7 seeds", "Ünï/..\\net", "*/ int main() { \"%s\" `endif // \\", "for",
         "_", "日本", "x" * 100]


def _dense(model):
    return Layout(model=model, lanes=4).images[5].dense


@pytest.fixture
def rom(tmp_path):
    model = deep_model(0)
    return model, export_rom(tmp_path / "rom", model, HASH, 4), tmp_path / "rom"


def test_export_writes_what_the_index_says(rom):
    _, index, folder = rom
    assert json.loads((folder / "rom.json").read_text()) == index
    assert {path.name for path in folder.iterdir()} == {"rom.json", *index["files"]}
    assert index["memories"] == {"weights": {"words": 45, "bits": 20},
                                 "neurons": {"words": 20, "bits": 17}}


@pytest.mark.parametrize("name, words", [("weights.mem", _dense), ("neurons.mem", neuron_words)])
def test_export_mem_parses(rom, name, words):
    model, index, folder = rom
    lines = (folder / name).read_text().splitlines()
    body = [line for line in lines if not line.startswith("//")]
    assert lines[0] == f"// Model deep 0, hash {HASH}"
    assert [int(line, 16) for line in body] == words(model)
    digits = -(-index["memories"][name[:-4]]["bits"] // 4)
    assert all(re.fullmatch(f"[0-9a-f]{{{digits}}}", line) for line in body)


def test_export_npz_holds_plain_tables(rom):
    model, _, folder = rom
    with np.load(folder / "rom.npz") as file:
        tables = dict(file)
    for key, array in model_tables(model).items():
        assert np.array_equal(tables[key], array), key
    assert int(tables["weight_bits"]) == 5 and int(tables["fraction_bits"]) == 2
    assert float(tables["dt"]) == 4e-3


def _compile_c(tmp_path, folder, program):
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    (tmp_path / "main.c").write_text(program)
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{folder}",
                    "-o", tmp_path / "main", tmp_path / "main.c"], check=True)
    return tmp_path / "main"


@pytest.mark.parametrize("bits, narrow", [(5, {}), (12, {}), (12, {"second_to_first_weights": 5})])
def test_export_c_values(tmp_path, bits, narrow):
    """A C program that prints every array prints the tables."""
    model = deep_model(0)
    widths = dataclasses.replace(model.widths, weight=bits, current=24, membrane=24)
    projections = tuple(
        dataclasses.replace(p, bits=narrow.get(f"{p.source}_to_{p.target}_weights", bits))
        for p in model.projections)
    model = dataclasses.replace(model, widths=widths, projections=projections)
    model.projections[0].weights[0, :2] = (1 << bits - 1) - 1, -(1 << bits - 1)
    export_rom(tmp_path / "rom", model, HASH, 4)
    arrays = {"channel_row": model.channel_row}
    for p in model.populations:
        arrays |= {f"{p.name}_{key}": getattr(p, key)
                   for key in ("kept", "synaptic_decay", "membrane_decay", "threshold")}
    titles = [f"{p.source}_to_{p.target}" for p in model.projections]
    titles[-1] += "_2" if titles.count(titles[-1]) > 1 else ""
    arrays |= {f"{title}_weights": p.weights
               for title, p in zip(titles, model.projections, strict=True)}
    dump = "".join(f"""
            for (const {_kind(key, narrow.get(key, bits))} *p = &deep_0_{key}{'[0]' * array.ndim},
                 *end = p + sizeof deep_0_{key} / sizeof *p; p < end; p++) printf("%ld ", (long)*p);
            puts("");""" for key, array in arrays.items())
    program = _compile_c(tmp_path, tmp_path / "rom", f"""
        #include <stdio.h>
        #include "rom.h"
        int main(void) {{{dump}
            printf("%s %.17g %d %d %d %d %d %.17g\\n", DEEP_0_HASH, DEEP_0_DT, DEEP_0_INPUT_ROWS,
                   DEEP_0_FIRST_TO_OUT_DELAY, DEEP_0_FIRST_TO_OUT_2_DELAY, DEEP_0_WEIGHT_BITS,
                   DEEP_0_SECOND_TO_FIRST_WEIGHT_BITS, deep_0_readout[1][1]);
            return 0;
        }}""")
    *lines, last = subprocess.run([program], check=True, capture_output=True,
                                  text=True).stdout.splitlines()
    for line, (key, array) in zip(lines, arrays.items(), strict=True):
        assert list(map(int, line.split())) == array.ravel().tolist(), key
    assert last == f"{HASH} 0.0040000000000000001 4 5 0 {bits} {5 if narrow else bits} 0.25"


def _kind(key, bits):
    if key.endswith("_weights"):
        return "int8_t" if bits <= 8 else "int16_t"
    return "uint16_t" if key.endswith("_decay") else "int32_t"


PORT = """
#include <stdio.h>
#include <string.h>
#include "rom.h"

static int32_t s[NET_HIDDEN_NEURONS], m[NET_HIDDEN_NEURONS], rs[2], rm[2];
static uint8_t fired[1 + NET_HIDDEN_TO_HIDDEN_DELAY][NET_HIDDEN_NEURONS];

static int32_t rnd(int32_t factor, int32_t x)
{
    return ((int64_t)factor * x + (1 << (NET_DECAY_BITS - 1))) >> NET_DECAY_BITS;
}

static int32_t sat(int64_t x, int bits)
{
    int64_t high = ((int64_t)1 << (bits - 1)) - 1;
    return x > high ? high : x < -high - 1 ? -high - 1 : x;
}

static void add(int32_t *state, const int8_t *row, int n, int shift)
{
    for (int i = 0; i < n; i++)
        state[i] = sat(state[i] + row[i] * (1 << (NET_FRACTION_BITS + shift)), NET_CURRENT_BITS);
}

int main(void)
{
    int n, channel;
    for (int t = 0; scanf("%d", &n) == 1; t++) {
        uint8_t *now = fired[t % (1 + NET_HIDDEN_TO_HIDDEN_DELAY)];
        const uint8_t *before = fired[(t + NET_HIDDEN_TO_HIDDEN_DELAY)
                                      % (1 + NET_HIDDEN_TO_HIDDEN_DELAY)];
        const uint8_t *due = fired[(t + 1) % (1 + NET_HIDDEN_TO_HIDDEN_DELAY)];
        for (int j = 0; j < NET_HIDDEN_NEURONS; j++)
            if (due[j])
                add(s, net_hidden_to_hidden_weights[j], NET_HIDDEN_NEURONS,
                    NET_HIDDEN_TO_HIDDEN_SHIFT);
        while (n-- > 0 && scanf("%d", &channel) == 1)
            if (net_channel_row[channel] >= 0)
                add(s, net_input_to_hidden_weights[net_channel_row[channel]], NET_HIDDEN_NEURONS,
                    NET_INPUT_TO_HIDDEN_SHIFT);
        for (int i = 0; i < NET_HIDDEN_NEURONS; i++) {
            m[i] = before[i] ? 0 : sat((int64_t)rnd(net_hidden_membrane_decay[i], m[i]) + s[i],
                                       NET_MEMBRANE_BITS);
            s[i] = rnd(net_hidden_synaptic_decay[i], s[i]);
        }
        for (int i = 0; i < NET_HIDDEN_NEURONS; i++)
            now[i] = m[i] > net_hidden_threshold[i];
        for (int j = 0; j < NET_HIDDEN_NEURONS; j++)
            if (now[j])
                add(rs, net_hidden_to_readout_weights[j], NET_OUTPUTS,
                    NET_HIDDEN_TO_READOUT_SHIFT);
        for (int i = 0; i < NET_OUTPUTS; i++) {
            rm[i] = sat((int64_t)rnd(net_readout_membrane_decay[i], rm[i]) + rs[i],
                        NET_MEMBRANE_BITS);
            rs[i] = rnd(net_readout_synaptic_decay[i], rs[i]);
            printf("%ld ", (long)rm[i]);
        }
    }
    return 0;
}
"""


def test_export_c_port_equals_golden(tmp_path):
    """A C program with rom.h alone decodes as golden does, bit for bit."""
    network = tiny_network(5, channels=12, hidden=16)
    network.projections[1].weights[[3, 8]] = 0
    model, _, _ = compile_network(network, name="net")
    assert (model.channel_row < 0).any()
    export_rom(tmp_path / "rom", model, HASH, 4)
    program = _compile_c(tmp_path, tmp_path / "rom", PORT)
    recording = random_recording(5, 12, 2000)
    steps = [recording.channel[a:b].tolist()
             for a, b in zip(recording.start, recording.start[1:], strict=False)]
    told = subprocess.run([program], check=True, capture_output=True, text=True, input="\n".join(
        " ".join(map(str, [len(step), *step])) for step in steps)).stdout
    answer = run_golden(model, recording, CoreConfig())
    assert answer.spikes.any(axis=0).sum() > 8
    assert np.array_equal(np.array(told.split(), int).reshape(-1, 2), answer.velocity_int)


@pytest.mark.parametrize("name", NAMES)
def test_export_names(tmp_path, name):
    """With any name of a model, the headers compile and the identifiers are valid."""
    model = dataclasses.replace(deep_model(0), name=name)
    index = export_rom(tmp_path / "rom", model, HASH, 4)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", index["prefix"])
    program = _compile_c(tmp_path, tmp_path / "rom", f"""
        #include "rom.h"
        int main(void) {{ return {index['prefix']}_channel_row[0] - 2; }}""")
    assert subprocess.run([program], check=False).returncode == 0


def test_identifiers():
    assert [identifier(name) for name in ("tinyRSNN-1", "7 seeds", "日本", "a--b__c", "")] == [
        "tinyrsnn_1", "model_7_seeds", "model", "a_b_c", "model"]


@pytest.mark.parametrize("name", NAMES)
def test_export_svh_and_mem_in_icarus(tmp_path, name):
    if not shutil.which("iverilog"):
        pytest.skip("iverilog is not installed")
    model = dataclasses.replace(deep_model(0), name=name)
    index = export_rom(tmp_path / "rom", model, HASH, 4)
    prefix = index["prefix"].upper()
    (tmp_path / "rom" / "top.sv").write_text(f"""
        module top;
        `include "rom.svh"
            reg [{prefix}_WEIGHT_WORD_BITS-1:0] weights [0:{prefix}_WEIGHT_WORDS-1];
            reg [{prefix}_NEURON_WORD_BITS-1:0] neurons [0:{prefix}_NEURON_WORDS-1];
            integer i;
            initial begin
                $readmemh("weights.mem", weights);
                $readmemh("neurons.mem", neurons);
                $display("%h", {prefix}_HASH);
                $display("%0d", {prefix}_SECOND_TO_OUT_WEIGHT_BASE);
                for (i = 0; i < {prefix}_WEIGHT_WORDS; i = i + 1) $display("%h", weights[i]);
                for (i = 0; i < {prefix}_NEURON_WORDS; i = i + 1) $display("%h", neurons[i]);
            end
        endmodule""")
    subprocess.run(["iverilog", "-g2012", "-Wall", "-o", "top", "top.sv"], check=True,
                   cwd=tmp_path / "rom")
    first, base, *words = subprocess.run(
        ["vvp", "-n", "top"], check=True, capture_output=True, text=True,
        cwd=tmp_path / "rom").stdout.split()
    assert first == HASH and int(base) == Layout(model=model, lanes=4).tables[6].first
    assert [int(word, 16) for word in words] == _dense(model) + neuron_words(model)


def test_c_header_tells_each_reset(tmp_path):
    def header(name, model):
        export_rom(tmp_path / name, model, HASH, 4)
        return (tmp_path / name / "rom.h").read_text()

    text = header("all", model_of_all_parts()[0])
    assert " *   m  = sat(rnd(B * m) + s)\n" in text
    assert " *        keep: m = 0 after y, if y\n" in text
    assert " *        same: m -= threshold after y, if y\n" in text
    assert " *        constant: a spike changes nothing\n" in text
    assert " *   m  = fired before ? 0 : sat(rnd(B * m) + s)\n" in header("deep", deep_model(1))


def test_graded_model_is_refused(tmp_path):
    model, _ = compile_graded(graded_network("ANN", 0), name="made")
    with refused("Model must be one of spiking neurons to export its tables, not a graded one: "
                 "'spikewright verilog' writes the core with its tables"):
        export_rom(tmp_path / "out", model, "0" * 64, 4)
    assert not (tmp_path / "out").exists()
