# SPDX-License-Identifier: Apache-2.0
"""docs/contracts.md names every key of the files that the docs keep."""

import json
import re

import pytest

from docs.make.kept import ROOT

PAGE = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
# Keys whose names are data: cells, blocks and tools.
OPEN = ("blocks", "resources", "tools", "config", "widths", "used")


def keys_of(value):
    """All keys of objects in ``value``. The contents of ``OPEN`` are left out."""
    if isinstance(value, list):
        return {key for entry in value for key in keys_of(entry)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {key for name, entry in value.items() if name not in OPEN
                         for key in keys_of(entry)}


@pytest.mark.parametrize("section, files", [
    ("Ladder", "docs/ladders/*.json"), ("Training", "docs/held_out/*.json"),
    ("Report", "docs/reports/*.json")])
def test_keys_are_in_the_contract(section, files):
    told = set(re.findall(r"`(\w+)`", PAGE.split(f"\n## {section} (")[1].split("\n## ")[0]))
    if section == "Report":             # some entries are as in the manifest
        told |= set(re.findall(r"`(\w+)`", PAGE.split("\n### `manifest.json`\n")[1]
                               .split("\n### ")[0]))
    for path in ROOT.glob(files):
        found = keys_of(json.loads(path.read_text(encoding="utf-8")))
        assert found <= told, (path.name, found - told)
