# SPDX-License-Identifier: Apache-2.0
"""``spikewright live``: decode spikes as they come."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import ExitStack, closing, nullcontext, suppress
from importlib.util import find_spec
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.plan.config import CLOCK_MHZ, chosen

from ..options import add_baud, add_build, add_core_options, add_freq, add_model, core_choices
from ..parser import ended_by_signal

__all__ = ["add", "add_session", "run", "run_session"]


def add(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = ("Decode spikes as they come, one step every dt seconds, on a board, on "
                          "the virtual board or with the integer model. Ctrl-C ends it. "
                          "docs/howto/live.md has the wiring.")
    add_session(parser)
    parser.add_argument("--view", action="store_true",
                        help="show spikes, velocity, delays and counters in the terminal")


def add_session(parser: ArgumentParser) -> None:
    """Add the options that `run_session` needs."""
    from spikewright.live.endpoints import SINKS, SOURCES
    add_model(parser)
    parser.add_argument("--in", dest="source", required=True, metavar="SOURCE",
                        help=f"where the spikes come from: {SOURCES}")
    parser.add_argument("--out", dest="sinks", action="append", default=[], metavar="SINK",
                        help=f"where the velocity goes: {SINKS}. It may be repeated")
    parser.add_argument("--port", default="golden", help="serial port of the board, or 'virtual' "
                        "for the virtual board, or 'golden' for the integer model on this computer "
                        "(default: %(default)s)")
    parser.add_argument("--affine", type=Path, metavar="FILE.json",
                        help="matrix and offset that are applied to the velocity "
                        "(default: none)")
    parser.add_argument("--models", type=Path, nargs="+", default=[], metavar="MODEL",
                        help="further models, which a view can load while the loop runs")
    parser.add_argument("--seconds", type=_seconds, metavar="S",
                        help="end after so much time (default: when the source ends, or Ctrl-C)")
    parser.add_argument("--fast", action="store_true",
                        help="play a recording as fast as the decoder answers")
    parser.add_argument("--repeat", action="store_true",
                        help="play a recording from the start again when it ends")
    parser.add_argument("--realtime", action="store_true",
                        help="run before all usual programs of this computer; Linux only, and the "
                        "user needs the right to do so")
    parser.add_argument("--token-file", type=Path, metavar="FILE",
                        help="file with the token that each datagram or message of spikes, and "
                        "each request of the page, must have. --in udp:HOST:PORT and "
                        "--listen HOST:PORT need it if other machines can reach HOST")
    add_baud(parser)
    add_freq(parser, "clock of the virtual board", CLOCK_MHZ)
    add_core_options(parser, load="with --port virtual: ", staging="with --port virtual: ")
    add_build(parser)


def run(arguments: Namespace) -> None:
    """Run the loop, with a view in the terminal if it is wanted."""
    run_session(arguments, "terminal" if arguments.view else None)


def run_session(arguments: Namespace, view: str | None) -> None:
    """Open everything, run the loop until it ends, and print what it has counted."""
    from spikewright.host.decoder import Decoder, virtual_params
    from spikewright.live.affine import Affine
    from spikewright.live.endpoints import open_sink, open_source, read_token
    from spikewright.live.engine import Engine
    from spikewright.live.loop import Loop
    from spikewright.live.priority import hurry, settle
    from spikewright.live.summary import Usage, summary
    from spikewright.live.watch.view import say
    from spikewright.model.saved import Model
    from spikewright.plan.plan import suited

    where = (f"{arguments.port}:" if arguments.port in ("golden", "virtual")
             else f"serial:{arguments.port}")

    if arguments.realtime and arguments.fast:
        raise InputError("Option --realtime must come without --fast, not with it: both would keep "
                         "the processor from all other programs")
    if arguments.models and view is None:
        raise InputError("Option --models must come with --view, not without it: only a view can "
                         "load a model")
    core = core_choices(arguments)
    if core.get("load", "none") != "none" and arguments.port != "virtual":
        raise InputError("Option --load model must come with --port virtual, not with "
                         f"{arguments.port}: 'spikewright build' gives it to a board, and the "
                         "integer model takes other models without it")
    model = Model.load(arguments.model)
    # `Decoder.open` checks these, too. It comes after a stream, which takes seconds to find.
    config = chosen(arguments.preset, core, suited(model.integers))
    if arguments.port == "virtual":
        virtual_params(model, config, baud=arguments.baud, megahertz=arguments.freq)
    token = read_token(arguments.token_file) if arguments.token_file else None
    affine = Affine.read(arguments.affine, model.integers.axes) if arguments.affine else None
    axes = len(affine.matrix) if affine else model.integers.axes
    with ExitStack() as stack:
        def kept(part):
            return stack.enter_context(closing(part))
        shown, url = _view(view, arguments, affine, token) if view else (None, "")
        if shown:
            kept(shown)
        notice = shown.notice if shown else say
        if arguments.realtime:
            hurry()
        # What is refused at once comes first. A stream, and a virtual board, take seconds.
        sinks = [kept(open_sink(text, axes, model.hash[:16], notice)) for text in arguments.sinks]
        source = kept(open_source(arguments.source, model, notice, fast=arguments.fast,
                                  repeat=arguments.repeat, token=token))
        decoder = kept(Decoder.open(where, model, baud=arguments.baud, megahertz=arguments.freq,
                                    preset=arguments.preset, cache=arguments.build, **core))
        engine = Engine(model, decoder, notice)
        if url:
            print(f"-> {url}", flush=True)
        loop = Loop(source, engine, [*sinks, *([shown] if shown else [])], notice=notice,
                    affine=affine, commands=shown.serve if shown else None)
        settle()
        usage = Usage()
        with ended_by_signal():
            loop.run(arguments.seconds)
    print("\n".join(summary(loop, usage)), flush=True)
    if lost := loop.counts().get("lines not recorded"):
        raise InputError(f"Session must be recorded whole, not without {lost} lines: the disk was "
                         "full, or did not keep up")


def _view(kind, arguments, affine, token):
    """The view, and the address of its page; "" for that in the terminal."""
    from spikewright.live.watch.view import View, listener
    needed = {"page": ("starlette", "uvicorn", "websockets"), "terminal": ("rich",)}
    for name in needed[kind]:
        if find_spec(name) is None:
            raise InputError(f"Package {name} must be installed for this view, not missing: "
                             "install spikewright[live]")
    place, url = None, ""
    if kind == "page":
        place, url = listener(arguments.listen, token)
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("--view must have a terminal, not a file or a pipe")
    with closing(place) if place else nullcontext():
        view = View(kind, [arguments.model, *arguments.models], listener=place, token=token,
                    affine=affine and {"matrix": affine.matrix.tolist(),
                                       "offset": affine.offset.tolist()})
    return view, url


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) < 1e7:
            return float(text)
    raise ArgumentTypeError(f"must be a number of seconds between 0 and 1e7, not {text!r}")
