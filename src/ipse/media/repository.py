"""Queries on the rows of media."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select

from ipse.runtime.scope import Scope
from ipse.storage.database import Transaction
from ipse.storage.tables import MediaRow


async def find(scope: Scope, media_id: str) -> MediaRow | None:
    """Return one medium of the scope's application."""
    row: MediaRow | None = await scope.tx.scalar(
        select(MediaRow).where(MediaRow.id == media_id, MediaRow.application_id == scope.application_id)
    )
    return row


async def find_any(tx: Transaction, media_id: str) -> MediaRow | None:
    """Return a medium of whichever application: for links, which prove the application themselves."""
    return await tx.get(MediaRow, media_id)


async def of_session(scope: Scope, session_id: str) -> Sequence[MediaRow]:
    """Return every medium of one session, oldest first."""
    found = await scope.tx.scalars(
        select(MediaRow)
        .where(MediaRow.session_id == session_id, MediaRow.application_id == scope.application_id)
        .order_by(MediaRow.created_at, MediaRow.id)
    )
    return found.all()


async def remove(scope: Scope, media_ids: Collection[str]) -> Sequence[str]:
    """Delete rows of the scope's application; return the keys of the blobs they pointed to."""
    deleted = await scope.tx.scalars(
        delete(MediaRow)
        .where(MediaRow.id.in_(media_ids), MediaRow.application_id == scope.application_id)
        .returning(MediaRow.blob_key)
    )
    return deleted.all()


async def known_blobs(tx: Transaction, keys: Collection[str]) -> frozenset[str]:
    """Return those of ``keys`` that a row points to."""
    return frozenset(await tx.scalars(select(MediaRow.blob_key).where(MediaRow.blob_key.in_(keys))))
