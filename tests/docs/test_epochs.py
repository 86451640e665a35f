# SPDX-License-Identifier: Apache-2.0

import pytest

from spikewright.train.published.recipe import PUBLISHED
from tests.designs import ROOT

pytest.importorskip("torch", reason="torch is not installed")

from docs.make.measure.epochs import time_table  # noqa: E402  # it needs torch


def test_time_is_that_of_an_epoch_times_the_epochs():
    rows = [line.strip("| ").split(" | ") for line in
            time_table(PUBLISHED["tinyrsnn"], 3.6).splitlines()[2:]]
    assert rows == [["pre-training on 30 such sessions", "100", "108.0", "3.0"],
                    ["fine-tuning", "200", "3.6", "0.2"],
                    ["3 rounds of pruning", "300", "3.6", "0.3"]]
    assert len(time_table(PUBLISHED["bigrsnn"], 1.0).splitlines()) == 4


def test_docs_have_the_table():
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    seconds = float(text.partition("| fine-tuning | 200 | ")[2].partition(" |")[0])
    *_, tuning, pruning = time_table(PUBLISHED["tinyrsnn"], seconds).splitlines()
    assert f"{tuning}\n{pruning}\n" in text
