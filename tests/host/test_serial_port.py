# SPDX-License-Identifier: Apache-2.0
"""Serial ports: opening for one program, low latency, and what a user reads when one fails."""

import os
import re
import termios
from types import SimpleNamespace

import pytest
import serial

from spikewright.base.errors import InputError
from spikewright.host.codec import encode_load
from spikewright.host.decoder import open_port
from spikewright.host.serial_port import PortError, SerialPort
from spikewright.plan.frames import LOAD_MAX

GROUP = ("this user may not open it: join the group of serial ports (Debian: sudo usermod -aG "
         "dialout $USER), then log in again")


def refused(device, reason):
    text = f"Port must be a serial port that opens, not {device!r}: {reason}"
    return pytest.raises(PortError, match=f"^{re.escape(text)}$")


@pytest.fixture
def terminal():
    """A pseudo-terminal: the end of a device, and the name of its port."""
    master, slave = os.openpty()
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


def test_serial_port():
    port = SerialPort("loop://", 1_000_000, timeout=0.01)
    assert port.write(b"abc") == 3
    assert port.read(5) == b"abc"
    assert port.read(5) == b""
    port.close()


@pytest.mark.parametrize("baud", [9600, 1_000_000])
def test_serial_port_waits_for_frames_that_are_on_their_way(monkeypatch, baud):
    """A LOAD of 226 bytes to the device, and as long an answer from it."""
    waits = {}
    monkeypatch.setattr("serial.serial_for_url", lambda _, **options: (
        waits.update(options) or SimpleNamespace(reset_input_buffer=lambda: None)))
    SerialPort("/dev/ttyUSB1", baud, timeout=0.1)
    assert waits == {"baudrate": baud, "timeout": 0.1 + 2 * 226 * 10 / baud, "exclusive": True}
    assert len(b"\0" + encode_load(0, bytes(LOAD_MAX))) <= 226


def test_port_is_for_one_program_alone(terminal):
    _, name = terminal
    first = SerialPort(name, 115_200)
    with refused(name, "another program holds it: close that program"):
        SerialPort(name, 115_200)
    first.close()
    SerialPort(name, 115_200).close()


def test_missing_port_lists_those_that_are_there(monkeypatch):
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [])
    with refused("/dev/nothing", "it is not there; connected: no serial port"):
        SerialPort("/dev/nothing", 1_000_000)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [
        SimpleNamespace(device="/dev/ttyUSB1"), SimpleNamespace(device="/dev/ttyUSB0")])
    with refused("/dev/nothing", "it is not there; connected: /dev/ttyUSB0, /dev/ttyUSB1"):
        SerialPort("/dev/nothing", 1_000_000)


def test_file_and_folder_are_no_ports(tmp_path):
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "file", tmp_path, tmp_path / "fifo"):
        with refused(str(path), "it is not a serial port"):
            SerialPort(str(path), 1_000_000)


@pytest.mark.parametrize("number, reason", [
    (13, GROUP),
    (16, "another program holds it: close that program"),
    (5, "[Errno 5] could not open port /dev/ttyUSB1: [Errno 5] x"),
])
def test_port_that_the_system_refuses(monkeypatch, number, reason):
    def refuse(*_):
        raise OSError(number, "x")
    monkeypatch.setattr("serial.serialposix.os.open", refuse)
    with refused("/dev/ttyUSB1", reason):
        SerialPort("/dev/ttyUSB1", 1_000_000)


def test_url_of_no_known_kind():
    with refused("foo://bar", "invalid URL, protocol 'foo' not known"):
        SerialPort("foo://bar", 1_000_000)


@pytest.mark.parametrize("function, number, reason", [
    ("tcsetattr", 22, "(22, 'Invalid argument')"),
    ("tcflush",    5, "(5, 'Input/output error')"),
])
def test_port_whose_terminal_refuses(terminal, monkeypatch, function, number, reason):
    """A rate that the driver does not have; a device that goes while its buffer is flushed."""
    def refuse(*_):
        raise termios.error(number, os.strerror(number))
    monkeypatch.setattr(termios, function, refuse)
    with refused(terminal[1], reason):
        SerialPort(terminal[1], 1_234_567)


def test_port_that_goes_away(terminal):
    master, slave = os.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    port = SerialPort(name, 1_000_000)
    os.close(master)
    begin = f"^Port must stay connected until the end, not fail: {name!r}: "
    with pytest.raises(InputError, match=begin + r"device reports readiness to read but returned "
                       r"no data \(device disconnected or multiple access on port\?\)$"):
        port.read(1)
    with pytest.raises(serial.SerialException, match=begin):
        port.write(b"0")
    port.close()


class Chip:
    """Port of a USB serial chip whose timer the kernel sets with ASYNC_LOW_LATENCY."""

    def __init__(self, timer, low):
        self._timer, self._low = timer, low

    def reset_input_buffer(self):
        pass

    def set_low_latency_mode(self, on):
        if not self._low:
            raise ValueError("Failed to update ASYNC_LOW_LATENCY flag to True: [Errno 1]")
        self._timer.write_text("1\n" if on else "16\n")


@pytest.fixture
def chip(tmp_path, monkeypatch):
    """Connects a chip with a timer of 16 ms; ``low`` is whether its port can set it."""
    monkeypatch.setattr("spikewright.host.serial_port.CHIPS", tmp_path)
    timer = tmp_path / "ttyUSB1" / "latency_timer"
    timer.parent.mkdir()
    timer.write_text("16\n")

    def connect(low):
        monkeypatch.setattr("serial.serial_for_url", lambda *_, **__: Chip(timer, low))
        return timer
    return connect


def test_chip_gets_low_latency_by_its_port(chip, capsys):
    timer = chip(low=True)
    assert open_port("/dev/ttyUSB1", None, None, baud=1_000_000, megahertz=24, cache="").slow == ""
    assert timer.read_text() == "1\n"
    assert capsys.readouterr() == ("", "")


def test_chip_gets_low_latency_by_the_file(chip, capsys):
    timer = chip(low=False)
    open_port("/dev/ttyUSB1", None, None, baud=1_000_000, megahertz=24, cache="")
    assert timer.read_text() == "1"
    assert capsys.readouterr() == ("", "")


def test_slow_chip_is_told_of(chip, capsys, monkeypatch):
    """Nobody but root may write the file."""
    timer = chip(low=False)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    open_port("/dev/ttyUSB1", None, None, baud=1_000_000, megahertz=24, cache="")
    assert capsys.readouterr() == ("", (
        "warning: the USB serial chip of /dev/ttyUSB1 may keep an answer back for 16 ms: run "
        f"'echo 1 | sudo tee {timer}'\n"))
