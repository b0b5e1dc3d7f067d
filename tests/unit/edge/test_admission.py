"""An overloaded process sends requests away at once, and is itself again when the load is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from ipse.edge.admission import Admission

pytestmark = pytest.mark.anyio


class Slow:
    """An application that answers when it is told to."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.started = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started += 1
        await receive()
        await self.may_end.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def request(path: str = "/v3/sessions/", *, body: list[Message] | None = None) -> tuple[Scope, Receive, list[Message]]:
    """A request, its receive channel, and where the answer goes."""
    headers = [(b"content-length", b"9")] if body else []
    messages: Iterator[Message] = iter(body or [{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        for message in messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError("nothing more arrives")

    return {"type": "http", "path": path, "headers": headers}, receive, []


async def answered(app: Admission, path: str = "/v3/sessions/") -> tuple[int, dict[bytes, bytes]]:
    """Send one request without a body; return status and headers."""
    scope, receive, sent = request(path)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


async def settled(task: asyncio.Task[object]) -> None:
    """Let what can run run."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()


async def test_beyond_the_limit_callers_are_sent_away_at_once_and_let_in_again_afterwards() -> None:
    slow = Slow()
    app = Admission(slow, limit=2)
    waiting = [asyncio.create_task(answered(app)) for _ in range(2)]
    await settled(waiting[0])
    status, headers = await answered(app)
    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert slow.started == 2, "what is refused costs nothing"
    slow.may_end.set()
    assert [(await task)[0] for task in waiting] == [200, 200]
    assert (await answered(app))[0] == 200


async def test_health_and_metrics_are_answered_whatever_happens() -> None:
    slow = Slow()
    app = Admission(slow, limit=1)
    busy = asyncio.create_task(answered(app))
    await settled(busy)
    asked = [asyncio.create_task(answered(app, path)) for path in ("/system/healthcheck/", "/metrics")]
    await settled(asked[0])
    assert slow.started == 3
    slow.may_end.set()
    assert [(await task)[0] for task in (busy, *asked)] == [200, 200, 200]


async def test_body_that_is_still_arriving_takes_nobodys_room() -> None:
    slow = Slow()
    app = Admission(slow, limit=1)
    arriving: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}]
    scope, receive, _ = request(body=arriving)

    async def send(_message: Message) -> None:
        """Nobody reads the answer."""

    uploading = asyncio.create_task(app(scope, receive, send))
    await settled(uploading)
    working = asyncio.create_task(answered(app))
    await settled(working)
    assert slow.started == 2
    slow.may_end.set()
    assert (await working)[0] == 200
    await uploading


async def test_request_that_fails_gives_its_room_back() -> None:
    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("broken")

    app = Admission(failing, limit=1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="broken"):
            await answered(app)
