# SPDX-License-Identifier: Apache-2.0
"""Configurations that are refused."""

import pytest

from spikewright.plan.config import CoreConfig
from tests.networks import refused


@pytest.mark.parametrize("lanes, error, message", [
    (0,    ValueError, "Core lanes must be between 1 and 64, not 0"),
    (65,   ValueError, "Core lanes must be between 1 and 64, not 65"),
    (4.0,  TypeError,  "Core lanes must be an int, not 4.0"),
    (True, TypeError,  "Core lanes must be an int, not True"),
])
def test_core_lanes_wrong(lanes, error, message):
    with refused(message, error):
        CoreConfig(lanes=lanes)


@pytest.mark.parametrize("choice, message", [
    ({"tables": "csr"},
     "Core tables must be one of dense, bitmap, rows, smallest, not 'csr'"),
    ({"tables": "bitmap", "lanes": 6},
     "Core lanes must be a power of two with bitmap tables, not 6"),
    ({"tables": "rows", "weight_memory": "large"},
     "Core tables must be dense in large weight memory, not 'rows'"),
    ({"neurons": "lanes", "multiplier": "serial"},
     "Core multiplier must be parallel with a neuron unit per lane, not 'serial'"),
])
def test_core_config_wrong(choice, message):
    with refused(message, ValueError):
        CoreConfig(**choice)
