# SPDX-License-Identifier: Apache-2.0
"""Proof that the comparison with golden can fail: the RTL is broken in one place at a time.

The states of the model are a few bits wide, so that ties, saturation and every rounding case happen
within a short recording.
"""

import dataclasses

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.artefact import save_artefact
from spikewright.model.integers import Widths
from spikewright.network.retime import retime
from spikewright.plan.config import CoreConfig
from spikewright.quantize.prune import prune
from tests.networks import (
    make_recording,
    model_of_all_parts,
    nearest_model,
    random_recording,
    tiny_network,
)
from tests.verify.mutations import STEPS, mutation_tests, saved

MUTATIONS = {
    "threshold_not_strict": (
        "hw/engines/neurons.py", "drive > threshold", "drive >= threshold"),
    "refractory_forgotten": (
        "hw/engines/neurons.py", "at_most & fires_ever", "C(0)"),
    "refractory_of_outputs": (
        "hw/engines/neurons.py", "at_most & fires_ever", "at_most"),
    "rounding_is_floor": (
        "hw/arith.py", "product[bits - 1]", "C(0, 1)"),
    "delay_off_by_one": (
        "hw/sequencer.py", "spikes.delay.eq(table.delay)", "spikes.delay.eq(table.delay + 1)"),
    "oldest_spikes_lost": (
        "hw/memories/spikes.py", "now - self.read.delay", "now - self.read.delay - 1"),
    "event_dropped": (
        "hw/sequencer.py",
        "if not self.params.takes_only:\n                        self._request(m)",
        "with m.If(self.i.p.row != 3):\n                        self._request(m)"),
    "event_added_twice": (
        "hw/sequencer.py",
        ("m.d.comb += self.i.ready.eq(1 if self.params.takes_only else\n"
         "                                            ~self.rows.valid | self.rows.ready)\n"
         "                with m.If(self.i.valid & self.i.ready):"),
        ("free = ~self.rows.valid | self.rows.ready\n"
         "                again = Signal()\n"
         "                m.d.sync += again.eq(again ^ (self.i.valid & free))\n"
         "                m.d.comb += self.i.ready.eq(free & again)\n"
         "                with m.If(self.i.valid & free):")),
    "weight_doubled": (
        "hw/engines/adder.py", "<< params.fraction", "<< params.fraction + 1"),
    "shift_forgotten": (
        "hw/engines/adder.py", "weight << word.shift", "weight"),
    "cycle_late": (
        "hw/sequencer.py",
        "m.d.comb += spikes.select.eq(1)\n            m.d.sync += state.eq(State.FETCH)",
        ("m.d.comb += spikes.select.eq(1)\n            late = Signal()\n"
         "            m.d.sync += late.eq(~late)\n            with m.If(late):\n"
         "                m.d.sync += state.eq(State.FETCH)")),
    "state_wraps": (
        "hw/arith.py", "Mux(overflows(value, width), limit, value[:width])", "value[:width]"),
    "saturation_not_told": (
        "hw/core.py", "with m.If(saturated):", "with m.If(saturated & 0):"),
    "saturated_current_not_told": (
        "hw/core.py", "adder.saturated | neurons.saturated", "neurons.saturated"),
    "waiting_counted": (
        "hw/sequencer.py", "~(waits | (state == State.RESULT))", "(state != State.RESULT)"),
    "reset_leaves_membranes": (
        "hw/engines/neurons.py", "fired_before | control.clear", "fired_before"),
    "reset_leaves_currents": (
        "hw/engines/neurons.py", "Mux(control.clear, 0, total)", "total"),
    "reset_leaves_spikes": (
        "hw/core.py", "spikes.clear.eq(sequencer.cleared)", "spikes.clear.eq(0)"),
    "reset_leaves_outputs": (
        "hw/program.py", "if u > k]", "if k < u == maps[0]]"),
    "last_operation_goes_on": (
        "hw/program.py", "self.last.eq(k == len(operations) - 1)", "self.last.eq(0)"),
    "last_operation_as_the_one_before": (
        "hw/program.py", "k < len(operations) - 1 else", "k < len(operations) - 2 else"),
    "stride_of_one_word": (
        "hw/program.py", "times(number, words)", "times(number, 1)"),
    "lane_skipped": (
        "hw/engines/walk.py", "self.at_lane == self.lanes - 1", "self.at_lane == self.lanes - 2"),
    "second_half_of_a_neuron_forgotten": (
        "hw/engines/walk.py", "with m.If(self.half):", "with m.If(left != 0):"),
    "decays_swapped": (
        "plan/images.py",
        "(population.membrane_decay, population.threshold, population.synaptic_decay)",
        "(population.synaptic_decay, population.threshold, population.membrane_decay)"),
    "last_spike_forgotten": (
        "hw/memories/spikes.py", "index != count", "index + 1 < count"),
    "lanes_forgotten": (
        "hw/memories/spikes.py", "taken.eq(~rest)", "taken.eq(0)"),
    "current_of_another_word": (
        "hw/engines/lanes.py", "words[0], words[3]", "words[0], words[2]"),
    "step_begins_amid_decay": (
        "hw/sequencer.py",
        "(taken | self.next_step) & ~self.update.decays", "taken | self.next_step"),
    "factor_without_its_last_bit": (
        "hw/engines/serial.py", "tick.eq(count == cycles - 1)", "tick.eq(count == cycles - 2)"),
    "lanes_reversed": (
        "plan/formats.py", "enumerate(values)", "enumerate(reversed(values))"),
    "packed_weights_slip": (
        "hw/memories/tables.py", "c_ones.eq(_ones(slices.data))", "c_ones.eq(lanes)"),
    "packed_words_in_order_only": (
        "hw/memories/tables.py", "c_swap.eq(word[0])", "c_swap.eq(0)"),
    "filling_zeros_written": (
        "hw/engines/lookup.py", "word.lanes[lane].eq(word.valid & (weight != 0))",
        "word.lanes[lane].eq(word.valid)"),
    "listed_row_without_rest": (
        "hw/engines/lookup.py", "rest.eq(ROW_CYCLES - 1)", "rest.eq(0)"),
    "sum_in_flight_forgotten": (
        "hw/engines/adder.py", "again.eq(lanes[0] &", "again.eq(0 &"),
    "sum_being_written_forgotten": (
        "hw/memories/currents.py", "caught.eq(write.en &", "caught.eq(0 &"),
    "loaded_byte_lost": (
        "hw/memories/large_weights.py", "self.load.byte == k", "self.load.byte == 0"),
    "loaded_at_the_wrong_place": (
        "hw/memories/large_weights.py", "write.addr.eq(address)", "write.addr.eq(self.address)"),
}

# Broken parts that only the network of `general` has.
GENERAL = {
    "input_of_the_reset_step_lost": (
        "hw/engines/neurons.py",
        'loses = fired_before & (control.mode == RESETS.index("zero_lose"))',
        "loses = fired_before"),
    "subtraction_forgotten": (
        "hw/engines/neurons.py", "total = total - Mux(less, threshold, 0).as_signed()",
        "total = total + 0"),
    "subtraction_a_step_late": (
        "hw/engines/neurons.py", "membrane - threshold, kept)", "membrane, kept)"),
    "membrane_kept_over_a_spike": (
        "hw/engines/neurons.py", 'RESETS.index("zero_keep"), 0, kept)',
        'RESETS.index("zero_keep"), kept, kept)'),
    "threshold_of_the_next_neuron": (
        "hw/engines/neurons.py", "after_spike(params, control, membrane, held)",
        "after_spike(params, control, membrane, threshold)"),
    "fired_at_the_threshold": (
        "hw/engines/neurons.py", "x > table.value if", "x >= table.value if"),
    "decay_without_its_top_bit": (
        "hw/engines/parallel.py", "k       = Signal(params.factor,",
        "k       = Signal(params.decay,"),
    "serial_decay_without_its_top_bit": (
        "hw/engines/serial.py", "table.factor[:params.factor]",
        "table.factor[:params.decay]"),
    "logged_event_of_another_row": (
        "hw/memories/spikes.py", "write.data.group.eq(event.row)", "write.data.group.eq(0)"),
    "logged_event_read_as_a_neuron": (
        "hw/memories/spikes.py", "Mux(logs, entry.group, entry.group * units + lane)",
        "entry.group * units + lane"),
    "full_log_overwritten": (
        "hw/memories/spikes.py", "write.en.eq(count != self.params.room)", "write.en.eq(1)"),
    "lost_event_not_told": (
        "hw/memories/spikes.py", "self.lost.eq(count == self.params.room)", "self.lost.eq(0)"),
    "reset_of_the_first_populations_forgotten": (
        "hw/program.py", "maps if operation.kind == Kind.INPUT", "maps if False"),
    "pass_of_the_decay_taken_for_an_update": (
        "hw/sequencer.py", "draining = Signal(init=1)", "draining = Signal()"),
    "kind_of_another_population": (
        "hw/program.py", "self.mode.eq(self._mode(operation))",
        "self.mode.eq(self.params.operations[self.params.maps[-2]].mode)"),
}

# Options of the check where the default core has no such part.
OPTIONS = {
    "serial_decay_without_its_top_bit": ("--multiplier", "serial"),
    "logged_event_read_as_a_neuron": ("--neurons", "lanes"),
    "pass_of_the_decay_taken_for_an_update": ("--neurons", "lanes"),
    "lanes_forgotten": ("--neurons", "lanes"),
    "current_of_another_word": ("--neurons", "lanes"),
    "step_begins_amid_decay": ("--neurons", "lanes"),
    "factor_without_its_last_bit": ("--multiplier", "serial"),
    "packed_weights_slip": ("--tables", "bitmap"),
    "packed_words_in_order_only": ("--tables", "bitmap"),
    "filling_zeros_written": ("--tables", "rows"),
    "listed_row_without_rest": ("--tables", "rows"),
    "sum_in_flight_forgotten": ("--lanes", "17"),
    "sum_being_written_forgotten": ("--lanes", "17"),
    "loaded_byte_lost": ("--weight-memory", "large"),
    "loaded_at_the_wrong_place": ("--weight-memory", "large"),
}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Folder with a model and a recording that meet every corner."""
    folder = tmp_path_factory.mktemp("mutations")
    network = retime(tiny_network(11, channels=6, hidden=7))
    network.projections[2].weights[:, 1] *= -1      # saturates above; the other output below
    widths = Widths(weight=4, current=8, membrane=9, decay=4, fraction=1)
    model, _ = prune(nearest_model(network, widths, "mutated"))
    shifted = tuple(dataclasses.replace(p, shift=int(k == 1))
                    for k, p in enumerate(model.projections))
    model = dataclasses.replace(model, projections=shifted)
    save_artefact(folder / "model", model, network, {})
    recording = random_recording(5, 6, STEPS, rate=0.5)
    events = np.split(recording.channel, recording.start[1:-1])
    events[250] = [1] * 60              # from zero state: the currents saturate, no membrane yet
    recording = make_recording(events, 6, reset=[90, 91, 250])
    saved(folder, recording)
    answer = run_golden(model, recording, CoreConfig())
    assert answer.spikes.any(axis=0).sum() >= 5
    assert answer.saturated.any() and not answer.saturated.all()
    assert (answer.velocity_int.max(axis=0) == 255).tolist() == [False, True]
    return folder


@pytest.fixture(scope="module")
def general(tmp_path_factory):
    """Folder with a model of every kind of neuron and projection, and a recording."""
    folder = tmp_path_factory.mktemp("general")
    model, network = model_of_all_parts()
    save_artefact(folder / "model", model, network, {})
    recording = random_recording(6, 5, STEPS, rate=0.4)
    events = np.split(recording.channel, recording.start[1:-1])
    events[200] = [4] * 70              # more than the log of 64 events holds
    recording = make_recording(events, 5, reset=[90, 91, 200, 250])
    saved(folder, recording)
    answer = run_golden(model, recording, CoreConfig())
    assert answer.spikes.any(axis=0).all() and not answer.saturated[:90].any()
    return folder


(test_without_mutation_the_check_passes, test_mutations_are_of_the_code,
 test_mutation_is_seen) = mutation_tests("case", MUTATIONS, 6, OPTIONS)

(test_without_mutation_the_check_of_all_parts_passes, test_mutations_of_other_parts_are_of_the_code,
 test_mutation_of_other_parts_is_seen) = mutation_tests("general", GENERAL, 5, OPTIONS)
