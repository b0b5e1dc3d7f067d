"""Events, destinations and a receiver that needs no network."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ipse.clock import ManualClock
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.outbound import OutboundClient, OutboundError, OutboundResponse
from ipse.storage.tables import DeliveryRow, DestinationRow
from ipse.webhooks import destinations, queue, service
from ipse.webhooks.delivery import DeliveryWorker
from ipse.webhooks.schemas import NewDestination
from tests.services.applications import RegisteredApplication


@dataclass(frozen=True)
class Sent:
    """One attempt as it would have gone over the wire."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    allow_private: bool

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def status(self) -> str:
        return str(self.json["status"])


@dataclass
class Wire(OutboundClient):
    """Answers attempts from a list; afterwards, and for other URLs, 200."""

    sent: list[Sent] = field(default_factory=list)
    answers: dict[str, list[int | OutboundError]] = field(default_factory=dict)
    breaks: Exception | None = None
    holds: dict[str, asyncio.Event] = field(default_factory=dict)
    """URLs that answer only once this is set."""
    reached: dict[str, asyncio.Event] = field(default_factory=dict)
    """Set when the URL is called."""

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool = False
    ) -> OutboundResponse:
        if self.breaks is not None:
            raise self.breaks
        self.sent.append(Sent(url, body, headers, allow_private))
        if url in self.reached:
            self.reached[url].set()
        if url in self.holds:
            await self.holds[url].wait()
        waiting = self.answers.get(url, [])
        answer = waiting.pop(0) if waiting else 200
        if isinstance(answer, OutboundError):
            raise answer
        return OutboundResponse(answer, {}, b"answer \x00 text" * 300, truncated=False, milliseconds=12)

    async def close(self) -> None:
        """There is nothing to close."""

    def statuses(self, url: str | None = None) -> list[str]:
        return [sent.status for sent in self.sent if url in (None, sent.url)]


class Post:
    """An application with its destinations, events and workers."""

    URL = "https://shop.example.org/hooks"

    def __init__(self, services: Services, application: RegisteredApplication, clock: ManualClock) -> None:
        self.services = services
        self.application = application
        self.clock = clock
        self.wire = Wire()

    def worker(self) -> DeliveryWorker:
        return DeliveryWorker(self.services, client=self.wire, chance=lambda: 0.5)

    async def destination(self, url: str = URL, *names: str) -> str:
        async with self.services.database.writing() as tx:
            scope = Scope(tx, self.application.application, self.services)
            wanted = NewDestination(url=url, subscribed_events=list(names) or None)
            return (await destinations.create(scope, wanted)).id

    async def event(
        self,
        session_id: str | None,
        version: int | None,
        status: str | None,
        kind: str = "status.updated",
        **extra: Any,
    ) -> str:
        async with self.services.database.writing() as tx:
            return await service.record_event(
                Scope(tx, self.application.application, self.services),
                session_id=session_id,
                session_version=version,
                webhook_type=kind,
                status=status,
                payload={"session_id": session_id, "status": status, "metadata": {"note": "é"}, **extra},
            )

    async def deliveries(self) -> list[DeliveryRow]:
        from sqlalchemy import select

        async with self.services.database.reading() as tx:
            return list(await tx.scalars(select(DeliveryRow).order_by(DeliveryRow.position, DeliveryRow.created_at)))

    async def states(self) -> list[str]:
        return [row.state for row in await self.deliveries()]

    async def destination_row(self, destination_id: str) -> DestinationRow:
        async with self.services.database.reading() as tx:
            row = await tx.get(DestinationRow, destination_id)
        assert row is not None
        return row


@pytest.fixture
def post(services: Services, application: RegisteredApplication, clock: ManualClock) -> Post:
    return Post(services, application, clock)


@pytest.fixture
def session_id() -> str:
    return str(uuid.uuid4())


def room(**limits: Any) -> queue.Room:
    """A worker with all the room it wants, but for ``limits``."""
    plenty: dict[str, Any] = {
        "free": 99,
        "busy": {},
        "failing": 0,
        "per_destination": 99,
        "per_failing_destination": 99,
        "all_failing": 99,
    }
    return queue.Room(**{**plenty, **limits})
