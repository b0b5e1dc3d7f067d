"""What time does to sessions: Expired, Abandoned, Kyc Expired. Run by a schedule, one process at a time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from ipse.decision.statuses import Cause, SessionStatus
from ipse.runtime.application import Application
from ipse.runtime.scope import SYSTEM, Scope
from ipse.runtime.services import Services
from ipse.sessions import lifecycle
from ipse.sessions.service import expire_if_due
from ipse.storage.tables import ApplicationRow, SessionRow

BATCH = 100
"""Sessions moved in one transaction, so that no lock is held long."""

_DUE = (SessionStatus.NOT_STARTED.value, SessionStatus.IN_PROGRESS.value)


async def sweep(services: Services) -> int:
    """Move every session whose time has come; return how many moved."""
    moved = 0
    while step := await _expire_batch(services) + await _outdate_batch(services):
        moved += step
    return moved


async def _expire_batch(services: Services) -> int:
    now = services.clock.now()
    async with services.database.writing() as tx:
        due = await tx.execute(
            select(SessionRow, ApplicationRow)
            .join(ApplicationRow, ApplicationRow.id == SessionRow.application_id)
            .where(SessionRow.status.in_(_DUE), SessionRow.expires_at <= now, SessionRow.deleted_at.is_(None))
            .order_by(SessionRow.expires_at)
            .limit(BATCH)
            .with_for_update(of=SessionRow, skip_locked=True)
        )
        moved = 0
        for session, application in due.all():
            moved += await expire_if_due(Scope(tx, Application.of(application), services, SYSTEM), session)
    return moved


async def _outdate_batch(services: Services) -> int:
    """Approved sessions whose application limits the validity become ``Kyc Expired``."""
    now = services.clock.now()
    async with services.database.writing() as tx:
        limited = await tx.scalars(select(ApplicationRow).where(ApplicationRow.kyc_validity_days.is_not(None)))
        moved = 0
        for application in limited.all():
            assert application.kyc_validity_days is not None
            scope = Scope(tx, Application.of(application), services, SYSTEM)
            outdated = await tx.scalars(
                select(SessionRow)
                .where(
                    SessionRow.application_id == application.id,
                    SessionRow.status == SessionStatus.APPROVED.value,
                    SessionRow.kind == "HOSTED",
                    SessionRow.decided_at <= now - timedelta(days=application.kyc_validity_days),
                    SessionRow.deleted_at.is_(None),
                )
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
            for session in outdated.all():
                await lifecycle.change(scope, session, SessionStatus.KYC_EXPIRED, Cause.CLOCK)
                moved += 1
    return moved
