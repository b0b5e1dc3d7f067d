"""A receiver for development: what ``ipse listen`` and the demo show, and an example of how to receive correctly.

It verifies the bytes as they arrived and the canonical text rebuilt from them, refuses stale deliveries, answers a
repeated ``event_id`` without handling it again, says where a body that does not verify departs from its canonical
form, and can pass genuine events on to another address.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ipse.clock import Clock, SystemClock
from ipse.security.signatures import SignatureError, SignatureMismatch, VerifiedEvent, verify

LARGEST_BODY: Final = 4 * 2**20
"""No event is this large; whoever sends more is not our sender."""

_REMEMBERED_EVENTS: Final = 10_000
_FORWARD_TIMEOUT_S: Final = 4.0
"""Below the sender's 5 s, so that a slow target is reported as what it is."""


class Verdict(StrEnum):
    """What became of one delivery."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    NOT_FORWARDED = "not_forwarded"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery as the receiver saw it.

    ``event`` is set when the signature holds, ``error`` when it does not; ``forwarded`` is the status that the forward
    address answered with.
    """

    verdict: Verdict
    body: bytes
    event: VerifiedEvent | None = None
    error: SignatureError | None = None
    forwarded: int | None = None

    @property
    def explanation(self) -> str:
        """One sentence for people."""
        if self.error is not None:
            return str(self.error)
        assert self.event is not None
        match self.verdict:
            case Verdict.DUPLICATE:
                return f"Event {self.event.event_id} was received before."
            case Verdict.NOT_FORWARDED:
                return f"Event {self.event.event_id} is genuine but could not be passed on; the sender will repeat it."
            case _:
                recipes = [
                    name for name, held in (("raw", self.event.raw), ("canonical", self.event.canonical)) if held
                ]
                return f"Event {self.event.event_id} is genuine ({' and '.join(recipes)} bytes)."


class Receiver:
    """An ASGI application that takes deliveries at any path."""

    def __init__(
        self,
        secrets: Sequence[str],
        *,
        on_receipt: Callable[[Receipt], None] = lambda _receipt: None,
        forward_to: str | None = None,
        clock: Clock | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Args:
            secrets: every secret that may have signed, such as the old and the new one around a change.
            on_receipt: told of every delivery, genuine or not.
            forward_to: where genuine events are posted on, with body and headers as they came.
            transport: replaces the network of the forwarding client in tests.
        """
        if not secrets:
            raise ValueError("a receiver needs at least one secret")
        self._secrets = tuple(secrets)
        self._on_receipt = on_receipt
        self._forward_to = forward_to
        self._clock = clock or SystemClock()
        self._transport = transport
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def receive(self, headers: dict[str, str], body: bytes) -> Receipt:
        """Judge one delivery and, if it is genuine and new, pass it on."""
        receipt = await self._judge(headers, body)
        self._on_receipt(receipt)
        return receipt

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return JSONResponse({"detail": "Webhooks arrive by POST."}, 405, {"Allow": "POST"})
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return JSONResponse({"detail": "The body is too large to be an event."}, 413)
        receipt = await self.receive(dict(request.headers), bytes(body))
        match receipt.verdict:
            case Verdict.REFUSED:
                assert receipt.error is not None
                return JSONResponse({"detail": "The signature does not hold.", "error_code": receipt.error.code}, 401)
            case Verdict.NOT_FORWARDED:
                return JSONResponse({"detail": "The event could not be passed on."}, 502)
            case _:
                return JSONResponse({"received": True, "duplicate": receipt.verdict is Verdict.DUPLICATE})

    async def _judge(self, headers: dict[str, str], body: bytes) -> Receipt:
        try:
            event = self._verified(headers, body)
        except SignatureError as error:
            return Receipt(Verdict.REFUSED, body, error=error)
        if event.event_id and event.event_id in self._seen:
            return Receipt(Verdict.DUPLICATE, body, event)
        forwarded: int | None = None
        if self._forward_to is not None:
            forwarded = await self._forward(self._forward_to, headers, body)
            if forwarded is None or not 200 <= forwarded < 300:
                # Not remembered: the sender repeats it, and then it is passed on again.
                return Receipt(Verdict.NOT_FORWARDED, body, event, forwarded=forwarded)
        self._remember(event.event_id)
        return Receipt(Verdict.ACCEPTED, body, event, forwarded=forwarded)

    def _verified(self, headers: dict[str, str], body: bytes) -> VerifiedEvent:
        now = int(self._clock.now().timestamp())
        *others, last = self._secrets
        for secret in others:
            try:
                return verify(secret, headers, body, now=now)
            except SignatureMismatch:
                continue
        return verify(last, headers, body, now=now)

    def _remember(self, event_id: str) -> None:
        self._seen[event_id] = None
        while len(self._seen) > _REMEMBERED_EVENTS:
            self._seen.popitem(last=False)

    async def _forward(self, url: str, headers: dict[str, str], body: bytes) -> int | None:
        passed_on = {name: value for name, value in headers.items() if name.lower().startswith(("x-", "webhook-"))}
        try:
            async with httpx2.AsyncClient(timeout=_FORWARD_TIMEOUT_S, transport=self._transport) as client:
                response = await client.post(
                    url, content=body, headers={**passed_on, "content-type": "application/json"}
                )
        except httpx2.HTTPError:
            return None
        return response.status_code


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
