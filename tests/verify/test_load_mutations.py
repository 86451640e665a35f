# SPDX-License-Identifier: Apache-2.0
"""The gateware of LOAD, broken in one place at a time, fails the tests of LOAD.

A mutation takes up to a minute, so they are only run with ``SPIKEWRIGHT_MUTATIONS=1`` in the
environment.
"""

import os
import shutil
import subprocess
import sys

import pytest

from tests.designs import ROOT
from tests.verify.mutations import copied

LOADER, EXECUTOR, VERDICT = "hw/link/loader.py", "hw/link/executor.py", "hw/link/verdict.py"

# What is broken: the tests that see it, the file, what is in it, and what takes its place.
LINK = {
    "number_of_words_forgotten": (
        "refuses", LOADER, "good = whole & crc.match_detected", "good = crc.match_detected"),
    "checksum_forgotten": ("refuses", LOADER, "whole & crc.match_detected", "whole"),
    "checksum_goes_on_at_a_restart": (
        "refuses", LOADER, "ResetInserter(control.restart)(crc)", "crc"),
    "loaded_after_a_restart": (
        "without_a_word", LOADER, "with m.If(control.restart | move):", "with m.If(move):"),
    "loaded_after_a_byte": (
        "refuses", LOADER, "with m.If(control.restart | move):", "with m.If(control.restart):"),
    "word_too_many_forgotten": (
        "refuses", LOADER, "word != self.table.words + 1", "word != self.table.words"),
    "end_taken_for_words": (
        "loads_a_model", LOADER, "control.last if self.table.crc is None else Const(0)",
        "Const(0)"),
    "bytes_of_a_word_counted_on": ("link_loads", LOADER, "Mux(last, 0, byte + 1)", "byte + 1"),
    "any_frame_is_the_last": (
        "own_crc", EXECUTOR, "m.Elif(self.walk.stop & self.facts.part)", "m.Elif(self.walk.stop)"),
    "last_frame_is_like_the_others": (
        "loads_a_model", EXECUTOR, "self.loader.finish.eq(1)", "self.loader.finish.eq(0)"),
    "hash_at_another_place": ("loads_a_model", EXECUTOR, "== HASH // 8", "== HASH // 8 - 1"),
    "hash_not_kept": (
        "loads_a_model", EXECUTOR, "m.If(self.walk.position[3:] == HASH // 8)", "m.If(0)"),
    "hash_kept_of_what_is_no_model": (
        "goes_on_after_a_staged", EXECUTOR, "m.If(self.loader.loaded)", "m.If(1)"),
    "every_later_frame_only_gone_through": (
        "two_models", EXECUTOR, "self._again.eq(0)", "self._again.eq(self._again)"),
    "new_model_without_a_reset": (
        "loads_a_model", EXECUTOR, 'm.If(self.walk.stop):\n                m.next = "RESET"',
        'm.If(self.walk.stop):\n                m.next = "ANSWER"'),
    "step_during_the_copy": ("during_the_copy", EXECUTOR, "m.If(~self.loader.copying)", "m.If(1)"),
    "old_model_forgotten": (
        "until_a_staged", EXECUTOR, "Mux(facts.load, loader.loaded, loader.whole)",
        "loader.loaded"),
    "old_model_answered_as_loaded": (
        "goes_on_after_a_staged", EXECUTOR, "Mux(facts.load, loader.loaded, loader.whole)",
        "loader.whole"),
    "copy_of_what_is_no_model": (
        "goes_on_after_a_staged", LOADER, "m.If(control.finish & good)", "m.If(control.finish)"),
    "copy_forgotten": (
        "loads_a_model", LOADER, "control.copying.eq(1), word.eq(0)", "word.eq(0)"),
    "copy_does_not_wait": (
        "loads_a_model", LOADER, "(copies & self.o.ready)", "copies"),
    "copy_without_the_last_word": (
        "loads_a_model", LOADER, "control.copying & ~end if",
        "control.copying & (word != self.table.words - 1) if"),
    "copy_taken_for_bytes": (
        "loads_a_model", LOADER, "self.o.p.copy.eq(control.copying)", "self.o.p.copy.eq(0)"),
    "first_model_not_whole_after_its_copy": (
        "last_frame_once", LOADER, "control.copying.eq(0), control.whole.eq(1)",
        "control.copying.eq(0)"),
    "staging_not_told": (
        "loads_a_model", "hw/link/params.py", "Capability.MODEL | Capability.STAGED if",
        "Capability.MODEL if"),
    "every_frame_restarts": (
        "loads_a_model", EXECUTOR, "self.loader.restart.eq(byte[0])", "self.loader.restart.eq(1)"),
    "no_frame_restarts": (
        "refuses", EXECUTOR, "self.loader.restart.eq(byte[0])", "self.loader.restart.eq(0)"),
    "steps_while_words_come": ("first_byte", VERDICT, "(self.whole if self.table else 1)", "1"),
    "repeated_load_executed": ("repeated", VERDICT, "fresh.eq(self.load)", "fresh.eq(0)"),
    "step_taken_for_a_repeated_load": ("one_number", VERDICT, "fresh.eq(self.load)", "fresh.eq(1)"),
    "always_called_loaded": (
        "loads_a_model", "hw/link/answer.py", "facts.loaded, 1) if", "Const(1, 1), 1) if"),
}

CORE = {
    "bytes_joined_in_another_order": (
        "hw/memories/joiner.py", "Cat(kept, self.load.data)", "Cat(self.load.data, kept)"),
    "word_stored_at_its_first_byte": (
        "hw/memories/joiner.py", "self.load.byte == size - 1", "self.load.byte == 0"),
    "decays_not_loaded": ("hw/memories/neuron_table.py", "write.en.eq(~0)", "write.en.eq(0)"),
    "weights_loaded_one_word_on": (
        "hw/memories/weights.py", "write.addr.eq(self.stored.word)",
        "write.addr.eq(self.stored.word + 1)"),
}

STAGED = {
    "byte_stored_as_it_comes": (
        "hw/memories/staging.py", "self.stored.valid.eq(takes & load.copy)",
        "self.stored.valid.eq(takes)"),
    "bytes_staged_at_one_place": (
        "hw/memories/staging.py", "& (load.byte == k)", "& (load.byte == 0)"),
    "word_read_one_on": (
        "hw/memories/staging.py", "read.addr.eq(load.word)", "read.addr.eq(load.word + 1)"),
    "word_copied_one_on": (
        "hw/memories/staging.py", "self.stored.word.eq(load.word)",
        "self.stored.word.eq(load.word + 1)"),
    "core_goes_on_with_bytes": (
        "hw/core.py", "for taker in (neurons, rows)),", "for taker in (neurons,)),"),
}

OF_LINK = ("tests/hw/link/test_model_load.py", "tests/hw/link/test_load.py")
OF_CORE = ("tests/sim/test_model_load.py::test_loaded_core_equals_golden_of_the_new_model[{}]",)
OF_STAGED = ("tests/host/test_faults.py::test_steps_go_on_while_a_model_is_loaded",)

longer = pytest.mark.skipif("SPIKEWRIGHT_MUTATIONS" not in os.environ,
                            reason="only with SPIKEWRIGHT_MUTATIONS=1")


def ran(tree, paths, which=""):
    """Run the tests in the copy ``tree``, or ``which`` of them: the first that fails ends them."""
    shutil.copytree(ROOT / "tests", tree / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-c", os.devnull, "--rootdir", tree,
         "-p", "no:cacheprovider", "-k", which, *paths],
        cwd=tree, capture_output=True, text=True, timeout=500,
        env={**os.environ, "PYTHONPATH": str(tree)})


def check_mutation(which, path, old, new, paths, tree):
    copied(tree)
    file = tree / "spikewright" / path
    text = file.read_text()
    file.write_text(text.replace(old, new))
    done = ran(tree, paths, which)
    assert done.returncode == 1 and "1 failed" in done.stdout, done.stdout + done.stderr


def test_mutations_are_of_the_code():
    """Also those that this run does not take."""
    for path, old, _ in (*(found[1:] for found in LINK.values()), *CORE.values(),
                         *STAGED.values()):
        assert (ROOT / path).read_text().count(old) == 1, f"{path} must hold {old!r} once"


@longer
@pytest.mark.parametrize("paths", [OF_LINK, OF_CORE, OF_STAGED], ids=["link", "core", "staged"])
def test_without_mutation_the_tests_pass(paths, tmp_path):
    copied(tmp_path)
    done = ran(tmp_path, paths)
    assert done.returncode == 0, done.stdout + done.stderr


@longer
@pytest.mark.parametrize("name", LINK)
def test_mutation_of_the_link_is_seen(name, tmp_path):
    check_mutation(*LINK[name], OF_LINK, tmp_path)


@longer
@pytest.mark.parametrize("name", CORE)
def test_mutation_of_the_core_is_seen(name, tmp_path):
    check_mutation("", *CORE[name], OF_CORE, tmp_path)


@longer
@pytest.mark.parametrize("name", STAGED)
def test_mutation_of_staging_is_seen(name, tmp_path):
    check_mutation("", *STAGED[name], OF_STAGED, tmp_path)
