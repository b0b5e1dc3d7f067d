"""Removing entries whose time is over, run by a schedule. They have had no effect since that moment."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from ipse.lists import entries
from ipse.runtime.application import Application
from ipse.runtime.scope import SYSTEM, Scope
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import ApplicationRow, ListEntryRow, ListRow

BATCH = 500
"""Entries removed in one transaction, so that no lock is held long."""


async def sweep(services: Services) -> int:
    """Remove every entry whose time is over, with its face; blocked people become active. Return how many went."""
    removed = 0
    while step := await _remove_batch(services):
        removed += step
    return removed


async def _remove_batch(services: Services) -> int:
    async with services.database.writing() as tx:
        due = await _due(tx, services)
        for entry, row, application in due:
            scope = Scope(tx, Application.of(application), services, SYSTEM)
            await entries.remove(scope, row, [entry])
        return len(due)


async def _due(tx: Transaction, services: Services) -> Sequence[tuple[ListEntryRow, ListRow, ApplicationRow]]:
    found = await tx.execute(
        select(ListEntryRow, ListRow, ApplicationRow)
        .join(ListRow, ListRow.id == ListEntryRow.list_id)
        .join(ApplicationRow, ApplicationRow.id == ListEntryRow.application_id)
        .where(ListEntryRow.expires_at <= services.clock.now())
        .order_by(ListEntryRow.expires_at)
        .limit(BATCH)
        .with_for_update(of=ListEntryRow, skip_locked=True)
    )
    return [(entry, row, application) for entry, row, application in found.all()]
