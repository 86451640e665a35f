# SPDX-License-Identifier: Apache-2.0
"""Bytes of a step in other forms, worked by hand."""

from docs.make.measure.frames import forms, table_of_forms
from tests.networks import make_recording


def test_forms_of_a_step():
    """A frame has 7 bytes beside its events: no event, three of two rows, 300 of one row."""
    recording = make_recording([[], [3, 5, 5], [9] * 300], 20)
    assert {name: each.tolist() for name, each in forms(recording).items()} == {
        "rows": [7, 10, 314], "counts": [7, 11, 9], "bitmap": [10, 11, 7 + 3 + 299 + 7]}


def test_rows_of_two_bytes():
    recording = make_recording([[3, 299, 299]], 300)
    assert {name: each.tolist() for name, each in forms(recording).items()} == {
        "rows": [13], "counts": [13], "bitmap": [7 + 38 + 2]}


def test_the_shortest_form_is_that_of_each_step():
    recording = make_recording([[], [3, 5, 5], [9] * 250], 20)
    *_, row = table_of_forms([recording]).splitlines()
    assert row.split(" | ")[1:] == [
        "84.3", f"{(7 + 10 + 264) / 3:.1f}", "9.0", f"{(10 + 11 + 7 + 7 + 252) / 3:.1f}",
        f"{(7 + 10 + 9) / 3:.1f}", "72.9 % |"]
