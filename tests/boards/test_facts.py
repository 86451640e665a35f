# SPDX-License-Identifier: Apache-2.0
"""Times of frames on the serial line, worked by hand."""

from types import SimpleNamespace

from spikewright.boards.flow.facts import _line
from spikewright.network.source import Source
from spikewright.report.parts.times import Line, LineTimes
from tests.networks import make_recording


def test_time_on_the_line():
    """At 1 Mbaud a byte takes 10 us; a frame has 7 bytes beside its events."""
    recording = make_recording([[0] * 4, [], [0] * 300, [0] * 468], 1)
    source, link = Source(recording=recording, simulated=False), SimpleNamespace(
        baud=1_000_000, outputs=2)
    # 1 + 1 + 2 + 3 frames of up to 218 events, 772 events in all.
    line = _line(link, source, 256)
    assert line == Line(request_us=LineTimes(mean=10 * (7 * 7 + 772) / 4, worst=10 * 225),
                        answer_us=10 * 23)
    # Of two bytes each: 1 + 1 + 3 + 5 frames of up to 109 events.
    line = _line(link, source, 257)
    assert line.request_us == LineTimes(mean=10 * (10 * 7 + 2 * 772) / 4, worst=10 * 225)
