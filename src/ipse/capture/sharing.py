"""Share links: one address for everybody, a session of the workflow for each who opens it (contract 80 section 1)."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from typing import Final

from sqlalchemy import select

from ipse.capture.authentication import PERSON
from ipse.capture.schemas import SharedSession
from ipse.edge.authentication import Caller
from ipse.edge.errors import BusinessRuleError, NotFound
from ipse.edge.unit import Unit
from ipse.runtime.application import Application
from ipse.sessions import service
from ipse.sessions.schemas import CreateSession
from ipse.storage.tables import ApplicationRow, WorkflowRow

_CODE: Final = re.compile(r"^[A-Za-z0-9_-]{22}$")


def workflow_of(code: str) -> str:
    """Return the workflow's id from its 16 bytes in base64url without padding; NotFound for anything else."""
    if not _CODE.fullmatch(code):
        raise NotFound
    try:
        return str(uuid.UUID(bytes=base64.urlsafe_b64decode(code + "==")))
    except (binascii.Error, ValueError):
        raise NotFound from None


async def caller_of(unit: Unit, code: str) -> tuple[Caller, str]:
    """Return the application that the link belongs to, and the workflow; NotFound when there is none."""
    workflow_id = workflow_of(code)
    async with unit.peek() as tx:
        row = await tx.scalar(
            select(ApplicationRow)
            .join(WorkflowRow, WorkflowRow.application_id == ApplicationRow.id)
            .where(WorkflowRow.id == workflow_id)
        )
    if row is None:
        raise NotFound
    return Caller(Application.of(row), PERSON, unit, unit.services), workflow_id


async def create(caller: Caller, workflow_id: str) -> SharedSession:
    """Create a session of the published workflow with its own callback, for a person nobody knows yet.

    NotFound where nothing is published, and for workflows that compare with a stored face: a stranger has none.
    """
    try:
        made = await service.create(caller, CreateSession(workflow_id=workflow_id))
    except BusinessRuleError:
        raise NotFound from None
    return SharedSession(session_token=made["session_token"], url=made["url"])
