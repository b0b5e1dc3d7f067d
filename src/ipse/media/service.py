"""Store, read and erase images.

The blob is written before the transaction that records it commits. If that transaction fails, the blob is an orphan,
useless without its row, and the sweeper removes it; the other order could commit a row without an image.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from ipse.media import repository, sealing
from ipse.media.errors import MediumDamaged, MediumNotFound
from ipse.runtime.scope import Scope
from ipse.runtime.services import Services
from ipse.security.keyring import CannotOpen
from ipse.security.links import media_link
from ipse.storage.blobs import BlobError, BlobNotFound, BlobStoreUnavailable
from ipse.storage.database import after_commit
from ipse.storage.tables import MediaRow

log = structlog.get_logger(__name__)

LONGEST_WRITE_S: Final = 20.0
"""The transaction of the request waits for the store, and others may wait for the transaction."""

_erasures: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Medium:
    """An image in clear. ``content_type`` is what was found by looking at the bytes when it was stored."""

    content: bytes
    content_type: str


async def store(
    scope: Scope, *, kind: str, content: bytes, content_type: str, session_id: str | None = None
) -> MediaRow:
    """Seal ``content``, write it to the blob store and add its row to the transaction.

    Args:
        kind: what the image is, such as ``selfie`` or ``supplied_portrait``; at most 32 characters. Part of the seal.
        content_type: media type determined from the bytes, not from what a client claimed.

    Raises:
        BlobStoreUnavailable: nothing was stored.
    """
    services = scope.services
    media_id = services.identifiers.uuid()
    sealed, key_sealed = sealing.seal(
        services.biometric_ring, content, application_id=scope.application_id, media_id=media_id, kind=kind
    )
    row = MediaRow(
        id=media_id,
        application_id=scope.application_id,
        session_id=session_id,
        kind=kind,
        content_type=content_type,
        blob_key=f"{scope.application_id}/{media_id}",
        sha256=hashlib.sha256(sealed).hexdigest(),
        byte_count=len(content),
        key_sealed=key_sealed,
        created_at=services.clock.now(),
    )
    await _write(services, row.blob_key, sealed)
    scope.tx.add(row)
    await scope.tx.flush()
    return row


async def read(scope: Scope, media_id: str) -> Medium:
    """Return an image of the scope's application.

    Raises:
        MediumNotFound: unknown, foreign or erased.
        MediumDamaged: the blob does not open.
        BlobStoreUnavailable: the store does not answer.
    """
    row = await repository.find(scope, media_id)
    if row is None:
        raise MediumNotFound
    return await open_row(scope.services, row)


async def open_row(services: Services, row: MediaRow) -> Medium:
    """Return the image of a row; errors as :func:`read`."""
    try:
        sealed = await services.blobs.get(row.blob_key)
    except BlobNotFound as error:
        raise MediumNotFound from error
    if hashlib.sha256(sealed).hexdigest() != row.sha256:
        raise MediumDamaged(row.id)
    try:
        content = sealing.unseal(
            services.biometric_ring,
            sealed,
            row.key_sealed,
            application_id=row.application_id,
            media_id=row.id,
            kind=row.kind,
        )
    except CannotOpen as error:
        raise MediumDamaged(row.id) from error
    return Medium(content, row.content_type)


async def erase(scope: Scope, media_ids: Collection[str]) -> int:
    """Delete images of the scope's application; return how many there were.

    Rows go with the transaction, blobs right after it has committed. If the process dies in between, the sweeper
    removes the blobs, which have no row any more.
    """
    keys = await repository.remove(scope, media_ids)
    after_commit(scope.tx, lambda: _erase_blobs_soon(scope.services, keys))
    return len(keys)


async def erase_session(scope: Scope, session_id: str) -> int:
    """Delete every image of one session; return how many there were."""
    return await erase(scope, [row.id for row in await repository.of_session(scope, session_id)])


def link(services: Services, application_id: str, media_id: str) -> str:
    """Return an absolute URL that shows the image for the next 60 minutes."""
    return media_link(
        services.settings.public_url,
        services.ordinary_ring,
        application_id=application_id,
        media_id=media_id,
        now=services.clock.now(),
    )


async def erasures_finished() -> None:
    """Wait until the blobs of every erasure committed so far are gone."""
    await asyncio.gather(*_erasures)


async def _write(services: Services, key: str, sealed: bytes) -> None:
    """Store a blob, or give up: what a store takes in afterwards all the same is an orphan."""
    try:
        async with asyncio.timeout(LONGEST_WRITE_S):
            await services.blobs.put(key, sealed)
    except TimeoutError as error:
        raise BlobStoreUnavailable(f"The blob store did not answer for {LONGEST_WRITE_S:.0f} s.") from error


def _erase_blobs_soon(services: Services, keys: Sequence[str]) -> None:
    task = asyncio.get_running_loop().create_task(_erase_blobs(services, keys))
    _erasures.add(task)
    task.add_done_callback(_erasures.discard)


async def _erase_blobs(services: Services, keys: Sequence[str]) -> None:
    for key in keys:
        try:
            await services.blobs.delete(key)
        except BlobError as error:
            log.warning("media.erase_postponed", reason=type(error).__name__)
