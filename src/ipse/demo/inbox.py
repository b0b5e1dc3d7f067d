"""The integrator's side of the demo: a webhook receiver that trusts nothing it cannot verify."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ipse.security.signatures import SignatureError, verify


@dataclass(frozen=True, slots=True)
class Verdict:
    """A webhook as it arrived. ``raw`` and ``canonical`` say which recipes its signature satisfied."""

    session_id: str
    status: str
    raw: bool
    canonical: bool
    arrived_at: float
    problem: str | None = None

    @property
    def verified(self) -> bool:
        """Whether both recipes hold: over the raw bytes and over the canonical JSON."""
        return self.raw and self.canonical


class Inbox:
    """Collects verdicts. ``secret`` is set once the destination has been registered."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/webhooks"
        self.secret = ""
        self._arrived = asyncio.Condition()
        self._verdicts: list[Verdict] = []

    async def receive(self, request: Request) -> Response:
        """Answer 200 only to what verifies."""
        arrived_at = time.perf_counter()
        body = await request.body()
        try:
            event = verify(self.secret, request.headers, body, now=int(time.time()))
        except SignatureError as error:
            verdict = Verdict("", "", raw=False, canonical=False, arrived_at=arrived_at, problem=str(error))
        else:
            verdict = Verdict(event.session_id, event.status, event.raw, event.canonical, arrived_at)
        async with self._arrived:
            self._verdicts.append(verdict)
            self._arrived.notify_all()
        return Response(status_code=400 if verdict.problem else 200)

    async def verdict_of(self, session_id: str, status: str, timeout_s: float) -> Verdict:
        """Wait for the webhook that reports ``status`` of a session; raise ``TimeoutError`` after ``timeout_s``."""

        def found() -> Verdict | None:
            return next((v for v in self._verdicts if (v.session_id, v.status) == (session_id, status)), None)

        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(lambda: found() is not None)
        verdict = found()
        assert verdict is not None
        return verdict


@contextlib.asynccontextmanager
async def open_inbox() -> AsyncIterator[Inbox]:
    """A receiver that listens on loopback while the block runs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        inbox = Inbox(listener.getsockname()[1])
        app = Starlette(routes=[Route("/webhooks", inbox.receive, methods=["POST"])])
        async with serving(app, listener):
            yield inbox


@contextlib.asynccontextmanager
async def serving(app: object, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an ASGI application on a bound socket while the block runs."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="auto"))  # type: ignore[arg-type]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            await task  # raises what stopped it
            raise RuntimeError("the server stopped before it had started")
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task
