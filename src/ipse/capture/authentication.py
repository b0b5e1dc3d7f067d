"""A capture device proves itself with the session token of the hosted link, or with the one a hand-off gave it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Literal

from fastapi import Depends
from fastapi.security import APIKeyHeader
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import load_only
from starlette.requests import Request

from ipse.capture.errors import LinkExpired
from ipse.decision.statuses import UNFINISHED, SessionStatus
from ipse.edge.authentication import count_request
from ipse.edge.errors import Forbidden
from ipse.edge.unit import Unit, services_of, unit_of
from ipse.runtime.application import Application
from ipse.runtime.live_traffic import require_real_keys
from ipse.runtime.scope import Actor, Scope
from ipse.runtime.services import Services
from ipse.security.tokens import digest
from ipse.storage.database import Transaction
from ipse.storage.tables import ApplicationRow, HandoffRow, SessionRow

Role = Literal["first", "second"]

PERSON = Actor("SYSTEM", "Person in front of the camera")
RESULT_READABLE: Final = timedelta(minutes=5)
"""So long after the end of a session its second device may still read the result."""
SEEN_AT_MOST_EVERY: Final = timedelta(seconds=5)
"""A sign of life is written at most so often: the second device polls more than once in this time."""
_TOKEN: Final = re.compile(r"^[A-Za-z0-9_-]{12}(?:[A-Za-z0-9_-]{10})?$")
"""12 characters: the link of the session. 22: a second device."""
_scheme = APIKeyHeader(name="Session-Token", scheme_name="SessionToken", auto_error=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that holds a token of one session."""

    session_id: str
    application: Application
    unit: Unit
    services: Services
    role: Role = "first"
    """``second``: the device that opened the link of a hand-off."""
    handoff_id: str | None = None
    """The hand-off that gave the second device its token; None for the first."""

    async def begin(self) -> Scope:
        """Open the writing transaction; models have run by then."""
        return Scope(await self.unit.begin(write=True), self.application, self.services, PERSON)

    def within(self, tx: Transaction) -> Scope:
        """The scope on a short reading transaction."""
        return Scope(tx, self.application, self.services, PERSON)


async def capture_device(request: Request, token: Annotated[str | None, Depends(_scheme)]) -> Device:
    """Dependency: the session that the ``Session-Token`` header opens; 403 for anything else.

    410 for the second device of a session that ended :data:`RESULT_READABLE` ago.
    """
    if token is None or not _TOKEN.fullmatch(token):
        raise Forbidden
    unit = unit_of(request)
    handoff = None
    async with unit.peek() as tx:
        found = await _first(tx, token)
        if found is None:
            found, handoff = await _second(tx, token)
    if found is None:
        raise Forbidden
    session, application = found
    await count_request(request, f"session:{session.id}")
    services = services_of(request)
    require_real_keys(services.settings, Application.of(application))
    if handoff is None:
        return Device(session.id, Application.of(application), unit, services)
    _require_readable(session, services)
    await _note_sign_of_life(handoff, services)
    return Device(session.id, Application.of(application), unit, services, "second", handoff.id)


_OPENED: Final = load_only(
    SessionRow.id, SessionRow.status, SessionRow.decided_at, SessionRow.expires_at, raiseload=True
)
"""What the token alone is judged by; whoever goes on loads the whole row in a transaction of their own."""

_BY_TOKEN: Final = (
    select(SessionRow, ApplicationRow)
    .join(ApplicationRow, ApplicationRow.id == SessionRow.application_id)
    .where(SessionRow.token_hash == bindparam("token_hash"), SessionRow.deleted_at.is_(None))
    .options(_OPENED)
)


async def _first(tx: Transaction, token: str) -> tuple[SessionRow, ApplicationRow] | None:
    found = (await tx.execute(_BY_TOKEN, {"token_hash": digest(token)})).one_or_none()
    if found is None:
        return None
    session, application = found
    return session, application


async def _second(
    tx: Transaction, token: str
) -> tuple[tuple[SessionRow, ApplicationRow], HandoffRow] | tuple[None, None]:
    found = (
        await tx.execute(
            select(SessionRow, ApplicationRow, HandoffRow)
            .join(ApplicationRow, ApplicationRow.id == SessionRow.application_id)
            .join(HandoffRow, HandoffRow.session_id == SessionRow.id)
            .where(HandoffRow.device_hash == digest(token), SessionRow.deleted_at.is_(None))
            .options(_OPENED)
        )
    ).one_or_none()
    if found is None:
        return None, None
    session, application, handoff = found
    return (session, application), handoff


def _require_readable(session: SessionRow, services: Services) -> None:
    if SessionStatus(session.status) in UNFINISHED:
        return
    if (session.decided_at or session.expires_at) + RESULT_READABLE <= services.clock.now():
        raise LinkExpired


async def _note_sign_of_life(handoff: HandoffRow, services: Services) -> None:
    """Keep the second device in charge while it calls; see :data:`ipse.capture.handoffs.IDLE`."""
    now = services.clock.now()
    if handoff.state == "ended" or (handoff.last_seen_at or now) > now - SEEN_AT_MOST_EVERY:
        return
    async with services.database.writing() as tx:
        await tx.execute(update(HandoffRow).where(HandoffRow.id == handoff.id).values(last_seen_at=now))


DeviceParam = Annotated[Device, Depends(capture_device)]
