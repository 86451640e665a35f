# SPDX-License-Identifier: Apache-2.0
"""Faulty cores, and the error of the compiled run for each."""

import ctypes
import gc
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from amaranth import Cat, Module
from amaranth.lib import wiring

from spikewright.base.errors import CoreFault
from spikewright.hw.core import Core
from spikewright.hw.params import core_params, link_params
from spikewright.hw.rtlil import convert
from spikewright.sim import compiled
from spikewright.sim.compiled import compile_design, run_compiled
from spikewright.sim.layouts import layouts_header
from spikewright.sim.virtual import VirtualBoard
from tests.designs import BUILD, plan_of
from tests.networks import deep_model, random_recording, refused


class BrokenCore(wiring.Component):
    """A core with the ports of ``Core``. ``fault(m, ports, core)`` changes some of them."""

    def __init__(self, params, fault):
        self._core, self._fault = Core(params), fault
        super().__init__(self._core.signature)

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        m.d.comb += [
            self.i.ready.eq(core.i.ready), core.i.valid.eq(self.i.valid),
            core.i.payload.eq(self.i.payload),
            self.o.valid.eq(core.o.valid), core.o.ready.eq(self.o.ready),
            self.o.payload.eq(core.o.payload),
            self.spike.eq(core.spike), self.busy.eq(core.busy),
        ]
        if hasattr(self, "load"):
            m.d.comb += [
                self.load.ready.eq(core.load.ready), core.load.valid.eq(self.load.valid),
                core.load.payload.eq(self.load.payload),
            ]
        self._fault(m, self, core)
        return m


def no_result(m, ports, core):
    m.d.comb += ports.o.valid.eq(0), core.o.ready.eq(0)


def no_load(m, ports, core):
    m.d.comb += ports.load.ready.eq(0), core.load.valid.eq(0)


def lost_count(m, ports, core):
    """Steps 5, 6 .. are counted as 4, 5 .."""
    m.d.comb += ports.o.p.step.eq(core.o.p.step - (core.o.p.step > 4))


def lost_cycle(m, ports, core):
    m.d.comb += ports.o.p.cycles.eq(core.o.p.cycles - 1)


def three_times(m, ports, core):
    """Neuron 0 seems to fire in cycles 20, 21 and 22 of the step."""
    count = Cat(*(core.o.p.cycles == cycle for cycle in (20, 21, 22)))
    m.d.comb += [
        ports.spike.valid.eq(count.any()), ports.spike.group.eq(0), ports.spike.fired.eq(1)]


def empty_lane(m, ports, core):
    """The last lane of the second group fires with each result; that group has one neuron."""
    m.d.comb += [
        ports.spike.valid.eq(core.o.valid & core.o.ready), ports.spike.group.eq(1),
        ports.spike.fired.eq(0b1000)]


@pytest.mark.parametrize("fault, choices, message", [
    (no_result, {}, "The core hangs at step 0"),
    (no_load, {"lanes": 3, "weight_memory": "large"}, "The core hangs at step 0"),
    (lost_count, {}, "The core loses count of its steps at step 5"),
    (lost_cycle, {}, "The core's cycle count must equal the busy cycles seen from outside"),
    (three_times, {}, "A neuron must fire at most once in a step, not 3 times"),
    (empty_lane, {"neurons": "lanes"}, "A lane without a neuron must never fire"),
])
def test_fault_of_a_core_is_told(fault, choices, message):
    plan, recording = plan_of(deep_model(4), **choices), random_recording(4, 6, 20)
    text = convert(BrokenCore(core_params(plan), fault))
    with refused(message, CoreFault):
        run_compiled(plan, recording, BUILD, text)


def test_core_without_a_fault_passes():
    """The wrapper changes nothing by itself."""
    plan, recording = plan_of(deep_model(4)), random_recording(4, 6, 20)
    text = convert(BrokenCore(core_params(plan), lambda *_: None))
    answer = run_compiled(plan, recording, BUILD, text)
    assert np.array_equal(answer.velocity_int,
                          run_compiled(plan, recording, BUILD).velocity_int)


def test_arrays_outlive_ctrl_c(monkeypatch):
    """The library continues in its thread, and the arrays that it writes to still exist."""
    class Array(np.ndarray):
        """An object that a weak reference can refer to."""

    entered, leave, ended = (threading.Event() for _ in range(3))

    def function(run):
        entered.set()
        leave.wait(60)
        ended.set()
        return 0

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(compiled, "QUICK", 0)
    monkeypatch.setattr(compiled, "progress", interrupted)

    def start():
        array = np.zeros(3).view(Array)
        arrays = SimpleNamespace(velocity=array)
        with pytest.raises(KeyboardInterrupt):
            compiled._watch(function, compiled._Run(velocity=array.ctypes.data), arrays, 3)
        return weakref.ref(array)

    kept = start()
    entered.wait(60)
    gc.collect()
    assert kept() is not None
    leave.set()
    assert ended.wait(60)


def test_python_and_the_driver_have_one_structure():
    params = core_params(plan_of(deep_model(4)))
    library = compile_design(convert(Core(params)), "core_driver.cc", BUILD,
                             layouts_header(params))
    assert ctypes.CDLL(str(library)).run_size() == ctypes.sizeof(compiled._Run)


def test_closed_virtual_board_is_refused():
    plan = plan_of(deep_model(4))
    board = VirtualBoard(plan, link_params(plan, model_hash="00" * 32, clock_hz=8_000_000), BUILD)
    assert board.read() == b""
    for _ in range(2):
        board.close()
    for use in (lambda: board.write(b"a"), board.read):
        with refused("Virtual board must be open, not closed", ValueError):
            use()
