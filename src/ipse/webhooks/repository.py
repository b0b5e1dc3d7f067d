"""Queries on destinations, events and deliveries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Row, case, func, select

from ipse.runtime.scope import Scope
from ipse.storage.tables import DeliveryRow, DestinationRow, EventRow


@dataclass(frozen=True, slots=True)
class DeliveryStatistics:
    """Figures of one destination; ``failed`` counts deliveries that were given up."""

    attempted: int = 0
    failed: int = 0
    fastest_ms: int | None = None
    average_ms: int | None = None
    slowest_ms: int | None = None
    last_at: datetime | None = None

    @property
    def error_rate_percentage(self) -> int:
        """Share of failed ones among those attempted, 0 to 100."""
        return round(100 * self.failed / self.attempted) if self.attempted else 0


async def destinations(scope: Scope) -> Sequence[DestinationRow]:
    """Return the application's destinations, oldest first."""
    found = await scope.tx.scalars(
        select(DestinationRow)
        .where(DestinationRow.application_id == scope.application_id)
        .order_by(DestinationRow.created_at, DestinationRow.id)
    )
    return found.all()


async def find(scope: Scope, destination_id: str, *, lock: bool = False) -> DestinationRow | None:
    """Return one destination of the application."""
    query = select(DestinationRow).where(
        DestinationRow.id == destination_id, DestinationRow.application_id == scope.application_id
    )
    row: DestinationRow | None = await scope.tx.scalar(query.with_for_update(key_share=True) if lock else query)
    return row


async def url_is_taken(scope: Scope, url: str, *, besides: str | None = None) -> bool:
    """Return whether another destination of the application has ``url``."""
    query = select(DestinationRow.id).where(
        DestinationRow.application_id == scope.application_id, DestinationRow.url == url
    )
    if besides is not None:
        query = query.where(DestinationRow.id != besides)
    return await scope.tx.scalar(query.limit(1)) is not None


async def statistics(scope: Scope, destination_ids: Collection[str]) -> Mapping[str, DeliveryStatistics]:
    """Return the figures of each destination that was ever delivered to."""
    failed = func.sum(case((DeliveryRow.state == "failed", 1), else_=0))
    rows = await scope.tx.execute(
        select(
            DeliveryRow.destination_id,
            func.count(),
            failed,
            func.min(DeliveryRow.response_ms),
            func.avg(DeliveryRow.response_ms),
            func.max(DeliveryRow.response_ms),
            func.max(DeliveryRow.last_attempt_at),
        )
        .where(DeliveryRow.destination_id.in_(destination_ids), DeliveryRow.attempts > 0)
        .group_by(DeliveryRow.destination_id)
    )
    return {
        destination_id: DeliveryStatistics(
            int(count), int(failures), fastest, None if average is None else round(average), slowest, last
        )
        for destination_id, count, failures, fastest, average, slowest, last in rows
    }


DeliveryFacts: TypeAlias = "Row[DeliveryRow, EventRow, DestinationRow]"


async def deliveries_of_session(scope: Scope, session_id: str, *, limit: int, offset: int) -> Sequence[DeliveryFacts]:
    """Return one window of a session's deliveries, newest first."""
    mine = (EventRow.session_id == session_id, EventRow.application_id == scope.application_id)
    rows = await scope.tx.execute(
        select(DeliveryRow, EventRow, DestinationRow)
        .join(EventRow, EventRow.id == DeliveryRow.event_id)
        .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
        .where(*mine)
        .order_by(DeliveryRow.created_at.desc(), DeliveryRow.position.desc(), DeliveryRow.id)
        .limit(limit)
        .offset(offset)
    )
    return rows.all()


async def session_has_events(scope: Scope, session_id: str) -> bool:
    """Return whether the application has a session of this id: every session has at least the event of its creation."""
    query = select(EventRow.id).where(
        EventRow.session_id == session_id, EventRow.application_id == scope.application_id
    )
    return await scope.tx.scalar(query.limit(1)) is not None


async def delivery(scope: Scope, session_id: str, delivery_id: str) -> DeliveryFacts | None:
    """Return one delivery of one session of the application."""
    rows = await scope.tx.execute(
        select(DeliveryRow, EventRow, DestinationRow)
        .join(EventRow, EventRow.id == DeliveryRow.event_id)
        .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
        .where(
            DeliveryRow.id == delivery_id,
            EventRow.session_id == session_id,
            EventRow.application_id == scope.application_id,
        )
    )
    return rows.one_or_none()
