"""What the worker does so that nothing is kept too long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from ipse.privacy import retention
from ipse.runtime.services import Services
from ipse.storage.tables import ApplicationRow, SessionRow, VerdictRow

VERDICTS_KEPT: Final = timedelta(days=30)
"""How long the row of a verdict is kept once it has expired: as long as events are."""
_ROWS_AT_ONCE: Final = 1_000


async def run_retention(services: Services) -> int:
    """Run the retention of every application that has one; return how many sessions were erased."""
    erased = 0
    for application_id in await _limited(services):
        done = await retention.run(services, application_id)
        if done is not None:
            erased += int(done.report.get("sessions", 0))
    return erased


async def sweep(services: Services) -> int:
    """Delete what nobody needs any more, in every application; return how many rows.

    Rows of verdicts that expired long ago, and the bare rows that deleted sessions left before decision 0020.
    """
    now = services.clock.now()
    swept = 0
    for table, condition in (
        (VerdictRow, VerdictRow.expires_at < now - VERDICTS_KEPT),
        (SessionRow, SessionRow.deleted_at.is_not(None)),
    ):
        while True:
            async with services.database.writing() as tx:
                some = select(table.id).where(condition).limit(_ROWS_AT_ONCE)
                gone = await tx.scalars(delete(table).where(table.id.in_(some)).returning(table.id))
                count = len(gone.all())
            swept += count
            if count < _ROWS_AT_ONCE:
                break
    return swept


async def scrub(services: Services) -> None:
    """Take what was deleted out of the database's log, too (SQLite)."""
    await services.database.scrub()


async def _limited(services: Services) -> Sequence[str]:
    async with services.database.reading() as tx:
        found = await tx.scalars(
            select(ApplicationRow.id).where(ApplicationRow.retention_days.is_not(None)).order_by(ApplicationRow.id)
        )
        return found.all()
