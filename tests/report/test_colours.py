# SPDX-License-Identifier: Apache-2.0
"""Colours of pages and pictures: names, and contrast on a light and on a dark screen."""

import pytest

from spikewright.report.colours import BLOCK_COLOURS, COLOURS, colour_rules, themed
from spikewright.report.names import BLOCKS


def luminance(colour):
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
              for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("screen", range(2), ids=["light", "dark"])
def test_text_has_contrast(screen):
    """At least 4.5, as WCAG 2 asks for text."""
    for text, behind in (("ink", "ground"), ("ink", "paper"), ("muted", "ground"),
                         ("muted", "paper"), ("brown", "note"), ("alarm", "ground"),
                         ("ground", "navy"), ("ground", "cool")):
        assert contrast(COLOURS[text][screen], COLOURS[behind][screen]) >= 4.5, (text, behind)


def test_each_colour_has_one_name():
    assert len({light for light, _ in COLOURS.values()}) == len(COLOURS)
    assert set(BLOCK_COLOURS) == {block for _, block, _ in BLOCKS}
    assert themed("fill: #1f2933; stroke: #ffffff; fill: #440154") == (
        "fill: var(--ink); stroke: var(--ground); fill: #440154")


def test_rules():
    light, dark = colour_rules().splitlines()
    assert light.startswith(":root { color-scheme: light dark; --ground: #ffffff; --paper: ")
    assert dark.startswith("@media screen and (prefers-color-scheme: dark) { :root { --ground: ")
    assert all(f"--{name}: {pair[0]};" in light and f"--{name}: {pair[1]};" in dark
               for name, pair in COLOURS.items())
