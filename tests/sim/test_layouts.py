# SPDX-License-Identifier: Apache-2.0
"""The C++ header of the port layouts, for the driver of the compiled RTL."""

import pytest

from spikewright.hw.params import core_params
from spikewright.sim.layouts import layouts_header
from tests.designs import plan_of
from tests.networks import deep_model

HEADER = """\
#pragma once
#include <cstddef>

struct Field { size_t low, width; };

constexpr unsigned EVENT = 0;
constexpr unsigned STEP = 1;
constexpr unsigned RESET = 2;
constexpr Field TOKEN_KIND = {0, 2};
constexpr Field TOKEN_ROW = {2, 2};
constexpr Field RESULT_STEP = {0, 32};
constexpr Field RESULT_CYCLES = {32, 24};
constexpr Field RESULT_SATURATED = {56, 1};
constexpr Field RESULT_OUTPUTS = {57, 11};
constexpr Field SPIKE_VALID = {0, 1};
constexpr Field SPIKE_GROUP = {1, 2};
constexpr Field SPIKE_FIRED = {3, 3};
constexpr Field LOAD_WORD = {0, 6};
constexpr Field LOAD_BYTE = {6, 1};
constexpr Field LOAD_DATA = {7, 8};
constexpr Field SPIKE_VALUE = {0, 0};
constexpr Field SPIKE_INNER = {0, 0};
constexpr Field LOAD_COPY = {0, 0};
constexpr size_t OUTPUTS = 2;
constexpr size_t GROUPS = 4;
constexpr size_t UNITS = 3;
constexpr size_t INNER = 1;
"""


def test_header_of_a_deep_model():
    """Four input rows, outputs of 11 bits, three units; 45 words of two bytes to load."""
    params = core_params(plan_of(deep_model(1), 3, neurons="lanes", weight_memory="large"))
    assert layouts_header(params) == HEADER


@pytest.mark.parametrize("lanes, neurons, lines", [
    (1, "shared", ["constexpr Field SPIKE_GROUP = {1, 4};", "constexpr Field SPIKE_FIRED = {5, 1};",
                   "constexpr size_t GROUPS = 10;", "constexpr size_t UNITS = 1;"]),
    (4, "lanes",  ["constexpr Field SPIKE_GROUP = {1, 2};", "constexpr Field SPIKE_FIRED = {3, 4};",
                   "constexpr size_t GROUPS = 4;", "constexpr size_t UNITS = 4;"]),
])
def test_header_of_groups(lanes, neurons, lines):
    header = layouts_header(core_params(plan_of(deep_model(1), lanes, neurons=neurons)))
    assert set(lines) <= set(header.splitlines())
