"""Scheduled work on events: forgetting old ones, and moving what is sealed to the newest key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import delete, func, select

from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.storage.tables import DeliveryRow, DestinationRow, EventRow
from ipse.webhooks.destinations import secret_context
from ipse.webhooks.service import payload_context

log = structlog.get_logger(__name__)

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


async def rewrap(services: Services, progress: Callable[[int, int], None]) -> int:
    """Seal secrets and payloads again that were sealed with an older key; return how many.

    ``progress`` is called with (done, total) after each batch.
    """
    async with services.database.reading() as tx:
        secrets = await tx.scalar(select(func.count()).select_from(DestinationRow)) or 0
        total = secrets + (await tx.scalar(select(func.count()).select_from(EventRow)) or 0)
    done = moved = 0
    for step in (_rewrap_secrets, _rewrap_payloads):
        last: str | None = ""
        while last is not None:
            last, seen, changed = await step(services, last)
            done += seen
            moved += changed
            progress(done, max(total, done))
    return moved


async def _rewrap_secrets(services: Services, after: str) -> tuple[str | None, int, int]:
    ring = services.ordinary_ring
    async with services.database.writing() as tx:
        query = select(DestinationRow).where(DestinationRow.id > after) if after else select(DestinationRow)
        rows = (await tx.scalars(query.order_by(DestinationRow.id).limit(_BATCH).with_for_update())).all()
        changed = 0
        for row in rows:
            try:
                renewed = ring.rewrap(row.secret_sealed, context=secret_context(row))
            except CannotOpen as error:
                log.error("webhook.rewrap_failed", destination=row.id, reason=error.code)
                continue
            changed += renewed != row.secret_sealed
            row.secret_sealed = renewed
    return (rows[-1].id if rows else None), len(rows), changed


async def _rewrap_payloads(services: Services, after: str) -> tuple[str | None, int, int]:
    ring = services.ordinary_ring
    async with services.database.writing() as tx:
        query = select(EventRow).where(EventRow.id > after) if after else select(EventRow)
        rows = (await tx.scalars(query.order_by(EventRow.id).limit(_BATCH).with_for_update())).all()
        changed = 0
        for row in rows:
            try:
                renewed = ring.rewrap(row.payload_sealed, context=payload_context(row.application_id, row.id))
            except CannotOpen as error:
                log.error("webhook.rewrap_failed", event=row.id, reason=error.code)
                continue
            changed += renewed != row.payload_sealed
            row.payload_sealed = renewed
    return (rows[-1].id if rows else None), len(rows), changed
