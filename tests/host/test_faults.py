# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a board ends in a clear message, and the decoder goes on after it."""

import dataclasses
import re
import time

import numpy as np
import pytest

from spikewright.base.errors import InputError
from spikewright.golden.run import run_golden
from spikewright.host.decoder import Decoder, piece_bytes
from spikewright.host.driver import NoAnswerError, OtherModelError, RestartedError
from spikewright.host.serial_port import PortError
from spikewright.hw.params import link_params
from spikewright.model.model import IntegerModel
from spikewright.model.saved import Model
from spikewright.plan.config import CoreConfig
from spikewright.plan.frames import LOAD_MAX
from spikewright.plan.plan import Plan
from spikewright.sim.terminal import Terminal
from spikewright.sim.virtual import VirtualBoard
from tests.designs import BUILD
from tests.networks import deep_model, random_recording
from tests.sim.test_model_load import changed

CONFIG = CoreConfig(load="model")
STAGED = CoreConfig(load="model", staging="block")


def named(integers: IntegerModel, model_hash: str) -> Model:
    """What a decoder needs of a model folder."""
    model = Model(integers=integers, network=None, facts={})
    vars(model)["hash"] = model_hash
    return model


OLD = named(deep_model(4), "01" * 32)
NEW = named(changed(OLD.integers), "02" * 32)
WIDTHS = dataclasses.replace(OLD.integers.widths, current=OLD.integers.widths.current + 1)
OTHER_FORM = named(dataclasses.replace(OLD.integers, widths=WIDTHS), "03" * 32)
RECORDING = random_recording(4, 6, 60)


class Bench:
    """A board behind a port whose cable may be pulled, or which restarts."""

    def __init__(self, folder, config=CONFIG):
        self.link, self.config = folder / "board", config
        self.board = self.terminal = None
        self.restart()

    def restart(self):
        """The board is configured again, with its own model. The port stays."""
        plan = Plan(model=OLD.integers, config=self.config)
        link = link_params(plan, model_hash=OLD.hash, clock_hz=8_000_000)
        board = VirtualBoard(plan, link, BUILD)
        if self.terminal:
            self.terminal._board = board
        self.board = board

    def plug(self):
        self.terminal = Terminal(self.board, link=self.link)

    def pull(self):
        self.terminal.close()
        self.terminal = None

    def open(self, model=OLD, **more):
        return Decoder.open(f"serial:{self.link}", model, **more)


def plugged(*arguments):
    bench = Bench(*arguments)
    bench.plug()
    yield bench
    if bench.terminal:
        bench.pull()


@pytest.fixture
def bench(tmp_path):
    yield from plugged(tmp_path)


@pytest.fixture
def staging_bench(tmp_path):
    yield from plugged(tmp_path, STAGED)


def channels(t):
    return RECORDING.channel[RECORDING.start[t]:RECORDING.start[t + 1]].tolist()


def step(decoder, model, t):
    """Decode step ``t``; the answer must be golden's from step 0 on."""
    golden = run_golden(model.integers, RECORDING, CONFIG)
    assert np.array_equal(decoder.step(channels(t)), golden.velocity[t]), t


def decode(decoder, model, steps, first=0):
    """Decode from zero state; the answers must be golden's."""
    golden = run_golden(model.integers, RECORDING, CONFIG)
    state = dataclasses.replace(RECORDING, reset=np.arange(RECORDING.steps) == first)
    golden = run_golden(model.integers, state, CONFIG) if first else golden
    for t in range(first, first + steps):
        assert np.array_equal(decoder.step(channels(t)), golden.velocity[t]), t


def test_cable_is_pulled_and_put_back(bench):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        bench.pull()
        for reason in ("Port must stay connected until the end", "Port must be a serial port"):
            with pytest.raises(PortError, match=f"^{reason}"):
                decoder.step(channels(5))
        bench.plug()
        decode(decoder, OLD, 5, first=7)
        assert (decoder.steps, decoder.lost) == (10, 2)


def test_board_restarts_in_mid_stream(bench):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        bench.restart()
        with pytest.raises(RestartedError, match="^Device must answer with step 5, not 0: it has "
                           "restarted, or another program uses it; its state is lost$"):
            decoder.step(channels(5))
        decode(decoder, OLD, 5, first=6)
        assert (decoder.steps, decoder.lost) == (10, 1)


def test_board_that_is_silent_is_asked_again(bench, monkeypatch):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        ask = bench.terminal._ask
        monkeypatch.setattr(bench.terminal, "_ask", lambda data: b"")
        with pytest.raises(NoAnswerError, match="^Device must answer within 4 tries: "):
            decoder.step(channels(5))
        monkeypatch.setattr(bench.terminal, "_ask", ask)
        decode(decoder, OLD, 5, first=6)
        assert (decoder.steps, decoder.lost) == (10, 1)


def test_host_stops_for_seconds(bench):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        time.sleep(2)
        golden = run_golden(OLD.integers, RECORDING, CONFIG)
        for t in range(5, 30):
            assert np.array_equal(decoder.step(channels(t)), golden.velocity[t])
        assert (decoder.steps, decoder.lost) == (30, 0)


def test_foreign_model_is_refused(bench):
    with pytest.raises(InputError, match=f"^Model on the device must be {NEW.hash[:16]}, not "
                       f"{OLD.hash[:16]}$"):
        bench.open(NEW)


def test_second_host_is_refused_and_the_first_goes_on(bench):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        with pytest.raises(InputError, match="another program holds it: close that program$"):
            bench.open()
        golden = run_golden(OLD.integers, RECORDING, CONFIG)
        assert np.array_equal(decoder.step(channels(5)), golden.velocity[5])


def test_model_is_loaded_into_the_running_board(bench):
    """Also by `open`; the board then answers with the hash of the new model."""
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        decoder.load(NEW)
        decode(decoder, NEW, 20)
        assert decoder.lost == 0
    with pytest.raises(InputError, match=f"must be {OLD.hash[:16]}, not {NEW.hash[:16]}$"):
        bench.open(OLD)
    with bench.open(NEW) as decoder:
        decode(decoder, NEW, 5)
    with bench.open(OLD, load=True) as decoder:
        decode(decoder, OLD, 5)


def test_steps_go_on_while_a_model_is_loaded(staging_bench):
    """A step between any two pieces has the old model; the new one begins from zero state."""
    with staging_bench.open() as decoder:
        decode(decoder, OLD, 5)
        pieces = 0
        for t, _ in enumerate(decoder.loading(NEW, 0.0005), 5):
            step(decoder, OLD, t)
            pieces += 1
        decode(decoder, NEW, 20)
        assert (decoder.steps, decoder.lost, pieces) == (25 + pieces, 0, 10)
        decoder.load(OLD)
        decode(decoder, OLD, 5)


@pytest.mark.parametrize("seconds, baud, size", [
    (0.001, 1_000_000, 82), (0.001, 115_200, 1), (1.0, 1_000_000, LOAD_MAX)])
def test_piece_takes_the_time_of_the_line_that_is_given(seconds, baud, size):
    assert piece_bytes(seconds, baud) == size


def test_first_piece_loads_all_without_staging(bench):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        assert list(decoder.loading(NEW, 0.0005)) == []
        decode(decoder, NEW, 5)


@pytest.mark.parametrize("frames", [1, 2])
def test_old_model_goes_on_after_a_staged_load_that_is_cut(staging_bench, monkeypatch, frames):
    """No step is lost, none begins from zero state, and another load is taken."""
    def silent():
        monkeypatch.setattr(staging_bench.terminal, "_ask", lambda data: b"")

    with staging_bench.open() as decoder:
        decode(decoder, OLD, 5)
        cut_load(decoder, monkeypatch, frames, silent)
        for t in range(5, 10):
            step(decoder, OLD, t)
        decoder.load(NEW)
        decode(decoder, NEW, 5)
        assert decoder.lost == 0


def test_cable_is_pulled_in_the_middle_of_a_staged_load(staging_bench):
    """The board has the old model. What is left of the load ends in a message."""
    with staging_bench.open() as decoder:
        decode(decoder, OLD, 5)
        pieces = decoder.loading(NEW, 0.0005)
        next(pieces), next(pieces)
        staging_bench.pull()
        with pytest.raises(PortError):
            decoder.step(channels(5))
        staging_bench.plug()
        decode(decoder, OLD, 5, first=6)
        with pytest.raises(PortError):
            list(pieces)
        golden = run_golden(OLD.integers, dataclasses.replace(
            RECORDING, reset=np.arange(RECORDING.steps) == 6), CONFIG)
        assert np.array_equal(decoder.step(channels(11)), golden.velocity[11])


def test_board_that_restarts_in_the_middle_of_a_staged_load(staging_bench):
    with staging_bench.open() as decoder:
        decode(decoder, OLD, 5)
        pieces = decoder.loading(NEW, 0.0005)
        next(pieces), next(pieces), next(pieces)
        staging_bench.restart()
        with pytest.raises(ValueError, match="^Device must have [0-9]+ words by now, not [0-9]+: "
                           "it has restarted, or holds a shorter table$"):
            list(pieces)
        with pytest.raises(RestartedError):
            decoder.step(channels(5))
        decode(decoder, OLD, 5, first=6)


def test_board_that_restarts_gets_the_loaded_model_again(bench):
    with bench.open() as decoder:
        decoder.load(NEW)
        decode(decoder, NEW, 5)
        bench.restart()
        with pytest.raises(RestartedError):
            decoder.step(channels(5))
        decode(decoder, NEW, 5, first=6)


def silence():
    raise NoAnswerError("silent")


def cut_load(decoder, monkeypatch, frames, cut):
    """A LOAD of which so many frames are answered. Then ``cut`` is called, and no answer comes."""
    ask = decoder._runner._driver._ask_load
    calls = iter(range(frames + 1))                 # the first asks for the form

    def answered(data, **flags):
        if next(calls, None) is None:
            cut()
        return ask(data, **flags)

    monkeypatch.setattr(decoder._runner._driver, "_ask_load", answered)
    with pytest.raises((NoAnswerError, PortError)):
        decoder.load(NEW)
    monkeypatch.undo()


@pytest.mark.parametrize("frames", [1, 2])
def test_load_is_cut_in_the_middle(bench, monkeypatch, frames):
    """The board then executes no step, and says so. The step after it has the old model."""
    def silent():
        monkeypatch.setattr(bench.terminal, "_ask", lambda data: b"")

    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        cut_load(decoder, monkeypatch, frames, silent)
        with pytest.raises(OtherModelError, match="^Device must have a whole model, not a part of "
                           "one: load it again$"):
            decoder.step(channels(5))
        decode(decoder, OLD, 5, first=6)
        assert (decoder.steps, decoder.lost) == (10, 1)
        decoder.load(NEW)
        decode(decoder, NEW, 5)


def test_cable_is_pulled_in_the_middle_of_a_load(bench, monkeypatch):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        cut_load(decoder, monkeypatch, 2, bench.pull)
        bench.plug()
        with pytest.raises(PortError, match="^Port must stay connected until the end"):
            decoder.step(channels(5))
        decode(decoder, OLD, 5, first=6)


def test_last_answer_of_a_load_is_lost(bench, monkeypatch):
    """The board has the new model, which the decoder does not know: it loads the old one again."""
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        monkeypatch.setattr(decoder._runner._driver, "read_info", silence)
        with pytest.raises(NoAnswerError, match="^silent$"):
            decoder.load(NEW)
        monkeypatch.undo()
        with pytest.raises(OtherModelError, match=f"must be {OLD.hash[:16]}, not {NEW.hash[:16]}$"):
            decoder.step(channels(5))
        decode(decoder, OLD, 5, first=6)


def test_load_that_is_refused_does_not_permit_another(bench, monkeypatch):
    """A board with a foreign model takes the place of the first: each step refuses it."""
    with bench.open(OLD) as decoder:
        decode(decoder, OLD, 5)
        with pytest.raises(InputError, match="^Model must have the form of the model "):
            decoder.load(OTHER_FORM)
        bench.pull()
        with pytest.raises(PortError):
            decoder.step(channels(5))
        bench.plug()
        with bench.open(NEW, load=True):
            pass
        for _ in range(2):
            with pytest.raises(OtherModelError, match=f"^Model on the device must be "
                               f"{OLD.hash[:16]}, not {NEW.hash[:16]}$"):
                decoder.step(channels(5))


def test_model_of_another_form_is_refused_and_the_old_one_goes_on(bench):
    with bench.open() as decoder:
        decode(decoder, OLD, 5)
        with pytest.raises(InputError, match=re.escape("Model must have the form of the model that "
                           "the device was built for, not other populations, projections, rows, "
                           "widths or sizes of tables")):
            decoder.load(OTHER_FORM)
        golden = run_golden(OLD.integers, RECORDING, CONFIG)
        assert np.array_equal(decoder.step(channels(5)), golden.velocity[5])


def test_board_that_takes_no_model_says_how_to_build_it(tmp_path, monkeypatch):
    with Decoder.open("virtual:", OLD, megahertz=8, cache=BUILD) as decoder:
        with pytest.raises(InputError, match="^Device must be built with --load model, not "
                           "without it, to take another model$"):
            decoder.load(NEW)
        decode(decoder, OLD, 5)


def test_steps_may_be_awaited():
    import asyncio

    async def run():
        with Decoder.open("golden:", OLD) as decoder:
            return await asyncio.gather(*(decoder.step_async(channels(t)) for t in range(20)))

    golden = run_golden(OLD.integers, RECORDING, CONFIG)
    assert np.array_equal(asyncio.run(run()), golden.velocity[:20])


def test_golden_goes_on_with_another_model():
    with Decoder.open("golden:", OLD) as decoder:
        decode(decoder, OLD, 5)
        decoder.load(NEW)
        decode(decoder, NEW, 5)
