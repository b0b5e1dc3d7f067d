"""Admission: a process takes on as many requests as it can finish soon, and sends the others away at once.

Without it an overloaded process accepts everything, and everybody waits longer than they are willing to: measured at
three times the capacity, the slowest answers took half a minute and the queue outlived the load by three quarters of
one (``bench/overload.py``). A request counts from the moment its body has arrived, so that people on slow lines, whose
pictures take seconds to come in and cost nothing meanwhile, do not use up the room of others.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = ("/system/", "/metrics")
"""Load balancers and monitoring are answered whatever happens."""
_RETRY_AFTER_S: Final = "1"

_WORKING = Gauge("ipse_working_requests", "Requests whose body has arrived and whose answer is not finished")
_REFUSED = Gauge("ipse_refused_requests", "Requests sent away since the start because too many were at work")


class Admission:
    """Refuse requests with 503 and ``Retry-After`` while ``limit`` others are being worked on."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_ALWAYS):
            await self._app(scope, receive, send)
            return
        if self._working >= self._limit:
            _REFUSED.inc()
            answer = JSONResponse(
                {"detail": "The service is at capacity. Please try again."}, 503, {"Retry-After": _RETRY_AFTER_S}
            )
            await answer(scope, receive, send)
            return
        counted = False

        def count() -> None:
            nonlocal counted
            if not counted:
                counted = True
                self._working += 1
                _WORKING.set(self._working)

        async def counting_receive() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                count()
            return message

        if not _has_body(scope):
            count()
        try:
            await self._app(scope, counting_receive, send)
        finally:
            if counted:
                self._working -= 1
                _WORKING.set(self._working)


def _has_body(scope: Scope) -> bool:
    """Whether the request announces a body: its endpoint may never ask for an empty one."""
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
