# SPDX-License-Identifier: Apache-2.0
"""Bins by a clock of the binner's own, and as a sender has cut them."""

from itertools import islice

import pytest

from spikewright.live.binner import BACKLOG, Binner, SentBins, most_spikes

from .conftest import Clock, packet

DT, CHANNELS = 0.25, 6              # binary fractions: times add up exactly


def binner(*packets):
    clock = Clock(*packets)
    return clock, Binner(clock, DT, CHANNELS, clock=clock, sleep=clock.sleep)


def taken(source, number):
    return [(bin.channels, bin.due) for bin in islice(source.bins(), number)]


def test_a_spike_is_in_the_bin_of_its_stamp():
    _, source = binner(packet(0.0, 1), packet(0.125, 2, 2), packet(0.25, 3), packet(0.74, 4))
    assert taken(source, 4) == [([1, 2, 2], 0.25), ([3], 0.5), ([4], 0.75), ([], 1.0)]
    assert not any(source.counts.values())


def test_the_last_stamp_the_reset_and_the_truth():
    _, source = binner(packet(0.0625, 1, reset=True), packet(0.125, 2, truth=[1.0, 2.0]),
                       packet(0.1875, truth=None))
    first, second = islice(source.bins(), 2)
    assert (first.last, first.reset, first.truth) == (0.125, True, [1.0, 2.0])
    assert (second.last, second.reset, second.truth) == (None, False, None)


def test_a_late_loop_stretches_no_bin():
    """The loop is busy for two bins: each bin still has the spikes of its own time."""
    clock, source = binner(*(packet(t / 16, t % 6) for t in range(16)))
    bins = source.bins()
    assert next(bins).channels == [0, 1, 2, 3]
    clock.now += 2 * DT
    assert [(each.channels, each.due) for each in islice(bins, 3)] == [
        ([4, 5, 0, 1], 0.5), ([2, 3, 4, 5], 0.75), ([0, 1, 2, 3], 1.0)]
    assert clock.now == 1.0


def test_a_late_spike_goes_into_the_next_bin_and_is_counted():
    clock, source = binner()
    bins = source.bins()
    next(bins)
    clock.packets = [packet(0.125, 5, 5), packet(0.3125, 1)]
    assert next(bins).channels == [5, 5, 1] and source.counts["late spikes"] == 2


def test_a_bin_that_waited_too_long_is_dropped_with_its_spikes():
    clock, source = binner(*(packet(t * DT, t % 6) for t in range(12)))
    bins = source.bins()
    next(bins)
    clock.now += BACKLOG + 3 * DT
    assert [next(bins).channels for _ in range(2)] == [[4], [5]]
    assert source.counts["dropped bins"] == 3


def test_the_reset_of_a_dropped_bin_is_kept():
    clock, source = binner(packet(0.0, 1), packet(0.375, 2, reset=True), packet(1.75, 3),
                           packet(2.0, 4))
    bins = source.bins()
    next(bins)
    clock.now += BACKLOG + 3 * DT
    assert [(each.channels, each.reset) for each in islice(bins, 5)] == [
        ([], True), ([], False), ([], False), ([3], False), ([4], False)]
    assert source.counts["dropped bins"] == 3


def test_a_flood_drops_its_bin_and_keeps_no_more():
    most = most_spikes(CHANNELS, DT)
    clock, source = binner(*(packet(0.0, k % 6) for k in range(5 * most)), packet(0.3, 3))
    first, second = islice(source.bins(), 2)
    assert (first.channels, first.last) == ([], None)
    assert source.counts["flooded bins"] == 2 and second.channels == []
    assert source.counts["late spikes"] == 0 and len(source._waiting) <= most + 1


def test_a_late_loop_with_many_packets_is_no_flood():
    """Packets of later bins wait, more than a bin may have: no bin loses one."""
    a_bin = 1000
    clock, source = binner(*(packet(k * DT / a_bin, k % 6) for k in range(4 * a_bin)))
    bins = source.bins()
    found = [next(bins)]
    clock.now += 0.75
    found += islice(bins, 3)
    assert [len(each.channels) for each in found] == [a_bin] * 4
    assert 2 * a_bin > most_spikes(CHANNELS, DT) and source.counts["flooded bins"] == 0


def test_too_many_spikes_in_one_packet():
    most = most_spikes(CHANNELS, DT)
    _, source = binner(packet(0.0, *[1] * most), packet(0.3, *[1] * (most + 1)), packet(0.6, 2))
    assert [len(each.channels) for each in islice(source.bins(), 3)] == [most, 0, 1]
    assert source.counts["flooded bins"] == 1


@pytest.mark.parametrize("channels, dt, most", [(96, 0.004, 480), (96, 0.05, 4896), (1, 1e-3, 2)])
def test_most_spikes(channels, dt, most):
    assert most_spikes(channels, dt) == most


def sent(*packets):
    clock = Clock(*packets)
    return clock, SentBins(clock, DT, CHANNELS, clock=clock)


def test_sent_bins_come_as_they_were_cut():
    _, source = sent(packet(0.1, 1, number=7), packet(0.4, number=8), packet(0.6, 2, 3, number=9))
    first, *rest = islice(source.bins(), 6)
    # None: for IDLE seconds, nothing came.
    assert (first.channels, first.due, first.last) == ([1], 0.1, 0.1)
    assert [each and each.channels for each in rest] == [None, None, [], None, [2, 3]]


def decoded(source, clock):
    found = []
    for each in source.bins():
        if each is None and not clock.packets:
            return found
        if each is not None:
            found.append((each.channels, each.reset))


@pytest.mark.parametrize("numbers, bins, counts", [
    ([0, 1, 4], [([1], 0), ([1], 0), ([], 0), ([], 0), ([1], 0)], {"lost bins": 2}),
    ([5, 6, 6, 5, 7], [([1], 0), ([1], 0), ([1], 0)], {"old bins": 2}),
    ([5, 6, 0, 1], [([1], 0), ([1], 0), ([1], 1), ([1], 0)], {}),
    ([50, 51, 1, 2], [([1], 0), ([1], 0), ([1], 1), ([1], 0)], {}),
    ([0, 1, 100], [([1], 0), ([1], 0), ([1], 1)], {"lost bins": 98}),
])
def test_numbers_of_sent_bins(numbers, bins, counts):
    clock, source = sent(*(packet(k / 64, 1, number=number) for k, number in enumerate(numbers)))
    assert decoded(source, clock) == [(channels, bool(reset)) for channels, reset in bins]
    assert {name: count for name, count in source.counts.items() if count} == counts


def test_sent_bins_that_waited_too_long_are_dropped():
    clock, source = sent(packet(0.0, 1, number=0), packet(2.0, 2, number=1))
    clock.now = 2.0
    assert decoded(source, clock) == [([2], False)] and source.counts["dropped bins"] == 1


@pytest.mark.parametrize("dropped", [
    [packet(0.0, 1, number=7, reset=True)],
    [packet(0.0, 1, number=7), packet(0.0, 1, number=0)],       # the sender has begun anew
    [packet(0.0, 1, number=7), packet(0.0, 1, number=70)]])     # much was lost
def test_the_reset_of_a_dropped_sent_bin_is_kept(dropped):
    after = dropped[-1].number + 1
    clock, source = sent(*dropped, *(packet(2.0, 2, number=after + k) for k in range(2)))
    clock.now = 2.0
    assert decoded(source, clock) == [([2], True), ([2], False)]
    assert source.counts["dropped bins"] == len(dropped)


def test_a_reset_comes_after_the_lost_bins_before_it():
    clock, source = sent(packet(0.0, 1, number=0), packet(0.1, 2, number=2, reset=True))
    assert decoded(source, clock) == [([1], False), ([], False), ([2], True)]


def test_a_sent_bin_with_too_many_spikes_is_dropped():
    most = most_spikes(CHANNELS, DT)
    clock, source = sent(packet(0.0, *[1] * (most + 1), number=0), packet(0.1, 2, number=1))
    assert decoded(source, clock) == [([], False), ([2], False)]
    assert source.counts["flooded bins"] == 1


def test_close_closes_the_connection():
    for make in (binner, sent):
        clock, source = make()
        source.close()
        assert clock.closed
