# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0
"""Program table on operations made by hand."""

from dataclasses import replace

import pytest

from spikewright.hw.engines.lookup import RowParams, WeightMemory
from spikewright.hw.layouts import TableFormat
from spikewright.hw.operations import AddConstants, Kind, MapConstants
from spikewright.hw.program import ProgramParams, ProgramTable
from spikewright.hw.signatures import SpikeListSignature, UpdateSignature
from spikewright.plan.formats import TableImages
from tests.hw.bench import simulate_logic


def row_params(*bits):
    """Rows whose tables have 40 words, 30 slices and 9 rows."""
    memories = []
    for width in bits:
        images = TableImages(lanes=1, weight_bits=width, word_bits=2, dense=[0] * 40,
                             slices=[0] * 30, directory=[0] * 9)
        memories += [WeightMemory(format=name, images=images, shift=0)
                     for name in ("dense", "bitmap")]
    return RowParams(lanes=1, words=4, memories=tuple(memories), row_words=3, row_shift=2)


def add(**changes):
    """An operation that adds rows of the input, where ``changes`` say nothing else."""
    return AddConstants(**({
        "kind": Kind.INPUT, "delay": 0, "list": 0, "origin": 0, "format": "dense", "first": 0,
        "first_row": 0, "words": 2, "target": 0, "shift": 0, "width": 0} | changes))


OPERATIONS = (
    add(kind=Kind.SPIKES, delay=3, list=1, origin=4, first=10, words=3, target=1, width=1),
    add(first=1, shift=2),
    MapConstants(first=0, count=4, word=0, list=0, mode=1),
    add(kind=Kind.SPIKES, format="bitmap", first=22, first_row=5, words=1, target=2, shift=1),
    MapConstants(first=4, count=3, word=2, list=1, mode=3),
)


def program_table(operations, *bits):
    return ProgramTable(ProgramParams(
        operations=operations, rows=row_params(*bits), update=UpdateSignature(8, 4),
        spikes=SpikeListSignature(slots=4, lists=2, numbers=8)), 8)


def test_codes_of_a_program():
    """The kind, SPIKES 0, INPUT 1 or MAP 2, and above its 2 bits the rank among those of a kind."""
    params = program_table(OPERATIONS, 4, 3).params
    assert params.maps == [2, 4]
    assert params.codes == [0, 1, 2, 4, 6]
    assert params.code == range(7)


def test_program_table_goes_from_operation_to_operation():
    """The code that follows each, and that of the next MAP; after the last one, the first code."""
    dut, found = program_table(OPERATIONS, 4, 3), []

    async def bench(ctx):
        for at in dut.params.codes:
            ctx.set(dut.at, at)
            found.append(tuple(ctx.get(port) for port in (
                dut.following, dut.last, dut.next_map, dut.last_map)))

    simulate_logic(dut, bench)
    assert found == [(1, 0, 2, 0), (2, 0, 2, 0), (4, 0, 6, 0), (6, 0, 6, 0), (0, 1, 0, 1)]


def test_program_table_resets_all_updates():
    """A reset comes with the input. The MAP that it goes to is then the first one of the step."""
    first = (MapConstants(first=7, count=1, word=3, list=0, mode=0), *OPERATIONS)
    dut, found = program_table(first, 4, 3), []

    async def bench(ctx):
        for at in dut.params.codes:
            ctx.set(dut.at, at)
            found.append(ctx.get(dut.next_map))

    simulate_logic(dut, bench)
    codes = dut.params.codes
    assert [codes.index(code) for code in found] == [3, 3, 0, 5, 5, 0]


@pytest.mark.parametrize("at, number, row", [
    (0, 4, (TableFormat.DENSE,  10, 1, 3, 0, 1)),
    (0, 7, (TableFormat.DENSE,  19, 1, 3, 0, 1)),       # 10 + (7 - 4) * 3
    (1, 0, (TableFormat.DENSE,   1, 0, 2, 2, 0)),
    (1, 3, (TableFormat.DENSE,   7, 0, 2, 2, 0)),       # 1 + 3 * 2
    (4, 0, (TableFormat.BITMAP, 22, 2, 1, 1, 0)),
    (4, 3, (TableFormat.BITMAP, 25, 2, 1, 1, 0)),
])
def test_program_table_finds_the_row(at, number, row):
    """That of the input by the input row, and that of spikes by the neuron."""
    dut = program_table(OPERATIONS, 4, 3)
    fields = ("format", "address", "target", "words", "shift", "width")
    takes, other = ((dut.input_row, dut.neuron) if at == 1 else (dut.neuron, dut.input_row))

    async def bench(ctx):
        ctx.set(dut.at, at)
        ctx.set(takes, number)
        for unused in (0, 5):
            ctx.set(other, unused)
            assert tuple(ctx.get(getattr(dut.row, name)) for name in fields) == row
            if row[0] == TableFormat.BITMAP:
                assert ctx.get(dut.row.row) == 5 + number

    simulate_logic(dut, bench)


def test_program_table_leads_list_and_update():
    """Delay and list of an operation that adds spikes; first group, count and word of a MAP."""
    dut = program_table(OPERATIONS, 4, 3)

    async def bench(ctx):
        for at, delay, number in ((0, 3, 1), (4, 0, 0)):
            ctx.set(dut.at, at)
            assert (ctx.get(dut.delay), ctx.get(dut.list)) == (delay, number)
        for at, first, count, word, number, mode in ((2, 0, 4, 0, 0, 1), (6, 4, 3, 2, 1, 3)):
            ctx.set(dut.at, at)
            assert (ctx.get(dut.first), ctx.get(dut.count), ctx.get(dut.word),
                    ctx.get(dut.list), ctx.get(dut.mode)) == (first, count, word, number, mode)

    simulate_logic(dut, bench)


def test_program_table_of_one_population():
    """The smallest step: the input and a MAP, all weights of one width."""
    dut = program_table((add(words=1), MapConstants(first=0, count=1, word=0, list=0,
                                                     mode=0)), 4)
    assert "width" not in dut.row.shape().members

    async def bench(ctx):
        ctx.set(dut.at, 1)
        ctx.set(dut.input_row, 5)
        assert (ctx.get(dut.row.address), ctx.get(dut.following), ctx.get(dut.next_map)) == (
            5, 2, 2)
        assert (ctx.get(dut.last), ctx.get(dut.last_map)) == (0, 0)
        ctx.set(dut.at, 2)
        assert (ctx.get(dut.count), ctx.get(dut.following), ctx.get(dut.next_map)) == (1, 1, 1)
        assert (ctx.get(dut.last), ctx.get(dut.last_map)) == (1, 1)

    simulate_logic(dut, bench)


def test_late_codes_have_the_lowest_bit_of_a_mode():
    """Above the 2 bits of MAP: even modes take even ranks, odd modes odd ones, each in order."""
    maps = [MapConstants(first=k, count=1, word=0, list=0, mode=mode)
            for k, mode in enumerate((1, 2, 3, 0))]
    params = program_table([add(kind=Kind.SPIKES), add(), *maps], 4).params
    assert params.codes == [0, 1, 2, 6, 10, 14]
    assert replace(params, late=True).codes == [0, 1, 6, 2, 14, 10]
