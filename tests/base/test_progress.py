# SPDX-License-Identifier: Apache-2.0
"""The time left of a stage, and how it is shown."""

import sys
import time

import pytest

from spikewright.base.progress import Estimate, progress, quietly


class Stage:
    """A stage whose share is set by hand."""

    def __init__(self, usual):
        self.share = 0.0
        self.estimate = Estimate(usual, lambda: self.share)

    def left(self, now, share=None):
        if share is not None:
            self.share = share
        return self.estimate.left(now)


def test_time_left_counts_down():
    """Without news of what is done, the usual time passes, and then no time is invented."""
    stage = Stage(40)
    assert [stage.left(100 + t) for t in (0, 12, 29, 31, 39.9, 40, 41, 400)] == [
        "about 40 s left", "about 30 s left", "about 10 s left", "about 9 s left",
        "about 1 s left", "longer than expected", "longer than expected", "longer than expected"]


def test_time_left_follows_what_is_done():
    """The stage takes three times as long as usual: the estimate approaches the truth."""
    stage = Stage(30)
    assert stage.left(0) == "about 30 s left"
    assert stage.left(9, 0.1) == "about 30 s left"          # 0.9 * (0.9 * 30 + 9) = 32.4
    assert stage.left(45, 0.5) == "about 30 s left"         # 0.5 * (0.5 * 30 + 45)
    assert stage.left(50) == "about 25 s left"              # no news
    assert stage.left(81, 0.9) == "about 8 s left"          # 0.1 * (0.1 * 30 + 81)
    assert stage.left(85, 0.8) == "about 4 s left"          # a smaller share is no news
    assert stage.left(95) == "longer than expected"
    assert stage.left(96, 0.95) == "about 5 s left"


def test_time_left_begins_with_the_work():
    """The time before the work is not part of its time."""
    stage = Stage(10)
    stage.share = None
    assert [stage.left(t) for t in (0, 60)] == ["", ""]
    assert stage.left(70, 0.0) == "about 10 s left"
    assert stage.left(75, 0.5) == "about 5 s left"


@pytest.mark.parametrize("seconds, words", [
    (0.2, "about 1 s"), (7.4, "about 7 s"), (12, "about 10 s"), (58, "about 60 s"),
    (90, "about 90 s"), (91, "about 2 min"), (150, "about 2 min"), (1000, "about 17 min")])
def test_times_in_words(seconds, words):
    assert Estimate(seconds).whole() == words


def test_progress_in_a_log(capsys):
    with progress("report", estimate=Estimate(4)), progress("build"):
        pass
    assert capsys.readouterr() == ("", "report, about 4 s\nbuild\n")
    with quietly(), progress("report"):
        pass
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal(capsys, monkeypatch):
    """One line, which is written over and removed at the end."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("spikewright.base.progress.PAUSE", 0.01)
    with progress("report", estimate=Estimate(40)):
        time.sleep(0.3)
    shown = capsys.readouterr().err
    assert "\rreport 00:00, about 40 s left" in shown and "\n" not in shown
    assert shown.split("\r")[-2].strip() == ""
