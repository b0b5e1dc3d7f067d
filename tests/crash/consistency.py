"""What must hold in the database and the blob store whenever a process died, and what a reader counts there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text

from ipse.media import service as media
from ipse.runtime.services import Services
from ipse.storage.database import Transaction
from ipse.storage.tables import CaptureRow, DeliveryRow, EventRow, FaceRow, MediaRow, SessionRow
from ipse.storage.tables.base import Base

_COUNTED_ELSEWHERE = frozenset({"leases", "alembic_version"})


async def census(services: Services) -> Mapping[str, int]:
    """Rows of every table, sessions by status and deliveries by state: two states that differ in it are different."""
    names = [table.name for table in Base.metadata.sorted_tables if table.name not in _COUNTED_ELSEWHERE]
    counted = [f"SELECT '{name}' AS what, count(*) AS how_many FROM {name}" for name in names]  # noqa: S608  our tables
    counted += [
        f"SELECT '{table} ' || {column}, count(*) FROM {table} GROUP BY {column}"  # noqa: S608  our own names
        for table, column in (("sessions", "status"), ("deliveries", "state"), ("faces", "purpose"))
    ]
    async with services.database.reading() as tx:
        rows = await tx.execute(text(" UNION ALL ".join(counted)))
        return {row.what: row.how_many for row in rows}


async def check(services: Services) -> None:
    """Fail if a decision has no event, an event no decision, or a face or image cannot be read."""
    async with services.database.reading() as tx:
        await _decisions_and_events(tx)
        images = {row.id: row for row in await tx.scalars(select(MediaRow))}
        for face in await tx.scalars(select(FaceRow)):
            assert face.media_id is None or face.media_id in images, f"face {face.id} has lost its image"
    for row in images.values():
        assert (await media.open_row(services, row)).content, f"image {row.id} is empty"


async def blobs_without_row(services: Services) -> set[str]:
    """Keys in the store that no image points at."""
    async with services.database.reading() as tx:
        known = set(await tx.scalars(select(MediaRow.blob_key)))
    return {blob.key async for blob in services.blobs.list_blobs()} - known


async def _decisions_and_events(tx: Transaction) -> None:
    announced: dict[str | None, list[Any]] = defaultdict(list)
    for event in await tx.scalars(select(EventRow).where(EventRow.webhook_type == "status.updated")):
        announced[event.session_id].append(event)
    captures = Counter((row.session_id, row.node_id, row.attempt) for row in await tx.scalars(select(CaptureRow)))
    assert set(captures.values()) <= {1}, captures
    sessions = [row for row in await tx.scalars(select(SessionRow)) if row.deleted_at is None]
    for session in sessions:
        events = sorted(announced.pop(session.id, []), key=lambda event: event.session_version)
        assert events, f"session {session.id} has no event"
        versions = [event.session_version for event in events]
        assert versions == list(range(1, session.version + 1)), (versions, session.version)
        assert events[-1].status == session.status, f"{session.status} is not what was announced: {events[-1].status}"
    assert not announced, f"events of sessions that do not exist: {list(announced)}"
    events_told = Counter(row.event_id for row in await tx.scalars(select(DeliveryRow)))
    assert set(events_told.values()) <= {1}, "one event was queued twice for one destination"
