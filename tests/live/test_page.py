# SPDX-License-Identifier: Apache-2.0
"""The page: what it shows in a browser, what its buttons do, and whom it refuses."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest

pytest.importorskip("uvicorn", reason="the page needs the packages of the extra 'live'")
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from docs.make.pictures.browser import Browser, found  # noqa: E402
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


@contextmanager
def serving(folder, listen, *more):
    """A session with a page: the address that is printed."""
    running = subprocess.Popen(
        [sys.executable, "-m", "spikewright", "serve", folder / "tiny", "--models",
         folder / "other", "--in", folder / "rec.npz", "--repeat", "--listen", listen, *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield running.stdout.readline().removeprefix("-> ").strip()
    finally:
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=120)
    assert running.returncode == 0 and " steps, " in out, err


@pytest.fixture(scope="module")
def served(session):
    """The port of a session with a page."""
    with serving(session[0], str(free_port())) as url:
        yield int(url.rstrip("/").rpartition(":")[2])


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
    told = {name: value.format(here=f"127.0.0.1:{served}", port=served)
            for name, value in headers.items()}
    assert asked(served, **told)[0] == status


def test_the_page_needs_nothing_from_elsewhere(served):
    _, text, headers = asked(served)
    assert "uPlot (v1.6.32)" in text and "<link" not in text and "src=" not in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'nonce-")
    assert asked(served, "/other")[0] == 404


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://localhost"])
def test_websockets_of_foreign_origins_are_refused(served, origin):
    with pytest.raises(InvalidStatus) as caught, \
            connect(f"ws://127.0.0.1:{served}/live", origin=origin):
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
    with page_of(served) as page:
        message = told(page, lambda found: found["steps"] and found["status"])
        later = told(page, lambda found: found["steps"])
    assert message["model"]["channels"] == 6 and message["models"] == ["tiny", "other"]
    assert message["facts"]["source"] == "rec.npz" and not message["differs"]
    numbers = [step[0] for step in message["steps"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert later["steps"][0][0] == numbers[-1] + 1      # each step once


def test_buttons_by_message(served):
    with page_of(served) as page:
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
    with page_of(served) as page:
        with pytest.raises(ConnectionClosed):
            page.send("x" * (MOST_MESSAGE + 1))
            for _ in range(1000):
                page.recv(timeout=60)


def test_pages_are_few(served):
    with ExitStack() as pages:
        for _ in range(MOST_PAGES):
            pages.enter_context(page_of(served))
        with pytest.raises((InvalidStatus, ConnectionClosed)), page_of(served) as page:
            page.recv(timeout=60)
    time.sleep(0.2)
    with page_of(served) as page:
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
    guard = Guard(None, "0.0.0.0", 8765, token)
    scope = {"type": "http", "query_string": query.encode(),
             "headers": [(b"Host", b"lab.lan:8765")]}
    assert guard._is_ours(scope) == ours
    foreign = [(b"host", b"lab.lan:8765"), (b"origin", b"http://evil.example")]
    assert not guard._is_ours(scope | {"headers": foreign})
    assert not guard._is_ours(scope | {"headers": []})
    assert not guard._is_ours(scope | {"type": "websocket"})
    own = [(b"host", b"lab.lan:8765"), (b"origin", b"http://lab.lan:8765")]
    assert guard._is_ours(scope | {"type": "websocket", "headers": own}) == ours
    assert not guard._is_ours(scope | {"type": "websocket", "headers": foreign})


@pytest.mark.parametrize("host, port, asked_for, ours", [
    ("127.0.0.2", 8765, "127.0.0.2:8765", True), ("127.0.0.2", 8765, "localhost:8765", True),
    ("127.0.0.1", 8765, "127.0.0.2:8765", False), ("127.0.0.1", 8765, "127.0.0.1", False),
    ("127.0.0.1", 80, "127.0.0.1", True), ("127.0.0.1", 80, "localhost:80", True),
    ("::1", 80, "[::1]", True), ("127.0.0.1", 80, "evil.example", False)])
def test_hosts_of_the_page(host, port, asked_for, ours):
    guard = Guard(None, host, port, None)
    for scope, origins in (("http", [None, f"http://{asked_for}"]),
                           ("websocket", [f"http://{asked_for}"])):
        for origin in origins:
            headers = [(b"host", asked_for.encode())]
            headers += [(b"origin", origin.encode())] if origin else []
            assert guard._is_ours({"type": scope, "query_string": b"", "headers": headers}) == ours


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

    def make(url, width, dark=False):
        opened.append(Browser(width, 900, dark=dark))
        opened[-1].open(url)
        opened[-1].wait("document.documentElement.dataset.drawn > 100")
        return opened[-1]
    yield make
    for each in opened:
        each.close()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_in_a_browser(served, browser, width, dark):
    page = browser(f"http://127.0.0.1:{served}/", width, dark)
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
    page = browser(f"http://127.0.0.1:{served}/", 1400)
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


def test_a_page_on_another_address_of_this_computer(session, browser):
    place = f"127.0.0.2:{free_port()}"
    with serving(session[0], place) as url:
        assert url == f"http://{place}/"
        assert browser(url, 1400).value("document.getElementById('name').textContent") == "tiny"


def test_a_page_with_a_token(session, browser, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    port = free_port()
    with serving(session[0], f"0.0.0.0:{port}", "--token-file", tmp_path / "token") as url:
        assert url == f"http://0.0.0.0:{port}/?token={TOKEN}"
        assert asked(port)[0] == 403
        page = browser(url.replace("0.0.0.0", "127.0.0.1"), 1400)
        assert page.value("document.getElementById('name').textContent") == "tiny"
