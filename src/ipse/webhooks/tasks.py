"""Scheduled work on events: forgetting old ones, and mending what a wrong clock did to deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import delete, or_, select, update

from ipse.runtime.services import Services
from ipse.storage.tables import DeliveryRow, EventRow
from ipse.webhooks.policy import DELAYS
from ipse.webhooks.queue import LEASE

log = structlog.get_logger(__name__)

RETENTION: Final = timedelta(days=30)
"""How long events and their payloads are kept after they happened (W8)."""

SKEW: Final = timedelta(seconds=60)
"""How far the clocks of two workers may differ."""

_FURTHEST: Final = 2 * max(DELAYS)
"""The longest wait for an attempt: what ``Retry-After`` is clamped to."""

_BATCH: Final = 200


async def release_future(services: Services) -> int:
    """Make due what lies further in the future than any wait or lease can; return how many deliveries.

    A clock that ran ahead wrote it down. Once the clock is right again nothing would be sent for as long as it had
    been wrong.
    """
    now = services.clock.now()
    async with services.database.writing() as tx:
        released = await tx.scalars(
            update(DeliveryRow)
            .where(
                DeliveryRow.state == "pending",
                or_(DeliveryRow.due_at > now + _FURTHEST + SKEW, DeliveryRow.leased_until > now + LEASE + SKEW),
            )
            .values(due_at=now, leased_until=None, leased_by=None)
            .returning(DeliveryRow.id)
            .execution_options(synchronize_session=False)
        )
        count = len(released.all())
    if count:
        log.warning("webhook.released_from_the_future", deliveries=count)
        services.deliveries_due.ring()
    return count


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
