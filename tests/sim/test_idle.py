# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import pytest
from amaranth import *
from amaranth.lib import memory

from spikewright.hw.core import Core
from spikewright.hw.layouts import TokenKind
from spikewright.hw.linked_core import LinkedCore
from spikewright.hw.params import core_params, link_params
from spikewright.sim.idle import idle_work
from tests.designs import plan_of
from tests.networks import deep_model


class Busy(Elaboratable):
    """A counter of three bits that never rests, inside a register that does.

    Of its two memories one is read in every cycle, one whenever the counter is 0.
    """

    def elaborate(self, platform):
        m, inner = Module(), Module()
        count, still = Signal(3), Signal(8)
        inner.d.sync += count.eq(count + 1)
        m.submodules.inner = inner
        m.d.sync += still.eq(still)
        for _ in range(2):
            table = memory.Memory(shape=8, depth=4, init=[])
            inner.submodules += table
            port = table.read_port()
        m.d.comb += port.en.eq(count == 0)
        return m


def test_idle_work():
    """Eight steps of the counter change 14 bits, and read nine times."""
    assert idle_work(Busy(), settle=3, watch=80) == {
        "flip_flops": 11, "toggles": 14 / 8, "read_ports": 2, "reads": 9 / 8}


class Stepped(Elaboratable):
    """A core that gets steps of five events each, and is idle after the last step.

    That one's result waits, as it does for the link, or is taken.
    """

    STEPS = 12

    def __init__(self, core, taken):
        self.core, self.taken = core, taken

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = Core(self.core)
        place, steps, answers = Signal(range(6)), Signal(range(16)), Signal(range(16))
        m.d.comb += [
            core.i.valid.eq(steps != self.STEPS),
            core.i.p.kind.eq(Mux(place == 5, TokenKind.STEP, TokenKind.EVENT)),
            core.i.p.row.eq(place[:2]),
            core.o.ready.eq(self.taken | (answers != self.STEPS - 1)),
        ]
        with m.If(core.i.valid & core.i.ready):
            m.d.sync += place.eq(Mux(place == 5, 0, place + 1)), steps.eq(steps + (place == 5))
        with m.If(core.o.valid & core.o.ready):
            m.d.sync += answers.eq(answers + 1)
        return m


CHOICES = [{}, {"multiplier": "serial"}, {"neurons": "lanes"}, {"tables": "bitmap"},
           {"tables": "rows"}, {"weight_memory": "large"}]


@pytest.mark.parametrize("choices", CHOICES)
def test_linked_core_rests(choices):
    """No register changes and no memory is read while nothing comes from the host."""
    plan = plan_of(deep_model(1), 2, **choices)
    link = link_params(plan, model_hash="00" * 32, clock_hz=12_000_000)
    found = idle_work(LinkedCore(core_params(plan), link))
    assert found["flip_flops"] > 300 and found["toggles"] == 0
    assert found["read_ports"] >= 5 and found["reads"] == 0


@pytest.mark.parametrize("taken", [0, 1], ids=["waits", "taken"])
@pytest.mark.parametrize("choices", CHOICES)
def test_core_rests_between_steps(choices, taken):
    """The same after steps in which neurons fire, with and without the last result taken."""
    core = core_params(plan_of(deep_model(1), 2, **choices))
    found = idle_work(Stepped(core, taken), settle=5000, watch=50)
    assert found["toggles"] == found["reads"] == 0
