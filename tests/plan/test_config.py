# SPDX-License-Identifier: Apache-2.0
"""Configurations that are refused, and bauds."""

import pytest

from spikewright.plan.config import CoreConfig, chosen, line_baud
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
    ({"neurons": "lanes", "load": "model"},
     "Core neurons must be shared where a model can be loaded, not 'lanes'"),
    ({"staging": "large"}, "Core staging must be none where no model can be loaded, not 'large'"),
])
def test_core_config_wrong(choice, message):
    with refused(message, ValueError):
        CoreConfig(**choice)


@pytest.mark.parametrize("given, staging", [
    ({}, "none"), ({"load": "none"}, "none"), ({"load": "model"}, "block"),
    ({"load": "model", "staging": "none"}, "none"),
    ({"load": "model", "staging": "large"}, "large")])
def test_model_that_is_loaded_is_staged_unless_the_user_says_otherwise(given, staging):
    assert chosen("balanced", given).staging == staging


@pytest.mark.parametrize("baud, clock_hz, expected", [
    (None, None, 1_000_000), (None, 24_000_000, 1_000_000), (None, 8_000_000, 1_000_000),
    (None, 6_000_000, 750_000), (None, 1_000_000, 125_000), (9600, 1_000_000, 9600),
    (3_000_000, None, 3_000_000)])
def test_baud_of_a_line(baud, clock_hz, expected):
    assert line_baud(baud, clock_hz) == expected


@pytest.mark.parametrize("baud", [9599, 12_000_001, 1e6, True])
def test_baud_that_no_line_has(baud):
    with refused(f"Baud rate must be a whole number from 9600 to 12000000, not {baud!r}"):
        line_baud(baud, 24_000_000)
