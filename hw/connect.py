# SPDX-License-Identifier: Apache-2.0
"""Stream connection with a shape check."""

from amaranth.lib import wiring

__all__ = ["connect_stream"]


def connect_stream(m, source, sink):
    """Connect two streams whose payloads have the same shape, not merely the same width."""
    if source.payload.shape() != sink.payload.shape():
        raise TypeError(f"Stream payload shapes must match: source has {source.payload.shape()!r}, "
                        f"sink has {sink.payload.shape()!r}")
    wiring.connect(m, source=source, sink=sink)
