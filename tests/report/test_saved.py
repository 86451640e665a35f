# SPDX-License-Identifier: Apache-2.0
"""report.json: written, read, and refused with the file and the entry."""

import json

import pytest

import spikewright as sw
from docs.make.tables import KEPT
from spikewright.base.errors import InputError
from spikewright.report.form import as_form, from_form
from spikewright.report.parts.accuracy import Accuracy, Score
from spikewright.report.parts.board import Cells
from spikewright.report.report import Report
from tests.networks import refused

DEFAULT = KEPT / "default.json"


def test_the_report_of_the_api_is_this_one():
    assert sw.Report is Report


@pytest.mark.parametrize("name", sorted(path.name for path in KEPT.glob("*.json")))
def test_kept_reports_come_back_as_they_were(name, tmp_path):
    report = Report.load(KEPT / name)
    report.save(tmp_path / "report.json")
    assert Report.load(tmp_path) == Report.load(tmp_path / "report.json") == report
    assert (json.loads((tmp_path / "report.json").read_text())
            == json.loads((KEPT / name).read_text()))


def _without(form, *keys):
    for key in keys[:-1]:
        form = form[key]
    del form[keys[-1]]


def _with(value, *keys):
    def change(form):
        for key in keys[:-1]:
            form = form[key]
        form[keys[-1]] = value
    return change


@pytest.mark.parametrize("change, text", [
    (lambda form: _without(form, "seed"), "seed must be there, not missing"),
    (lambda form: _without(form, "cycles", "worst"), "cycles.worst must be there, not missing"),
    (lambda form: _without(form, "memory", 1, "rows"), "memory[1].rows must be there, not missing"),
    (_with("1", "seed"), "seed must be a whole number of 0 or more, not '1'"),
    (_with(True, "seed"), "seed must be a whole number of 0 or more, not True"),
    (_with(-1, "table_bits"), "table_bits must be a whole number of 0 or more, not -1"),
    (_with(None, "fmax_mhz"), "fmax_mhz must be a finite number, not None"),
    (_with(float("nan"), "cycles", "mean"), "cycles.mean must be a finite number, not nan"),
    (_with(1, "model", "synthetic"), "model.synthetic must be true or false, not 1"),
    (_with(5, "board", "title"), "board.title must be text, not 5"),
    (_with([], "line"), "line must be an object, not []"),
    (_with({}, "memory"), "memory must be a list, not {}"),
    (_with("x", "resources", "ebr", "used"),
     "resources.ebr.used must be a whole number of 0 or more, not 'x'"),
    (_with({"lc": 1}, "blocks", "link"),
     "blocks.link must have the entries lc, ebr, spram, dsp, not lc"),
    (lambda form: _without(form, "blocks", "link"),
     "blocks.link must have the entries lc, ebr, spram, dsp, not none"),
    (_with([], "accuracy", "rows"), "Accuracy rows must have fp32 among them, not none"),
    (_with(0, "config", "lanes"), "Core lanes must be between 1 and 64, not 0"),
])
def test_wrong_entry(change, text, tmp_path):
    form = json.loads(DEFAULT.read_text())
    change(form)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(form))
    with refused(f"{path} {text}: build again", InputError):
        Report.load(tmp_path)


@pytest.mark.parametrize("schema", [0, 2, "1", True, None])
def test_other_schema(schema, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"schema": schema}))
    with refused(f"{path} schema must be 1, not {schema!r}: build again", InputError):
        Report.load(path)


def test_entries_without_a_field_are_ignored(tmp_path):
    form = json.loads(DEFAULT.read_text()) | {"colour": "red"}
    (tmp_path / "report.json").write_text(json.dumps(form))
    assert Report.load(tmp_path) == Report.load(DEFAULT)


def test_a_score_without_a_velocity_has_no_decoding():
    row = Score(arithmetic="fp32", fidelity_r2=None, spike_agreement=1.0, firing_rate_hz=2.0)
    form = {"arithmetic": "fp32", "fidelity_r2": None, "spike_agreement": 1.0,
            "firing_rate_hz": 2.0}
    assert as_form(row) == form and from_form(Score, form) == row


def test_accuracy_without_single_precision():
    row = Score(arithmetic="int8", fidelity_r2=1.0, spike_agreement=1.0, firing_rate_hz=2.0)
    with refused("Accuracy rows must have fp32 among them, not int8", ValueError):
        Accuracy(steps=1, unit_scale=None, rows=(row,))


def test_form_that_is_no_object():
    with refused("The whole must be an object, not []", ValueError):
        from_form(Cells, [])
