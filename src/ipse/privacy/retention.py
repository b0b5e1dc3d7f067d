"""Erasing what is older than an application keeps it: sessions, and what was seen without one.

A run goes in small transactions, each of which leaves things whole: whoever continues after a crash finds the rest
still due. A session that the person may still act on is never due. The reference that a person is compared with is not
the session's any more: it stays while the person has a session that is kept, and goes with the last of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import and_, delete, select, update

from ipse.media import service as media
from ipse.privacy import due, erasure
from ipse.privacy.due import Due, Limit
from ipse.privacy.receipts import Reason
from ipse.runtime.application import Application
from ipse.runtime.scope import SYSTEM, Scope
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import (
    ApplicationRow,
    EvaluationRow,
    FaceRow,
    MediaRow,
    RetentionRunRow,
    SessionRow,
    SightingRow,
)

log = structlog.get_logger(__name__)

SESSIONS_AT_ONCE: Final = 20
"""Sessions of one transaction: on SQLite nobody else writes meanwhile."""
ROWS_AT_ONCE: Final = 1_000


async def run(services: Services, application_id: str, *, dry: bool = False) -> RetentionRunRow | None:
    """Erase what is due, or with ``dry`` only say how much that is; None when the application keeps everything or
    nothing is due. A run that a crash ended is continued and reported as one."""
    found = await due.what_is_due(services, application_id)
    if found is None or (found.is_empty and not dry):
        return None
    if dry:
        async with services.database.writing() as tx:
            return _new_run(tx, services, found, is_dry=True)
    run_id = await _begin(services, application_id)
    while await _erase_sessions(services, application_id, run_id):
        pass
    for erase in (_erase_rows, _erase_references):
        while await erase(services, application_id, run_id):
            pass
    async with services.database.writing() as tx:
        row = await tx.get_one(RetentionRunRow, run_id)
        row.finished_at = services.clock.now()
        log.info("privacy.retention_ran", application_id=application_id, **row.report)
    return row


async def runs(tx: Transaction, application_id: str, limit: int = 20) -> Sequence[RetentionRunRow]:
    """The latest runs of an application, dry ones included."""
    found = await tx.scalars(
        select(RetentionRunRow)
        .where(RetentionRunRow.application_id == application_id)
        .order_by(RetentionRunRow.started_at.desc(), RetentionRunRow.id)
        .limit(limit)
    )
    return found.all()


async def _begin(services: Services, application_id: str) -> str:
    async with services.database.writing() as tx:
        interrupted = await tx.scalar(
            select(RetentionRunRow.id)
            .where(
                RetentionRunRow.application_id == application_id,
                RetentionRunRow.finished_at.is_(None),
                RetentionRunRow.is_dry.is_(False),
            )
            .order_by(RetentionRunRow.started_at.desc())
            .limit(1)
        )
        if interrupted is not None:
            return str(interrupted)
        return _new_run(tx, services, Due(application_id, {}), is_dry=False).id


def _new_run(tx: Transaction, services: Services, found: Due, *, is_dry: bool) -> RetentionRunRow:
    now = services.clock.now()
    row = RetentionRunRow(
        id=services.identifiers.uuid(),
        application_id=found.application_id,
        started_at=now,
        finished_at=now if is_dry else None,
        is_dry=is_dry,
        report=dict(found.counts),
    )
    tx.add(row)
    return row


async def _erase_sessions(services: Services, application_id: str, run_id: str) -> int:
    async with services.database.writing() as tx:
        found = await _scope(tx, services, application_id)
        if found is None:
            return 0
        scope, limit = found
        old = await tx.scalars(
            select(SessionRow)
            .where(due.sessions(limit))
            .order_by(SessionRow.created_at, SessionRow.id)
            .limit(SESSIONS_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        rows = old.all()
        await _hand_over_references(scope, [row.id for row in rows], limit)
        destroyed: Counter[str] = Counter()
        for row in rows:
            receipt = await erasure.erase_session(scope, row, reason=Reason.RETENTION)
            destroyed.update(receipt.destroyed)
        await _add(tx, run_id, destroyed)
    return len(rows)


async def _hand_over_references(scope: Scope, session_ids: Sequence[str], limit: Limit) -> None:
    """Leave the references in use to their persons where these have a session that stays."""
    kept = and_(FaceRow.session_id.in_(session_ids), due.references_of_the_staying(limit))
    found = (await scope.tx.execute(select(FaceRow.id, FaceRow.media_id).where(kept))).all()
    pictures = [row.media_id for row in found if row.media_id is not None]
    await scope.tx.execute(update(MediaRow).where(MediaRow.id.in_(pictures)).values(session_id=None))
    await scope.tx.execute(update(FaceRow).where(FaceRow.id.in_([row.id for row in found])).values(session_id=None))


async def _erase_rows(services: Services, application_id: str, run_id: str) -> int:
    async with services.database.writing() as tx:
        found = await _scope(tx, services, application_id)
        if found is None:
            return 0
        _, limit = found
        destroyed: Counter[str] = Counter()
        for table, condition in (
            (EvaluationRow, due.evaluations(limit)),
            (SightingRow, due.sightings(limit)),
        ):
            some = select(table.id).where(condition).limit(ROWS_AT_ONCE)
            gone = await tx.scalars(delete(table).where(table.id.in_(some)).returning(table.id))
            destroyed[table.__tablename__] = len(gone.all())
        await _add(tx, run_id, destroyed)
    return destroyed.total()


async def _erase_references(services: Services, application_id: str, run_id: str) -> int:
    async with services.database.writing() as tx:
        found = await _scope(tx, services, application_id)
        if found is None:
            return 0
        scope, limit = found
        rows = (await tx.scalars(select(FaceRow).where(due.references(limit)).limit(SESSIONS_AT_ONCE))).all()
        pictures = await media.erase(scope, {row.media_id for row in rows if row.media_id is not None})
        for row in rows:
            await tx.delete(row)
        await _add(tx, run_id, Counter({"references": len(rows), "media": pictures}))
    return len(rows)


async def _scope(tx: Transaction, services: Services, application_id: str) -> tuple[Scope, Limit] | None:
    row = await tx.get(ApplicationRow, application_id)
    limit = None if row is None else Limit.of(services, row)
    if row is None or limit is None:  # deleted, or no longer limited, since the run began
        return None
    return Scope(tx, Application.of(row), services, SYSTEM), limit


async def _add(tx: Transaction, run_id: str, destroyed: Counter[str]) -> None:
    row = await tx.get_one(RetentionRunRow, run_id)
    row.report = dict(Counter(row.report) + destroyed)
