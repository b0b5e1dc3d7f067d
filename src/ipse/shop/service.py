"""The demo shop as an integrator: its key, its workflows, its webhook destination, and what arrived there.

It calls the public interface of the very application that serves it, without the network in between, and keeps what it
knows in memory: whoever restarts the server begins with an empty shop. Only the application stays (``accounts.demo``).
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from ipse.accounts.demo import open_demo_application
from ipse.capture.schemas import Method
from ipse.edge.errors import ApiError, NotFound, Unavailable
from ipse.runtime.services import Services
from ipse.shop import sample
from ipse.shop.schemas import ArrivedEvent, OpenedSession, Who
from ipse.webhooks.receiver import Receiver, Verdict

WEBHOOK_PATH: Final = "/demo/webhook"
TRANSFER: Final = {
    "type": "transfer",
    "amount": "1250.00",
    "currency": "EUR",
    "payee": "ACME GmbH",
    "account": "DE89 3704 0044 0532 3421",
}
"""The action that the step-up authorises (docs/step-up.md)."""

_MOST_SESSIONS: Final = 500
"""Remembered at once; the oldest are forgotten first."""
_METHODS: Final[tuple[Method, ...]] = ("PASSIVE", "ACTIVE_3D", "FLASHING")
_SHOWN_HEADERS: Final = ("content-type", "user-agent")
_PORTRAITS: Final = {"enrolment": "obama_1", "same": "obama_2", "other": "biden_1"}
"""The same person comes back in another picture, on another day."""


@dataclass
class Visit:
    """One session of the shop and the webhooks that arrived for it."""

    session: str
    token: str
    kind: str
    """``enrolment`` or ``transfer``."""
    events: list[ArrivedEvent] = field(default_factory=list)
    submitted_at: float | None = None


@dataclass(frozen=True)
class Integration:
    """What an integrator keeps: a client with its key, and the receiver with its secret."""

    client: AsyncClient
    receiver: Receiver


class Shop:
    """The demo shop of one process."""

    def __init__(self, app: FastAPI, services: Services) -> None:
        self._app = app
        self._services = services
        self._opening = asyncio.Lock()
        self._playing = asyncio.Lock()
        self._integration: Integration | None = None
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._arrived = asyncio.Condition()

    async def enrol(self) -> OpenedSession:
        """Create a session that enrols a new customer when it is approved."""
        return await self._open("enrolment", None, f"demo-{secrets.token_hex(8)}", {})

    async def transfer(self, customer: str, method: Method) -> OpenedSession:
        """Create a session in which a customer confirms the transfer."""
        return await self._open("transfer", method, customer, {"action": TRANSFER})

    async def forget(self, customer: str) -> None:
        """Delete a customer with every face, picture and session of theirs."""
        client = (await self._integrated()).client
        listed = _answer(await client.get("/v3/sessions/", params={"vendor_data": customer, "limit": 100}))
        for session in listed["results"]:
            self._visits.pop(session["session_id"], None)
            await client.delete(f"/v3/session/{session['session_id']}/delete/")
        _answer(await client.post("/v3/users/delete/", json={"vendor_data_list": [customer]}))

    async def play(self, session: str, who: Who) -> str:
        """Let a sample face go through a session; return its status. One plays at a time."""
        visit = self._visit(session)
        client = (await self._integrated()).client

        async def post(path: str, **call: Any) -> dict[str, Any]:
            answer: dict[str, Any] = _answer(await client.post(path, headers={"Session-Token": visit.token}, **call))
            return answer

        def submitting() -> None:
            visit.submitted_at = time.perf_counter()

        name = _PORTRAITS["enrolment" if visit.kind == "enrolment" and who == "same" else who]
        async with self._playing:
            face = await asyncio.to_thread(sample.SampleFace.of, name)
            return await sample.play(face, post, submitting)

    async def events(self, session: str, after: int, patience_s: float) -> list[ArrivedEvent]:
        """Every webhook of a session, waiting for more than ``after`` of them for as long as ``patience_s``."""
        visit = self._visit(session)
        try:
            async with asyncio.timeout(patience_s), self._arrived:
                await self._arrived.wait_for(lambda: len(visit.events) > after)
        except TimeoutError:
            pass
        return list(visit.events)

    async def receive(self, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Take a delivery. Only what verifies is kept, and each event once."""
        at = time.perf_counter()
        if self._integration is None:
            return Verdict.REFUSED
        receipt = await self._integration.receiver.receive(dict(headers), body)
        event = receipt.event
        visit = self._visits.get(event.session_id) if event is not None else None
        if receipt.verdict is Verdict.ACCEPTED and event is not None and visit is not None:
            approves = (event.webhook_type, event.status) == ("status.updated", "Approved")
            arrived = ArrivedEvent(
                status=event.status,
                webhook_type=event.webhook_type,
                headers={name: text for name, text in headers.items() if _is_shown(name)},
                body=body.decode(),
                raw=event.raw,
                canonical=event.canonical,
                claims=await self._redeem(visit) if approves and visit.kind == "transfer" else None,
                after_ms=None if visit.submitted_at is None else round((at - visit.submitted_at) * 1000, 1),
            )
            async with self._arrived:
                visit.events.append(arrived)
                self._arrived.notify_all()
        return receipt.verdict

    async def _redeem(self, visit: Visit) -> dict[str, Any] | None:
        """Use the approval up for the transfer, as before money moves; None when it holds no more."""
        client = (await self._integrated()).client
        try:
            verdict = _answer(await client.post("/v3/step-up/verdict/", json={"session_id": visit.session}))
            body = {"token": verdict["token"], "action": TRANSFER}
            claims: dict[str, Any] = _answer(await client.post("/v3/step-up/redeem/", json=body))["claims"]
        except ApiError:
            return None
        return claims

    def _visit(self, session: str) -> Visit:
        visit = self._visits.get(session)
        if visit is None:
            raise NotFound("The shop does not know this session. It forgets when the server restarts: begin again.")
        return visit

    async def _open(self, kind: str, method: Method | None, customer: str, more: Mapping[str, Any]) -> OpenedSession:
        body = {"workflow_id": _slug(method), "vendor_data": customer, **more}
        created = _answer(await (await self._integrated()).client.post("/v3/session/", json=body))
        visit = Visit(str(created["session_id"]), str(created["session_token"]), kind)
        self._visits[visit.session] = visit
        while len(self._visits) > _MOST_SESSIONS:
            self._visits.popitem(last=False)
        url, curl = str(created["url"]), self._curl(body)
        return OpenedSession(session=visit.session, customer=customer, url=url, curl=curl)

    def _curl(self, body: Mapping[str, Any]) -> str:
        text = json.dumps(body, indent=2)
        return (
            f"curl {self._address}/v3/session/ \\\n  -H 'content-type: application/json' \\\n"
            f"  -H \"x-api-key: $IPSE_KEY\" \\\n  -d '{text}'"
        )

    @property
    def _address(self) -> str:
        return self._services.settings.public_url.rstrip("/")

    async def _integrated(self) -> Integration:
        """What an integrator sets up once. Raises :class:`Unavailable` where no face can be examined."""
        if self._services.faces is None:
            raise Unavailable("The face models are not installed. Run `ipse models pull`, then restart the server.", 60)
        async with self._opening:
            if self._integration is None:
                self._integration = await self._set_up()
            return self._integration

    async def _set_up(self) -> Integration:
        key = await open_demo_application(self._services)
        client = AsyncClient(
            transport=ASGITransport(self._app), base_url=self._address, headers={"x-api-key": key}, timeout=60
        )
        known = {one["slug"] for one in _answer(await client.get("/v3/workflows/", params={"limit": 100}))["results"]}
        for method in (None, *_METHODS):
            if _slug(method) not in known:
                _answer(await client.post("/v3/workflows/", json=_workflow(method)))
        return Integration(client, Receiver([await self._secret(client)], on_receipt=lambda receipt: None))

    async def _secret(self, client: AsyncClient) -> str:
        """The secret of the webhook destination that points here. One that points elsewhere is from another address."""
        url = self._address + WEBHOOK_PATH
        for earlier in _answer(await client.get("/v3/webhook/destinations/")):
            path = f"/v3/webhook/destinations/{earlier['uuid']}/"
            if earlier["url"] == url and earlier["enabled"]:
                return str(_answer(await client.get(path))["secret_shared_key"])
            await client.delete(path)
        destination = await client.post("/v3/webhook/destinations/", json={"label": "Demo shop", "url": url})
        return str(_answer(destination)["secret_shared_key"])


def _slug(method: Method | None) -> str:
    return f"demo-transfer-{method.lower().replace('_', '-')}" if method else "demo-enrolment"


def _workflow(method: Method | None) -> dict[str, Any]:
    """The workflow that confirms a transfer with ``method``; None: the one that enrols."""
    liveness = {"feature": "LIVENESS", "config": {"face_liveness_method": method or "PASSIVE"}}
    return {
        "workflow_label": f"Demo: confirm with {method}" if method else "Demo: enrol",
        "slug": _slug(method),
        "features": [liveness, {"feature": "FACE_MATCH"}] if method else [liveness],
        "face_match_max_attempts": 1,
    }


def _is_shown(name: str) -> bool:
    return name in _SHOWN_HEADERS or name.startswith(("x-signature", "x-timestamp", "x-ipse", "webhook-"))


def _answer(response: Response) -> Any:
    """The JSON of an answer; an answer other than success is passed on as it is."""
    if not response.is_success:
        waiting = response.headers.get("retry-after")
        raise ApiError(response.status_code, response.json(), {"Retry-After": waiting} if waiting else None)
    return response.json()
