# SPDX-License-Identifier: Apache-2.0
"""The colours of all pages and pictures, on a light and on a dark screen."""

import re

__all__ = ["ALARM", "BLOCK_COLOURS", "COOL", "GROUND", "INK", "LILAC", "MUTED", "NAVY", "PAPER",
           "PEBBLE", "RULE", "SLATE", "VIOLET", "WARM", "colour_rules", "themed"]

# By name: the colour on a light screen, and on a dark one. Pictures are drawn in the light colours.
COLOURS = {
    "ground": ("#ffffff", "#14181d"),       # behind everything, and between parts of a bar
    "paper":  ("#eef1f4", "#222931"),       # areas behind text and bars
    "rule":   ("#d5dae0", "#39434e"),
    "muted":  ("#5d6875", "#a3afbb"),
    "ink":    ("#1f2933", "#e6eaee"),
    "note":   ("#fdf3e7", "#3a2a14"),       # a mark, and the text on it
    "brown":  ("#8a4b10", "#f3c48c"),
    "cool":   ("#2f6690", "#6ba6d6"),
    "warm":   ("#d97b29", "#e8913f"),
    "alarm":  ("#b23a48", "#ef7f8b"),
    "pebble": ("#aab4bf", "#84919e"),
    "slate":  ("#c3cad2", "#667380"),
    "navy":   ("#1d4e79", "#5a94c6"),
    "blue":   ("#4a86b8", "#84b4dc"),
    "sky":    ("#9cc3e0", "#b9d7ec"),
    "peach":  ("#f2bd7e", "#f4cf9f"),
    "green":  ("#5b8c5a", "#76ad74"),
    "mint":   ("#a9c6a0", "#bfd8b8"),
    "violet": ("#7b6d9c", "#9d8fc2"),
    "lilac":  ("#b8aed0", "#cbc3de"),
    "grey":   ("#9aa5b1", "#8995a2"),
}
NAMES = {light: name for name, (light, _) in COLOURS.items()}

GROUND, PAPER, RULE, MUTED, INK = (COLOURS[name][0] for name in (
    "ground", "paper", "rule", "muted", "ink"))
COOL, WARM, ALARM, PEBBLE, SLATE, NAVY, VIOLET, LILAC = (COLOURS[name][0] for name in (
    "cool", "warm", "alarm", "pebble", "slate", "navy", "violet", "lilac"))

BLOCK_COLOURS = {block: COLOURS[name][0] for block, name in (
    ("weights", "navy"), ("rows", "blue"), ("currents", "sky"), ("neurons", "warm"),
    ("spikes", "peach"), ("sequencer", "green"), ("core", "mint"), ("link", "violet"),
    ("board", "grey"))}


def themed(text: str) -> str:
    """``text`` with a CSS variable for every light colour, as ``var(--ink)``."""
    return re.sub("#[0-9a-f]{6}", lambda found: f"var(--{NAMES[found[0]]})"
                  if found[0] in NAMES else found[0], text)


def colour_rules() -> str:
    """The CSS rules that set the variables of `themed`, for either kind of screen.

    On paper, the colours are always the light ones.
    """
    light, dark = (" ".join(f"--{name}: {pair[k]};" for name, pair in COLOURS.items())
                   for k in range(2))
    return (f":root {{ color-scheme: light dark; {light} }}\n"
            f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n")
