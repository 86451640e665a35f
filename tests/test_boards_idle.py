# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import pytest
from amaranth import *

from boards.idle import idle_toggles
from hw.decoder import Decoder, link_params

from .designs import core_params
from .networks import deep_model


class Busy(Elaboratable):
    """A counter of three bits that never rests, inside a register that does."""

    def elaborate(self, platform):
        m, inner = Module(), Module()
        count, still = Signal(3), Signal(8)
        inner.d.sync += count.eq(count + 1)
        m.submodules.inner = inner
        m.d.sync += still.eq(still)
        return m


def test_idle_toggles():
    """Eight steps of the counter change 14 bits."""
    assert idle_toggles(Busy(), settle=3, watch=80) == {"flip_flops": 11, "toggles": 14 / 8}


@pytest.mark.parametrize("choices", [{}, {"multiplier": "serial"}, {"neurons": "lanes"}])
def test_decoder_rests(choices):
    core = core_params(deep_model(1), 2, **choices)
    link = link_params(core, model_hash="00" * 32, clock_hz=12_000_000)
    found = idle_toggles(Decoder(core, link))
    assert found["flip_flops"] > 300 and found["toggles"] == 0
