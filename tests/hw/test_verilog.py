# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""The Verilog file that simulators and others are given."""

import re

import pytest

from spikewright.base.errors import InputError
from spikewright.hw.core import Core
from spikewright.hw.export.verilog import write_verilog
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert
from tests.designs import plan_of
from tests.networks import deep_model


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("verilog") / "deep" / "core.v"
    write_verilog(path, convert(Core(core_params(plan_of(deep_model(4))))))
    assert [file.name for file in path.parent.iterdir()] == ["core.v"]
    return path.read_text()


def test_verilog_has_a_time_unit_and_the_ports(text):
    assert text.startswith("`timescale 1ns/1ps\n")
    ports = re.search(r"^module top\((.*)\);$", text, re.MULTILINE)[1].split(", ")
    assert sorted(ports) == ["busy", "clk", "i__payload", "i__ready", "i__valid", "o__payload",
                             "o__ready", "o__valid", "rst", "spike"]


def test_verilog_wakes_every_combinational_block(text):
    """By an assignment at time 0, which is an event in SystemVerilog as well."""
    blocks = len(re.findall(r"always @\*", text))
    woken = re.findall(r"if \((\\\$auto\$verilog_backend\S+ )\) begin end", text)
    assert len(woken) == blocks > 0
    for name in set(woken):
        assert f"initial {name} = 0;" in text
        assert f"reg {name};" in text


def test_verilog_of_broken_text(tmp_path):
    with pytest.raises(InputError, match="^yosys must succeed, not end with status 1: ") as caught:
        write_verilog(tmp_path / "core.v", "this is no RTLIL\n")
    log, = tmp_path.glob("*/yosys.log")
    assert str(log) in str(caught.value)
    assert not (tmp_path / "core.v").exists()
