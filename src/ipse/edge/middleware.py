"""Pure ASGI layers around the application: URL form, request id, logs, metrics, security headers."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("ipse.requests")

REQUESTS = Counter("ipse_http_requests", "Requests answered", ["method", "route", "status"])
DURATION = Histogram(
    "ipse_http_request_seconds",
    "Time from the first byte in to the last byte out",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)

_SLASHED_PREFIXES = ("/v1/", "/v2/", "/v3/", "/auth/", "/system/")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


class TrailingSlash:
    """Serve ``/v3/x`` and ``/v3/x/`` alike: a redirect would lose the body of a POST (contract 00, "URL form").

    The scope is changed in place: the router writes the matched route into it, and the layers outside read it there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith(_SLASHED_PREFIXES) and not path.endswith("/"):
                scope["path"] = path + "/"
        await self._app(scope, receive, send)


class Observation:
    """Give every request an id, one log line without personal data, and its place in the metrics.

    The log names the route template, never the path: paths can carry ``vendor_data`` and tokens.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool = False) -> None:
        self._app = app
        self._headers = _SECURITY_HEADERS | (_ONLY_HTTPS if is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})
        started = time.perf_counter()
        status = 500

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = {"x-request-id": request_id, **scope["state"].get("rate_limit_headers", {})}
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in {**self._headers, **extra}.items()
                        if name.lower().encode() not in present
                    ),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_observed)
            finally:
                seconds = time.perf_counter() - started
                route = getattr(scope.get("route"), "path", "unrouted")
                REQUESTS.labels(scope["method"], route, status).inc()
                DURATION.labels(scope["method"], route).observe(seconds)
                log.info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    ms=round(seconds * 1000, 1),
                    application=scope["state"].get("application_id"),
                )


_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
"""What every answer carries unless its endpoint says otherwise: nothing that a browser could run, frame or share."""

_ONLY_HTTPS = {"strict-transport-security": "max-age=63072000; includeSubDomains"}
