# SPDX-License-Identifier: Apache-2.0
"""The page of a live loop: one document, and one WebSocket that feeds it."""

import asyncio
import contextlib
import hmac
import json
import secrets
import socket
from collections.abc import Iterator
from importlib import resources
from urllib.parse import parse_qs

import uvicorn
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from spikewright.report.html import render_page

from .scene import EDGES, Scene
from .view import READY

__all__ = ["Guard", "application", "show"]

# Seconds between two messages to a page, the most steps of one, and the most bytes of a line.
EVERY, MOST_STEPS, MOST_BYTES = 0.05, 500, 1 << 20

# Pages at once, and bytes of a message from one.
MOST_PAGES, MOST_MESSAGE = 8, 200

WORDS = ("pause", "resume", "reset")


def show(connection: socket.socket, config: dict) -> None:
    """Serve the page until the session ends."""
    listener = socket.socket(fileno=config["listener"])
    asyncio.run(_serve(connection, listener, config))


async def _serve(connection: socket.socket, listener: socket.socket, config: dict) -> None:
    scene = Scene.opened(config)
    reader, writer = await asyncio.open_connection(sock=connection, limit=MOST_BYTES)
    host, port = listener.getsockname()[:2]
    app = Guard(application(scene, writer), host, port, config["token"])
    server = _Server(uvicorn.Config(app, ws="websockets-sansio", lifespan="off", log_level="error",
                                    access_log=False, ws_max_size=MOST_MESSAGE,
                                    timeout_graceful_shutdown=1))

    writer.write(READY)

    async def feed() -> None:
        while line := await reader.readline():
            scene.take(line)
        scene.ended = True
        await asyncio.sleep(2 * EVERY)      # the pages are told
        server.should_exit = True
    await asyncio.gather(feed(), server.serve(sockets=[listener]))


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the loop ends the server."""
        yield


def application(scene: Scene, writer: asyncio.StreamWriter) -> Starlette:
    """The page of ``scene``. What its users want goes to ``writer``."""
    pages = 0

    async def page(request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        text = render_page("spikewright.live", "live.html", pictures={}, nonce=nonce,
                           uplot=Markup(_packaged("uPlot.iife.min.js")),
                           uplot_style=Markup(_packaged("uPlot.min.css")),
                           script=Markup(_packaged("live.js")))
        return HTMLResponse(text, headers={
            "Content-Security-Policy": f"default-src 'none'; script-src 'nonce-{nonce}'; style-src "
            "'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff"})

    async def live(websocket: WebSocket) -> None:
        nonlocal pages
        if pages >= MOST_PAGES:
            await websocket.close(1013)
            return
        pages += 1
        try:
            await websocket.accept()
            sender = asyncio.create_task(_send(websocket, scene))
            try:
                while True:
                    command = _command(await websocket.receive_text(), len(scene.models))
                    if command:
                        writer.write(command)
            finally:
                sender.cancel()
        except (WebSocketDisconnect, RuntimeError, KeyError):
            pass                # the page was closed
        finally:
            pages -= 1

    return Starlette(routes=[Route("/", page), WebSocketRoute("/live", live)])


async def _send(websocket: WebSocket, scene: Scene) -> None:
    """Send what is new, until the session ends."""
    sent = -1
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message, sent = message_of(scene, sent)
            await websocket.send_text(json.dumps(message, separators=(",", ":")))
            if scene.ended:
                await websocket.close()
                return
            await asyncio.sleep(EVERY)


def message_of(scene: Scene, sent: int) -> tuple[dict, int]:
    """What a page has to show since step ``sent``, and the last step in it."""
    integers = scene.model.integers
    new: list[list] = []
    for step in reversed(scene.steps):
        if step.number <= sent or len(new) == MOST_STEPS:
            break
        new.append([step.number, step.channels, step.hidden, step.velocity, step.truth, step.reset])
    new.reverse()
    return {
        "model": {"name": scene.model.name, "hash": scene.model.hash[:16],
                  "channels": scene.model.channels, "hidden": integers.hidden,
                  "dt": scene.model.dt, "axes": scene.facts.get("axes", integers.axes),
                  "number": scene.models.index(scene.model)},
        "models": scene.names, "facts": scene.facts,
        "status": scene.status, "steps": new, "delays": scene.delays.tolist(), "edges": EDGES,
        "agreement": scene.agreement, "differs": scene.differing > 0, "scale": scene.scale,
        "ended": scene.ended}, (scene.steps[-1].number if scene.steps else sent)


def _command(text: str, models: int) -> bytes | None:
    """The line for the loop that a page wants; None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match found:
        case {"do": "load", "model": int(number)} if 0 <= number < models:
            return json.dumps({"do": "load", "model": int(number)}).encode() + b"\n"
        case {"do": word} if word in WORDS:
            return json.dumps({"do": word}).encode() + b"\n"
    return None


class Guard:
    """Refuses requests that do not come from the page itself, or without the token.

    A browser says in ``Origin`` whose page sends a request, and in ``Host`` by which name it has
    found this server. So no page of another server reaches the loop, even if its name suddenly
    means this computer.

    Parameters
    ----------
    app : ASGI application
    host : str
        On which the page is served. The usual names of this computer are known, too.
    port : int
    token : str, optional
        If it is given, it must come with each request as ``?token=``, and ``Host`` may be any.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, token: str | None):
        self._app, self._token = app, token
        names = {"127.0.0.1", "localhost", "[::1]", host}
        self._hosts = {f"{name}:{port}" for name in names}
        if port == 80:
            self._hosts |= names        # a browser leaves out the usual port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if self._is_ours(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await Response("Forbidden", 403)(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.decode("latin-1"))
        hosts, origins = headers.get(b"host", []), headers.get(b"origin", [])
        if len(hosts) != 1 or len(origins) > 1:
            return False
        if self._token is None:
            known = hosts[0] in self._hosts
        else:
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
            known = len(given) == 1 and hmac.compare_digest(given[0].encode(),
                                                            self._token.encode())
        # A request for the page itself has no origin; one to the WebSocket always has.
        wanted = [f"http://{hosts[0]}"]
        same = origins == wanted or not origins and scope["type"] == "http"
        return known and same


def _packaged(name: str) -> str:
    return (resources.files("spikewright.live") / "pages" / name).read_text(encoding="utf-8")
