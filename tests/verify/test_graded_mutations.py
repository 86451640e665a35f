# SPDX-License-Identifier: Apache-2.0
"""The RTL of graded values, broken in one place at a time, differs from golden."""

import numpy as np
import pytest

from spikewright.golden.run import run_golden
from spikewright.model.artefact import save_artefact
from spikewright.plan.config import CoreConfig
from tests.graded import graded_network
from tests.networks import make_recording, random_recording
from tests.units import graded_model
from tests.verify.mutations import mutation_tests, saved

GRADED, WINDOW = "hw/engines/graded.py", "hw/memories/window.py"

# Models: a window from delay 0 on, with silent steps; parts of a window, with steps that fill it.
SUM, PARTS = 372, 76

MUTATIONS = {
    "bias_forgotten": (GRADED, "pool, holds) + bias", "pool, holds)"),
    "negative_sum_multiplied": (GRADED, "Mux(total[-1], 0, total[:width])", "total[:width]"),
    "rounding_is_floor": (GRADED, "(kept >> 1) + kept[0]", "kept >> 1"),
    "value_wraps": (GRADED, "spike.value.eq(Mux(above,", "spike.value.eq(Mux(0,"),
    "clamped_value_not_told": (GRADED, "saturated.eq(valid & above)", "saturated.eq(0)"),
    "zero_logged": (GRADED, "valid & (rounded != 0)", "valid"),
    "sum_of_a_step_kept": (GRADED, "~keeps | control.clear", "control.clear"),
    "window_cleared": (GRADED, "has & (~keeps | control.clear)", "has"),
    "reset_leaves_windows": (GRADED, "~keeps | control.clear", "~keeps"),
    "reset_gives_values": (GRADED, "~output & ~control.clear", "~output"),
    "value_of_another_unit": (GRADED, "spike.group.eq(given)", "spike.group.eq(0)"),
    "shift_of_another_unit": (GRADED, "c_shift.eq(shift)", "c_shift.eq(0)"),
    "sums_read_a_cycle_early": (GRADED, "Cat(control.start, waits[0])", "control.start"),
    "step_of_another_age": (WINDOW, "now - self.read.delay", "now - self.read.delay + 1"),
    "steps_before_the_reset_seen": (WINDOW, "known.eq(old)", "known.eq(1)"),
    "full_ring_overwritten": (WINDOW, "(stop ^ kept) == params.room", "0"),
    "lost_event_not_told": (
        WINDOW, "lost.eq(self.input.event.valid & self.input.full)", "lost.eq(0)"),
    "ring_never_freed": (WINDOW, "kept.eq(stop)", "kept.eq(kept)"),
    "reset_leaves_age": (WINDOW, "(first, stop, kept, self.age)", "(first, stop, kept)"),
    "reset_leaves_events": (WINDOW, "(first, stop, kept, self.age)", "(self.age,)"),
    "lost_event_added": ("hw/sequencer.py", "self._asked.gain.eq(0)", "self._asked.gain.eq(1)"),
    "row_added_as_it_leaves": (
        "hw/program.py", "if operation.graded else operation.sign", "if operation.graded else 1"),
    "silent_steps_speak": ("hw/core.py", "valid = valid & speaks", "valid = valid"),
    "window_taken_for_values": (
        "hw/memories/logs.py", "of_window.eq(to_window)", "of_window.eq(0)"),
    "value_forgotten": (
        "hw/memories/spikes.py", "read.value.eq(read.data.value)", "read.value.eq(1)"),
    "gain_forgotten": (
        "hw/engines/adder.py", "else weight * gain", "else weight"),
}

# Broken parts that only a window that fills has.
FILLING = {
    "present_step_not_seen": (WINDOW, "present.eq(self.read.delay == 0)", "present.eq(0)"),
    "slides_at_once": ("hw/program.py", "self.since.eq(operation.since)",
                       "self.since.eq(operation.delay)"),
    "fills_for_ever": ("hw/program.py", "self.before.eq(operation.before)", "self.before.eq(-1)"),
}

# Broken parts of a core without multipliers.
SERIAL = "--multiplier", "serial"
DIGITS = {
    "digit_without_its_sign": ("hw/sequencer.py", "Mux(minus[k], -1, 1)", "1"),
    "bits_taken_for_digits": ("hw/arith.py", " ^ minus)[:len(value)]", ")[:len(value)]"),
    "digit_of_another_sign": ("hw/arith.py", "minus = value >> 1", "minus = value"),
    "digit_never_done": ("hw/sequencer.py", "self._done | 1 << place", "self._done"),
    "first_digit_alone": ("hw/sequencer.py", "spikes.take.eq(self._last)", "spikes.take.eq(1)"),
    "digits_done_in_the_next_value": (
        "hw/sequencer.py", "Mux(self._last, 0, self._done |", "Mux(0, 0, self._done |"),
    "event_taken_for_a_value": ("hw/sequencer.py", "Mux(table.graded, places, 1)", "places"),
    "place_of_the_next_digit": ("hw/sequencer.py", '(digits and name == "shift")', "False"),
    "place_forgotten": ("hw/program.py", "self._shift + self.place", "self._shift"),
    "factor_of_the_unit_before": (GRADED, "factor if params.serial else c_factor", "c_factor"),
    "sum_of_the_next_unit": (GRADED, "reads.eq(self._once(reads))", "reads.eq(reads)"),
    "value_given_in_every_cycle": (
        GRADED, "self._once(last.valid & ~output & ~control.clear)",
        "last.valid & ~output & ~control.clear"),
    "done_before_the_last_product": (
        GRADED, "self._once(last.valid & last.last)", "last.valid & last.last"),
    "bit_of_a_factor_stays": ("hw/engines/serial.py", "bits.eq(bits >> 1)", "bits.eq(bits)"),
    "product_not_cleared": ("hw/engines/serial.py", "above.eq(0)", "above.eq(above)"),
}


def _folder(folder, seed):
    """A folder with a model, and a recording with resets and more events than the log holds.

    Events of the last input row add nothing. In the first step after a reset, so many of them come
    that the log is full, but no value saturates. Soon after another reset it is nearly full.
    """
    model = graded_model(seed, rows=5, longest=50)
    for projection in model.projections:
        if projection.until is not None:
            projection.weights[-1] = 0
    last = int(np.flatnonzero(model.channel_row == 4)[0])
    save_artefact(folder / "model", model,
                  graded_network("ANN", 1, channels=model.channels, outputs=model.outputs), {})
    recording = random_recording(6, model.channels, 400, rate=0.4)
    events = np.split(recording.channel, recording.start[1:-1])
    events[90], events[200], events[252] = [last] * 180, [0, 1, 2] * 60, [0, 1, 2, 3] * 28
    recording = make_recording(events, model.channels, reset=[90, 91, 250])
    saved(folder, recording)
    answer = run_golden(model, recording, CoreConfig())
    assert np.ptp(answer.velocity_int, axis=0).min() > 0 and model.window_room == 128
    return folder, answer.saturated


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    folder, saturated = _folder(tmp_path_factory.mktemp("sums"), SUM)
    assert saturated[90] and not saturated[91] and saturated[:80].any()
    return folder


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return _folder(tmp_path_factory.mktemp("parts"), PARTS)[0]


(test_without_mutation_the_check_passes, test_mutations_are_of_the_code,
 test_mutation_is_seen) = mutation_tests("sums", MUTATIONS, 6)

(test_without_mutation_a_filling_window_passes, test_mutations_of_a_window_are_of_the_code,
 test_mutation_of_a_filling_window_is_seen) = mutation_tests("parts", FILLING, 6)

(test_without_multipliers_the_check_passes, test_mutations_of_digits_are_of_the_code,
 test_mutation_of_digits_is_seen) = mutation_tests("sums", DIGITS, 16,
                                                   dict.fromkeys(DIGITS, SERIAL))
