"""A new key on a ring, and everything stored with it sealed again (``ipse keys rotate``).

The new key first only opens, long enough for every process to load it, and then seals. Older keys stay on the ring:
answers kept for idempotency (24 hours) and backups still need them. Interrupting is safe, because a value is readable
under its old key until the very transaction that replaces it; repeating adds one more key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import func, inspect, literal, select, tuple_

from ipse.audit.sealing import details_context
from ipse.audit.service import record_installation
from ipse.faces import spaces
from ipse.faces.rotation import seed_context
from ipse.faces.sealing import search_context, template_context
from ipse.media import tasks as media
from ipse.media.sealing import key_context
from ipse.runtime.services import Services
from ipse.security import keysets
from ipse.security.keyring import CannotOpen, KeyRing, Ring
from ipse.sessions.view import token_context
from ipse.step_up.signing_keys import private_context
from ipse.storage.sealed import context_at, fields_of
from ipse.storage.tables import (
    AuditEntryRow,
    Base,
    DestinationRow,
    EventRow,
    FaceRow,
    FaceSpaceRow,
    MediaRow,
    SessionRow,
    SigningKeyRow,
    TemplateSpaceRow,
)
from ipse.webhooks.destinations import secret_context
from ipse.webhooks.service import payload_context

log = structlog.get_logger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with what is being sealed, how many are done and how many there are."""

_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Values in the database that a ring seals. ``context`` tells the place that a value is bound to."""

    name: str
    ring: Ring
    table: Any
    column: str
    context: Callable[[Any], bytes]


_SEALED_BY_HAND: Final = (
    SealedColumn("webhook secrets", Ring.ORDINARY, DestinationRow, "secret_sealed", secret_context),
    SealedColumn(
        "events", Ring.ORDINARY, EventRow, "payload_sealed", lambda row: payload_context(row.application_id, row.id)
    ),
    SealedColumn("session tokens", Ring.ORDINARY, SessionRow, "token_sealed", lambda row: token_context(row.id)),
    SealedColumn("signing keys", Ring.ORDINARY, SigningKeyRow, "private_sealed", lambda row: private_context(row.id)),
    SealedColumn(
        "templates",
        Ring.BIOMETRIC,
        FaceRow,
        "template_sealed",
        lambda row: template_context(row.application_id, row.id),
    ),
    SealedColumn("face spaces", Ring.BIOMETRIC, FaceSpaceRow, "seed_sealed", lambda row: seed_context(row.id)),
    SealedColumn(
        "search vectors",
        Ring.BIOMETRIC,
        FaceRow,
        "search_sealed",
        lambda row: search_context(row.application_id, row.id),
    ),
    SealedColumn(
        "template spaces",
        Ring.BIOMETRIC,
        TemplateSpaceRow,
        "seed_sealed",
        lambda row: spaces.seed_context(row.application_id, row.version),
    ),
    SealedColumn(
        "keys of images",
        Ring.BIOMETRIC,
        MediaRow,
        "key_sealed",
        lambda row: key_context(row.application_id, row.id, row.kind),
    ),
    SealedColumn(
        "audit details", Ring.ORDINARY, AuditEntryRow, "details_sealed", lambda row: details_context(row.chain, row.id)
    ),
)


def _fields() -> Iterator[SealedColumn]:
    for mapper in sorted(Base.registry.mappers, key=lambda one: one.class_.__tablename__):
        for name, field in fields_of(mapper.class_).items():
            yield SealedColumn(
                f"{mapper.class_.__tablename__}.{name}",
                Ring.ORDINARY,
                mapper.class_,
                field.column,
                partial(context_at, field=name),
            )


SEALED_COLUMNS: Final = (*_SEALED_BY_HAND, *_fields())
"""Every column that a ring seals, but the answers kept for idempotency."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: the key that seals now, and how many values of each kind were sealed again."""

    ring: Ring
    version: int
    key_id: int
    moved: Mapping[str, int]


async def rotate(
    services: Services,
    ring: Ring,
    *,
    progress: Progress = lambda _name, _done, _total: None,
    settle: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Rotation:
    """Put a new key on ``ring``, let every process load it, seal with it, and seal what is stored again.

    Args:
        settle: waits the given seconds; where no other process shares the database, it need not.

    Raises:
        KeyRingError: the master key cannot be loaded.
        IntegrityError: another rotation is under way.
    """
    held = _ring(services, ring)
    await keysets.reload(services.database, (held,), keysets.load_master_keys(services.settings))
    await _advance(services, held, held.with_new_key())
    await settle(keysets.SETTLE_SECONDS)
    await _advance(services, held, held.with_newest_primary())
    moved = {column.name: await rewrap_column(services, column, progress) for column in _columns(ring)}
    if ring is Ring.BIOMETRIC:
        moved["media"] = await media.give_keys(services, lambda done, total: progress("media", done, total))
    await _record(services, held, moved)
    return Rotation(ring, held.version, held.primary_key_id, moved)


async def rewrap_column(services: Services, column: SealedColumn, progress: Progress) -> int:
    """Seal the values of one column again that an older key sealed; return how many."""
    ring, table = _ring(services, column.ring), column.table
    sealed = getattr(table, column.column)
    present = (sealed.is_not(None), func.length(sealed) > 0)
    async with services.database.reading() as tx:
        total = await tx.scalar(select(func.count()).select_from(table).where(*present)) or 0
    done = moved = 0
    last: Sequence[Any] | None = None
    key = [getattr(table, table.__mapper__.get_property_by_column(one).key) for one in table.__mapper__.primary_key]
    while True:
        async with services.database.writing() as tx:
            query = select(table).where(*present).order_by(*key).limit(_BATCH).with_for_update()
            rows = (await tx.scalars(query if last is None else query.where(tuple_(*key) > tuple_(*last)))).all()
            for row in rows:
                moved += _rewrap(ring, row, column)
        if not rows:
            return moved
        last = [literal(getattr(rows[-1], one.key), one.type) for one in key]
        done += len(rows)
        progress(column.name, done, max(total, done))


def _rewrap(ring: KeyRing, row: Any, column: SealedColumn) -> bool:
    value = getattr(row, column.column)
    try:
        renewed = ring.rewrap(value, context=column.context(row))
    except CannotOpen as error:
        log.error("keys.rewrap_failed", kind=column.name, row=inspect(row).identity, reason=error.code)
        return False
    if renewed is value:
        return False
    setattr(row, column.column, renewed)
    return True


async def _advance(services: Services, held: KeyRing, following: KeyRing) -> None:
    master = keysets.load_master_keys(services.settings)[held.ring]
    async with services.database.writing() as tx:
        await keysets.save(tx, following, master, services.clock)
    held.take_over(following)


async def _record(services: Services, held: KeyRing, moved: Mapping[str, int]) -> None:
    async with services.database.writing() as tx:
        await record_installation(
            services,
            tx,
            "data_key.rotated",
            object_type="key_ring",
            object_id=held.ring.value,
            details={"version": held.version, "key_id": f"{held.primary_key_id:08x}", "moved": dict(moved)},
        )


def _ring(services: Services, ring: Ring) -> KeyRing:
    return services.ordinary_ring if ring is Ring.ORDINARY else services.biometric_ring


def _columns(ring: Ring) -> Sequence[SealedColumn]:
    return [column for column in SEALED_COLUMNS if column.ring is ring]
