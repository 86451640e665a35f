# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven over its own protocol (Chrome DevTools)."""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from spikewright.base.errors import InputError

__all__ = ["Browser", "found"]

NAMES = ("chromium", "chromium-browser", "google-chrome")

# Seconds that the browser has to start, and a page to become what is waited for.
START, PATIENCE = 120.0, 120.0


def found() -> str | None:
    """The path of a Chromium on this computer."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser with one page; a context manager.

    Parameters
    ----------
    width, height : int
        Of the page, in pixels.
    dark : bool
        Whether the screen prefers dark colours.

    Raises
    ------
    InputError
        If no Chromium is installed.
    """

    def __init__(self, width: int, height: int, *, dark: bool = False):
        from websockets.sync.client import connect
        program = found()
        if program is None:
            raise InputError(f"Chromium must be installed as one of {', '.join(NAMES)}, not "
                             "missing")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-port=0", f"--user-data-dir={self._folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._port(Path(self._folder.name) / "DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=START) as answer:
            page = next(each for each in json.load(answer) if each["type"] == "page")
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(page["webSocketDebuggerUrl"], max_size=None, compression=None))
        self._numbers = itertools.count(1)
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                   deviceScaleFactor=1, mobile=width < 600)
        self._call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, url: str) -> None:
        """Go to a page."""
        self._call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True,
                            awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        deadline = time.perf_counter() + PATIENCE
        while not (value := self.value(f"document.body && ({expression})")):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"Page must come to {expression} within {PATIENCE:g} s")
            time.sleep(0.05)
        return value

    def picture(self, whole: bool = True) -> bytes:
        """The page as .png: the whole page, or what is on the screen."""
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def close(self) -> None:
        """End the browser."""
        self._open.close()
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _port(self, file: Path) -> int:
        deadline = time.perf_counter() + START
        while not file.exists() or not file.read_text(encoding="utf-8").strip():
            if time.perf_counter() > deadline or self._process.poll() is not None:
                raise InputError("Chromium must start, not end or hang")
            time.sleep(0.05)
        return int(file.read_text(encoding="utf-8").split()[0])

    def _call(self, method: str, **parameters: Any) -> dict:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
