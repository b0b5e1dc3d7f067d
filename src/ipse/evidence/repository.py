"""Rows that a replay and a pack are made of, within one application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ipse.runtime.scope import Scope
from ipse.storage.database import Transaction
from ipse.storage.tables import (
    ApplicationRow,
    DeliveryRow,
    EventRow,
    MediaRow,
    ReportRow,
    ReviewRow,
    SessionRow,
    VerdictRow,
    WorkflowContentRow,
    WorkflowVersionRow,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """An event of a session with its deliveries."""

    event: EventRow
    deliveries: Sequence[DeliveryRow]


async def owner(tx: Transaction, session_id: str) -> ApplicationRow | None:
    """The application of a session, for an operator at the command line."""
    row: ApplicationRow | None = await tx.scalar(
        select(ApplicationRow)
        .join(SessionRow, SessionRow.application_id == ApplicationRow.id)
        .where(SessionRow.id == session_id, SessionRow.deleted_at.is_(None))
    )
    return row


async def reports_of(scope: Scope, session_id: str) -> Sequence[ReportRow]:
    """Reports in the order in which the steps were first reached."""
    found = await scope.tx.scalars(
        select(ReportRow)
        .where(ReportRow.session_id == session_id)
        .order_by(ReportRow.created_at, ReportRow.position, ReportRow.node_id)
    )
    return found.all()


async def reviews_of(scope: Scope, session_id: str) -> Sequence[ReviewRow]:
    """The trail of a session, oldest first."""
    found = await scope.tx.scalars(
        select(ReviewRow).where(ReviewRow.session_id == session_id).order_by(ReviewRow.sequence)
    )
    return found.all()


async def workflow_content(scope: Scope, digest: str) -> WorkflowContentRow | None:
    """Graph and settings by their digest."""
    return await scope.tx.get(WorkflowContentRow, (scope.application_id, digest))


async def workflow_version(scope: Scope, workflow_id: str, number: int) -> WorkflowVersionRow | None:
    """A version of a workflow by its number."""
    row: WorkflowVersionRow | None = await scope.tx.scalar(
        select(WorkflowVersionRow).where(
            WorkflowVersionRow.application_id == scope.application_id,
            WorkflowVersionRow.workflow_id == workflow_id,
            WorkflowVersionRow.version == number,
        )
    )
    return row


async def workflow_version_by_id(scope: Scope, version_id: str) -> WorkflowVersionRow | None:
    """A version of the application by its uuid."""
    row: WorkflowVersionRow | None = await scope.tx.scalar(
        select(WorkflowVersionRow).where(
            WorkflowVersionRow.application_id == scope.application_id, WorkflowVersionRow.id == version_id
        )
    )
    return row


async def media_of(scope: Scope, session_id: str) -> Sequence[MediaRow]:
    """Images of a session, oldest first."""
    found = await scope.tx.scalars(
        select(MediaRow)
        .where(MediaRow.application_id == scope.application_id, MediaRow.session_id == session_id)
        .order_by(MediaRow.created_at, MediaRow.id)
    )
    return found.all()


async def sent_of(scope: Scope, session_id: str) -> Sequence[Sent]:
    """Events of a session in order, with their deliveries."""
    events = await scope.tx.scalars(
        select(EventRow)
        .where(EventRow.application_id == scope.application_id, EventRow.session_id == session_id)
        .order_by(EventRow.occurred_at, EventRow.session_version, EventRow.id)
    )
    rows = events.all()
    deliveries = await scope.tx.scalars(
        select(DeliveryRow)
        .where(DeliveryRow.event_id.in_([row.id for row in rows]))
        .order_by(DeliveryRow.created_at, DeliveryRow.id)
    )
    by_event: dict[str, list[Any]] = {}
    for one in deliveries:
        by_event.setdefault(one.event_id, []).append(one)
    return [Sent(row, by_event.get(row.id, [])) for row in rows]


async def verdicts_of(scope: Scope, session_id: str) -> Sequence[VerdictRow]:
    """Verdicts issued on a session, oldest first."""
    found = await scope.tx.scalars(
        select(VerdictRow)
        .where(VerdictRow.application_id == scope.application_id, VerdictRow.session_id == session_id)
        .order_by(VerdictRow.issued_at, VerdictRow.id)
    )
    return found.all()
