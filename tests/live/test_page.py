# SPDX-License-Identifier: Apache-2.0
"""The page: what it shows in a browser, what its buttons do, and whom it refuses."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

pytest.importorskip("uvicorn", reason="the page needs the packages of the extra 'live'")
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from docs.make.browser import Browser, found  # noqa: E402
from spikewright.live.watch.__main__ import main  # noqa: E402
from spikewright.live.watch.page import MOST_MESSAGE, MOST_PAGES, Guard, _command  # noqa: E402
from spikewright.live.watch.view import listener  # noqa: E402
from tests.networks import refused  # noqa: E402

from .conftest import free_port  # noqa: E402

TOKEN = "0123456789abcdef"

# Smallest type of all texts that are shown, in pixels.
SMALLEST = """Math.min(...[...document.querySelectorAll("main *")].filter(each =>
  each.getClientRects().length && [...each.childNodes].some(node => node.nodeType == 3 &&
  node.data.trim())).map(each => parseFloat(getComputedStyle(each).fontSize)))"""


@pytest.fixture(scope="module")
def served(session):
    """A session with a page: its port, and the process."""
    folder = session[0]
    running = subprocess.Popen(
        [sys.executable, "-m", "spikewright", "serve", folder / "tiny", "--models",
         folder / "other", "--in", folder / "rec.npz", "--repeat", "--listen", str(free_port())],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    url = running.stdout.readline()
    yield int(url.rstrip("/\n").rpartition(":")[2]), running
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0 and " steps, " in out, err


def asked(port, path="/", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


@pytest.mark.parametrize("headers, status", [
    ({}, 200), ({"Origin": "http://{here}"}, 200), ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403), ({"Host": "evil.example"}, 403),
    ({"Host": "evil.example:{port}"}, 403), ({"Host": "localhost:{port}"}, 200),
    ({"Host": "localhost:{port}", "Origin": "http://{here}"}, 403)])
def test_requests_of_foreign_origins_are_refused(served, headers, status):
    port, _ = served
    told = {name: value.format(here=f"127.0.0.1:{port}", port=port)
            for name, value in headers.items()}
    assert asked(port, **told)[0] == status


def test_the_page_needs_nothing_from_elsewhere(served):
    _, text, headers = asked(served[0])
    assert "uPlot (v1.6.32)" in text and "<link" not in text and "src=" not in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'nonce-")
    assert asked(served[0], "/other")[0] == 404


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://localhost"])
def test_websockets_of_foreign_origins_are_refused(served, origin):
    with pytest.raises(InvalidStatus) as caught, \
            connect(f"ws://127.0.0.1:{served[0]}/live", origin=origin):
        pass
    assert caught.value.response.status_code == 403


def page_of(port):
    return connect(f"ws://127.0.0.1:{port}/live", origin=f"http://127.0.0.1:{port}")


def told(page, wanted, seconds=120):
    """The first message that is as wanted."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        message = json.loads(page.recv(timeout=seconds))
        if wanted(message):
            return message
    raise AssertionError("no such message")


def test_what_a_page_is_told(served):
    port, _ = served
    with page_of(port) as page:
        message = told(page, lambda found: found["steps"] and found["status"])
        later = told(page, lambda found: found["steps"])
    assert message["model"]["channels"] == 6 and message["models"] == ["tiny", "other"]
    assert message["facts"]["source"] == "rec.npz" and not message["differs"]
    numbers = [step[0] for step in message["steps"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert later["steps"][0][0] == numbers[-1] + 1      # each step once


def test_buttons_by_message(served):
    port, _ = served
    with page_of(port) as page:
        for wrong in ("", "[", "{}", '{"do": "stop"}', '{"do": "load", "model": 7}', '["pause"]'):
            page.send(wrong)
        assert not told(page, lambda found: found["status"])["status"]["paused"]
        page.send('{"do": "pause"}')
        told(page, lambda found: found["status"]["paused"])
        told(page, lambda found: not found["steps"])
        page.send('{"do": "resume"}')
        told(page, lambda found: found["steps"])
        page.send('{"do": "load", "model": 1}')
        message = told(page, lambda found: found["model"]["name"] == "other")
        assert not message["differs"]
        page.send('{"do": "load", "model": 0}')
        told(page, lambda found: found["model"]["name"] == "tiny" and found["steps"])


def test_a_page_that_sends_much_is_closed(served):
    with page_of(served[0]) as page:
        with pytest.raises(ConnectionClosed):
            page.send("x" * (MOST_MESSAGE + 1))
            for _ in range(1000):
                page.recv(timeout=60)


def test_pages_are_few(served):
    with ExitStack() as pages:
        for _ in range(MOST_PAGES):
            pages.enter_context(page_of(served[0]))
        with pytest.raises((InvalidStatus, ConnectionClosed)), page_of(served[0]) as page:
            page.recv(timeout=60)
    time.sleep(0.2)
    with page_of(served[0]) as page:
        assert page.recv(timeout=60)


@pytest.mark.parametrize("text, line", [
    ('{"do": "pause", "more": 1}', b'{"do": "pause"}\n'),
    ('{"do": "resume"}', b'{"do": "resume"}\n'),
    ('{"do": "reset"}', b'{"do": "reset"}\n'),
    ('{"do": "load", "model": 1}', b'{"do": "load", "model": 1}\n'),
    ('{"do": "load", "model": 2}', None), ('{"do": "load", "model": -1}', None),
    ('{"do": "load"}', None), ('{"do": "stop"}', None), ("[" * 5000, None), ("3", None)])
def test_commands(text, line):
    assert _command(text, 2) == line


@pytest.mark.parametrize("token, query, ours", [
    (None, "", False), (TOKEN, "", False), (TOKEN, f"token={TOKEN}", True),
    (TOKEN, f"token={TOKEN}x", False), (TOKEN, f"token={TOKEN}&token=x", False),
    (TOKEN, "token=%ff", False)])
def test_on_another_address_a_token_is_needed(token, query, ours):
    guard = Guard(None, 8765, token)
    scope = {"type": "http", "query_string": query.encode(),
             "headers": [(b"Host", b"lab.lan:8765")]}
    assert guard._is_ours(scope) == ours
    foreign = [(b"host", b"lab.lan:8765"), (b"origin", b"http://evil.example")]
    assert not guard._is_ours(scope | {"headers": foreign})
    assert not guard._is_ours(scope | {"headers": []})
    assert not guard._is_ours(scope | {"type": "websocket"})


def test_a_view_ends_if_the_loop_ended_before_its_first_line(monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    ours, theirs = socket.socketpair()
    ours.sendall(b'{"models"')
    ours.close()
    main("page", theirs.detach())


def test_addresses_of_the_page():
    with refused("Page must be on this computer alone, such as 8765, or have --token-file, not "
                 "'0.0.0.0:8765'"):
        listener("0.0.0.0:8765", None)
    port = free_port()
    place, url = listener(f"0.0.0.0:{port}", TOKEN)
    assert url == f"http://0.0.0.0:{port}/?token={TOKEN}"
    with refused(f"Page must have an address of this computer that is free, not '0.0.0.0:{port}': "
                 "Address already in use"):
        listener(f"0.0.0.0:{port}", TOKEN)
    place.close()


@pytest.fixture
def browser():
    if found() is None:
        pytest.skip("Chromium is not installed")
    opened = []

    def make(port, width, dark=False):
        opened.append(Browser(width, 900, dark=dark))
        opened[-1].open(f"http://127.0.0.1:{port}/")
        opened[-1].wait("document.documentElement.dataset.drawn > 100")
        return opened[-1]
    yield make
    for each in opened:
        each.close()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_in_a_browser(served, browser, width, dark):
    page = browser(served[0], width, dark)
    assert page.value("document.documentElement.scrollWidth") == width
    assert page.value(SMALLEST) >= 12
    assert page.value("document.querySelectorAll('.uplot').length") == 3
    ground = page.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
    # Each canvas has something on it.
    for name in ("raster", "hidden", "cursor"):
        assert page.value(f"""(() => {{ const canvas = document.getElementById("{name}");
            const pen = canvas.getContext("2d"), {{width, height}} = canvas;
            return pen.getImageData(0, 0, width, height).data.some(value => value); }})()"""), name
    assert page.value("document.querySelector('#agreement').textContent").endswith("are equal.")


def test_buttons_in_a_browser(served, browser):
    page = browser(served[0], 1400)
    words = "document.getElementById('state').textContent"
    page.value("document.getElementById('pause').click()")
    page.wait(f"{words} == 'paused'")
    page.value("document.getElementById('pause').click()")
    page.wait(f"{words} == 'running'")
    page.value("document.getElementById('models').value = 1")
    page.value("document.getElementById('load').click()")
    page.wait("document.getElementById('name').textContent == 'other'")
    page.value("document.getElementById('models').value = 0")
    page.value("document.getElementById('load').click()")
    page.wait("document.getElementById('name').textContent == 'tiny'")
    notices = page.wait("document.getElementById('notices').textContent")
    assert "model other (" in notices and "runs now" in notices
    assert page.wait(f"{words} == 'running'")
