# SPDX-License-Identifier: Apache-2.0
"""What is said of RAMs in RTLIL, and refusals where Amaranth writes it otherwise."""

import pytest
from amaranth import Shape
from amaranth.lib import stream

from spikewright.hw.connect import connect_stream
from spikewright.hw.core import Core
from spikewright.hw.params import core_params
from spikewright.hw.rtlil import convert, without_bypass, without_contents
from tests.designs import plan_of
from tests.networks import deep_model, refused


@pytest.fixture(scope="module")
def text():
    return convert(Core(core_params(plan_of(deep_model(4), 3, weight_memory="large"))))


def test_contents_of_another_form_are_refused(text):
    assert 'attribute \\ram_style "huge"' in text
    with refused("RTLIL of a large RAM must have contents as this function knows them",
                 RuntimeError):
        without_contents(text)                  # they are gone already


def test_collisions_of_another_form_are_refused(text):
    assert "COLLISION_X_MASK 1'0" not in text and "COLLISION_X_MASK 1'1" in text
    with refused("RTLIL of a RAM must tell of collisions as this function knows it", RuntimeError):
        without_bypass(text)
    assert without_bypass("module \\top\nend\n") == "module \\top\nend\n"


def test_streams_of_other_shapes_are_not_connected():
    """Both have 4 bits, but one is signed."""
    source, sink = (stream.Signature(Shape(4, signed)).create() for signed in (False, True))
    with refused("Stream payload shapes must match: source has unsigned(4), sink has signed(4)",
                 TypeError):
        connect_stream(None, source, sink)
