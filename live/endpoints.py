# SPDX-License-Identifier: Apache-2.0
"""Sources and sinks by the texts that name them on the command line."""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path

from spikewright.base.errors import InputError
from spikewright.model.saved import Model

from .binner import Binner, SentBins
from .bins import Sink, Source

__all__ = ["SINKS", "SOURCES", "address", "open_sink", "is_loopback", "open_source",
           "read_token"]

SOURCES = ("a recording (.npz, .nwb, .mat or what Neo reads), udp:[HOST:]PORT, lsl:NAME, "
           "zmq:[HOST:]PORT, or with whole bins udp-bins:[HOST:]PORT, lsl-bins:NAME, "
           "zmq-bins:[HOST:]PORT")
SINKS = "udp:HOST:PORT, lsl:NAME, zmq:[HOST:]PORT, or a new file .jsonl"
KINDS = ("udp", "lsl", "zmq")

LOOPBACK = "127.0.0.1"
FEWEST_LETTERS = 16


def open_source(text: str, model: Model, notice: Callable[[str], None], *, fast: bool = False,
                repeat: bool = False, token: str | None = None) -> Source:
    """Open the source that ``text`` names, see `SOURCES`.

    Parameters
    ----------
    text : str
    model : Model
    notice : function
        Takes a line for the user.
    fast, repeat : bool
        How a recording is played, see `sources.recording.Player`.
    token : str, optional
        What each datagram must have, see `sources.lines.Lines`.

    Raises
    ------
    InputError
        If there is no such source, or it does not fit the model.
    """
    kind, colon, name = text.partition(":")
    channels, dt, axes = model.channels, model.dt, model.integers.axes
    whole = kind.endswith("-bins")
    live = bool(colon) and kind.removesuffix("-bins") in KINDS
    if live and (fast or repeat):
        raise InputError(f"Source must be a recording with --fast or --repeat, not {text!r}")
    if live and kind.startswith("udp"):
        from .sources.udp import UdpPackets
        host, port = address(name, text)
        if token is None and not is_loopback(host):
            raise InputError(f"Source must be an address of this machine alone, such as "
                             f"udp:{port}, or have --token-file, not {text!r}")
        packets = UdpPackets(host, port, channels, axes, numbered=whole, token=token)
        return SentBins(packets, dt, channels) if whole else Binner(packets, dt, channels)
    if live and kind.startswith("zmq"):
        from .sources.zeromq import ZmqPackets
        host, port = address(name, text)
        messages = ZmqPackets(host, port, channels, axes, numbered=whole, token=token)
        return SentBins(messages, dt, channels) if whole else Binner(messages, dt, channels)
    if live:
        from .sources.lsl import LslPackets
        if not name:
            raise InputError(f"Source must name a stream, such as lsl:spikes, not {text!r}")
        stream = LslPackets(name, channels, dt, notice, whole=whole)
        return SentBins(stream, dt, channels) if whole else Binner(stream, dt, channels)
    from .sources.recording import Player, open_recording
    if not Path(text).is_file():
        raise InputError(f"Source must be {SOURCES}, not {text!r}")
    recording = open_recording(Path(text), dt)
    recording.check_fits(channels, dt)
    if recording.velocity is not None and recording.velocity.shape[1] != axes:
        raise InputError(f"{recording.target_title} must have {axes} axes, as the model "
                         f"decodes, not {recording.velocity.shape[1]}")
    return Player(recording, fast=fast, repeat=repeat)


def open_sink(text: str, axes: int, identity: str, notice: Callable[[str], None]) -> Sink:
    """Open the sink that ``text`` names, see `SINKS`.

    ``axes`` is the number of axes of a velocity, and ``identity`` that of the model. ``notice``
    takes a line for the user.

    Raises
    ------
    InputError
        If there is no such sink.
    """
    kind, _, name = text.partition(":")
    if kind == "udp":
        from .sinks.lines import UdpSink
        host, port = address(name, text)
        return UdpSink(host, port)
    if kind == "zmq":
        from .sinks.zeromq import ZmqSink
        host, port = address(name, text)
        return ZmqSink(host, port)
    if kind == "lsl" and name:
        from .sinks.lsl import LslSink
        return LslSink(name, axes, identity)
    if Path(text).suffix == ".jsonl":
        from .sinks.recorder import Recorder
        return Recorder(Path(text), notice)
    raise InputError(f"Sink must be {SINKS}, not {text!r}")


def address(name: str, text: str) -> tuple[str, int]:
    """Host and port of ``[HOST:]PORT``; ``text`` is for a message."""
    match = re.fullmatch(r"(?:\[?([^\[\]\s]+?)\]?:)?(\d{1,5})", name)
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise InputError(f"Address must be [HOST:]PORT with a port from 1 to 65535, not {text!r}")
    return match[1] or LOOPBACK, int(match[2])


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_token(path: Path) -> str:
    """The token in a file.

    Raises
    ------
    InputError
        If it is too short, or holds anything else than letters, digits, '-' and '_'.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except ValueError:
        token = ""
    if not re.fullmatch(rf"[A-Za-z0-9_-]{{{FEWEST_LETTERS},}}", token):
        raise InputError(f"Token in {path} must be {FEWEST_LETTERS} or more letters, digits, '-' "
                         "and '_', such as 'openssl rand -hex 16' gives, not another text")
    return token
