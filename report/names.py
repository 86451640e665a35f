# SPDX-License-Identifier: Apache-2.0
"""Names of blocks and of configurations, as reports have them."""

from spikewright.model.integers import WIDTH_LIMITS
from spikewright.plan.config import CoreConfig, unusual

__all__ = ["BLOCKS", "title"]

# Text for a choice that is not the default.
WORDS = {
    "tables": "{} tables", "weight_memory": "weights in {} RAM", "neurons": "neurons in {}",
    "multiplier": "{} multiplier", "load": "loads a {}",
    "staging": "staged in {} RAM"}

# One table for each format. Tables of narrower weights have names such as dense_4.
TABLES = tuple(f"decoder.core.rows.{name}{bits}." for name in ("dense", "listed", "bitmap")
               for bits in ("", *(f"_{bits}" for bits in range(*WIDTH_LIMITS["weight"]))))

# Begin of the names of a block's cells, the longest match first, and the title of the block.
BLOCKS = (
    (TABLES,                       "weights",   "holds the synapses"),
    (("decoder.core.rows.", "decoder.core.adder."), "rows", "adds the synapses of a spike"),
    ("decoder.core.neurons.",      "neurons",   "lets neurons decay and fire"),
    ("decoder.core.currents.",     "currents",  "holds the synaptic currents"),
    ("decoder.core.spikes.",       "spikes",    "remembers who fired"),
    ("decoder.core.sequencer.",    "sequencer", "leads through a step"),
    ("decoder.core.",              "core",      "joins these blocks, keeps the result"),
    ("decoder.link.",              "link",      "talks to the host"),
    ("",                           "board",     "clock, reset, pins, constants"),
)


def title(config: CoreConfig) -> str:
    """Short name of a configuration: its lanes, and each choice that is not the default."""
    return ", ".join([f"{config.lanes} lane{'s' if config.lanes > 1 else ''}",
                      *(WORDS[key].format(value) for key, value in unusual(config).items())])
