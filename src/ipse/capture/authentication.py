"""A capture device proves itself with the session token of the hosted link."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader
from sqlalchemy import select
from starlette.requests import Request

from ipse.edge.authentication import count_request
from ipse.edge.errors import Forbidden
from ipse.edge.unit import Unit, services_of, unit_of
from ipse.runtime.application import Application
from ipse.runtime.scope import Actor, Scope
from ipse.runtime.services import Services
from ipse.security.tokens import digest
from ipse.storage.database import Transaction
from ipse.storage.tables import ApplicationRow, SessionRow

PERSON = Actor("SYSTEM", "Person in front of the camera")
_TOKEN = re.compile(r"^[A-Za-z0-9_-]{12}$")
_scheme = APIKeyHeader(name="Session-Token", scheme_name="SessionToken", auto_error=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that holds the token of one session."""

    session_id: str
    application: Application
    unit: Unit
    services: Services

    async def begin(self) -> Scope:
        """Open the writing transaction; models have run by then."""
        return Scope(await self.unit.begin(write=True), self.application, self.services, PERSON)

    def within(self, tx: Transaction) -> Scope:
        """The scope on a short reading transaction."""
        return Scope(tx, self.application, self.services, PERSON)


async def capture_device(request: Request, token: Annotated[str | None, Depends(_scheme)]) -> Device:
    """Dependency: the session that the ``Session-Token`` header opens; 403 for anything else."""
    if token is None or not _TOKEN.fullmatch(token):
        raise Forbidden
    unit = unit_of(request)
    async with unit.peek() as tx:
        found = (
            await tx.execute(
                select(SessionRow.id, ApplicationRow)
                .join(ApplicationRow, ApplicationRow.id == SessionRow.application_id)
                .where(SessionRow.token_hash == digest(token), SessionRow.deleted_at.is_(None))
            )
        ).one_or_none()
    if found is None:
        raise Forbidden
    session_id, application = found
    count_request(request, f"session:{session_id}")
    return Device(session_id, Application.of(application), unit, services_of(request))


DeviceParam = Annotated[Device, Depends(capture_device)]
