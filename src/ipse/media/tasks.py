"""Work on all media: removing blobs without a row, and giving old images a key of their own."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import func, select, update

from ipse.media import repository, sealing, service
from ipse.media.errors import MediumDamaged, MediumNotFound
from ipse.runtime.services import Services
from ipse.storage.tables import MediaRow

log = structlog.get_logger(__name__)

ORPHAN_AGE: Final = timedelta(hours=1)
"""A blob younger than this may belong to a transaction that is still open."""

_BATCH: Final = 500


async def sweep_orphans(services: Services) -> int:
    """Delete blobs that have had no row for an hour; return how many.

    They are left by transactions that failed after writing the blob, and by erasures that a crash interrupted.
    """
    removed = 0
    async for keys in _old_blobs(services):
        async with services.database.reading() as tx:
            known = await repository.known_blobs(tx, keys)
        for key in keys:
            if key not in known:
                await services.blobs.delete(key)
                removed += 1
    if removed:
        log.info("media.orphans_removed", count=removed)
    return removed


async def give_keys(services: Services, progress: Callable[[int, int], None]) -> int:
    """Give a key of its own to every image that the ring itself sealed (before decision 0022); return how many.

    Each image gets a new blob first, then its row is pointed at it, then the old blob goes: a crash at any moment
    leaves every image readable. ``progress`` is called with (done, total) after each row.
    """
    moved = done = 0
    last = ""
    without = MediaRow.key_sealed.is_(None)
    async with services.database.reading() as tx:
        total = await tx.scalar(select(func.count()).select_from(MediaRow).where(without)) or 0
    while True:
        async with services.database.reading() as tx:
            query = select(MediaRow).where(without, MediaRow.id > last) if last else select(MediaRow).where(without)
            rows = (await tx.scalars(query.order_by(MediaRow.id).limit(_BATCH))).all()
        if not rows:
            return moved
        for row in rows:
            moved += await _give_key(services, row)
            done += 1
            last = row.id
            progress(done, max(total, done))


async def _give_key(services: Services, row: MediaRow) -> bool:
    try:
        medium = await service.open_row(services, row)
    except (MediumNotFound, MediumDamaged) as error:
        log.error("media.rewrap_failed", media=row.id, reason=type(error).__name__)
        return False
    renewed, key_sealed = await asyncio.to_thread(
        sealing.seal,
        services.biometric_ring,
        medium.content,
        application_id=row.application_id,
        media_id=row.id,
        kind=row.kind,
    )
    key = f"{row.application_id}/{row.id}-own"
    await services.blobs.delete(key)  # left by an interrupted run
    await services.blobs.put(key, renewed)
    async with services.database.writing() as tx:
        pointed = await tx.scalars(
            update(MediaRow)
            .where(MediaRow.id == row.id, MediaRow.blob_key == row.blob_key)
            .values(blob_key=key, key_sealed=key_sealed, sha256=hashlib.sha256(renewed).hexdigest())
            .returning(MediaRow.id)
        )
        moved = pointed.one_or_none() is not None
    await services.blobs.delete(row.blob_key if moved else key)
    return moved


async def _old_blobs(services: Services) -> AsyncIterator[list[str]]:
    batch: list[str] = []
    before = services.clock.now() - ORPHAN_AGE
    async for blob in services.blobs.list_blobs():
        if blob.stored_at < before:
            batch.append(blob.key)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
