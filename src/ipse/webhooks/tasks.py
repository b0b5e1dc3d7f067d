"""Scheduled work on events: forgetting old ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from ipse.runtime.services import Services
from ipse.storage.tables import DeliveryRow, EventRow

RETENTION: Final = timedelta(days=30)
"""How long events and their payloads are kept after they happened (W8)."""

_BATCH: Final = 200


async def forget_old_events(services: Services) -> int:
    """Delete events older than 30 days that nothing waits for any more; return how many."""
    forgotten = 0
    while True:
        async with services.database.writing() as tx:
            waiting = select(DeliveryRow.id).where(DeliveryRow.event_id == EventRow.id, DeliveryRow.state == "pending")
            old = await tx.scalars(
                select(EventRow.id)
                .where(EventRow.occurred_at < services.clock.now() - RETENTION, ~waiting.exists())
                .limit(_BATCH)
            )
            ids = old.all()
            await tx.execute(delete(EventRow).where(EventRow.id.in_(ids)))
        forgotten += len(ids)
        if len(ids) < _BATCH:
            return forgotten
