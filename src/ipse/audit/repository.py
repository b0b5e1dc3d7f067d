"""Queries of the audit log. A chain is named where other queries take an application: the installation has one too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import aliased

from ipse.audit.chain import Entry, Head, LinkedEntry, genesis, instant
from ipse.storage.database import Transaction
from ipse.storage.tables import AuditCheckpointRow, AuditEntryRow


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to list; None does not filter."""

    chain: str | None = None
    act: str | None = None
    """An act, or the part before the dot."""
    object_type: str | None = None
    object_tag: str | None = None
    subject_tag: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def hold(tx: Transaction, chain: str, *, wait: bool) -> bool:
    """Keep everybody else from linking ``chain`` until the transaction ends; False when somebody else does already.

    SQLite has one writer anyway.
    """
    if tx.get_bind().dialect.name != "postgresql":
        return True
    key = int.from_bytes(hashlib.sha256(f"audit|{chain}".encode()).digest()[:8], "big", signed=True)
    if wait:
        await tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        return True
    return bool(await tx.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}))


async def head(tx: Transaction, chain: str) -> Head:
    """How far a chain has grown."""
    row = (
        await tx.execute(
            select(AuditEntryRow.position, AuditEntryRow.chained)
            .where(AuditEntryRow.chain == chain, AuditEntryRow.position.is_not(None))
            .order_by(AuditEntryRow.position.desc())
            .limit(1)
        )
    ).one_or_none()
    return Head(chain, 0, genesis(chain)) if row is None else Head(chain, row.position, row.chained)


async def chained_at(tx: Transaction, chain: str, position: int) -> str:
    """The link at a position that is taken; 0 is the beginning."""
    if position == 0:
        return genesis(chain)
    return (
        await tx.scalars(
            select(AuditEntryRow.chained).where(AuditEntryRow.chain == chain, AuditEntryRow.position == position)
        )
    ).one() or ""


async def unlinked(tx: Transaction, chain: str, limit: int) -> Sequence[tuple[str, str]]:
    """Id and digest of entries without a place, oldest first."""
    found = await tx.execute(
        select(AuditEntryRow.id, AuditEntryRow.digest)
        .where(AuditEntryRow.chain == chain, AuditEntryRow.position.is_(None))
        .order_by(AuditEntryRow.occurred_at, AuditEntryRow.id)
        .limit(limit)
    )
    return [(row.id, row.digest) for row in found]


async def place(tx: Transaction, places: Sequence[dict[str, Any]]) -> None:
    """Give entries their place: ``id``, ``position`` and ``chained`` of each."""
    await tx.execute(update(AuditEntryRow), places)


async def chains_to_link(tx: Transaction) -> Sequence[str]:
    """The chains with entries that have no place yet."""
    return (await tx.scalars(select(AuditEntryRow.chain).where(AuditEntryRow.position.is_(None)).distinct())).all()


async def chains(tx: Transaction) -> Sequence[str]:
    """Every chain, by name: one look-up of the index for each, however many entries they have."""
    first = select(func.min(AuditEntryRow.chain).label("chain")).cte("names", recursive=True)
    later = aliased(AuditEntryRow)
    following = select(func.min(later.chain)).where(later.chain > first.c.chain).scalar_subquery()
    names = first.union_all(select(following).where(first.c.chain.is_not(None)))
    return (await tx.scalars(select(names.c.chain).where(names.c.chain.is_not(None)))).all()


async def count_unlinked(tx: Transaction, chain: str) -> int:
    """How many entries of a chain have no place yet."""
    return (
        await tx.scalar(
            select(func.count())
            .select_from(AuditEntryRow)
            .where(AuditEntryRow.chain == chain, AuditEntryRow.position.is_(None))
        )
        or 0
    )


async def linked_after(tx: Transaction, chain: str, position: int, limit: int) -> Sequence[AuditEntryRow]:
    """The entries behind a position, in order."""
    return (
        await tx.scalars(
            select(AuditEntryRow)
            .where(AuditEntryRow.chain == chain, AuditEntryRow.position > position)
            .order_by(AuditEntryRow.position)
            .limit(limit)
        )
    ).all()


async def digests_between(tx: Transaction, chain: str, first: int, last: int) -> Sequence[tuple[int, str]]:
    """Position and digest of the entries from ``first`` to ``last``."""
    found = await tx.execute(
        select(AuditEntryRow.position, AuditEntryRow.digest)
        .where(AuditEntryRow.chain == chain, AuditEntryRow.position.between(first, last))
        .order_by(AuditEntryRow.position)
    )
    return [(row.position, row.digest) for row in found]


async def about(tx: Transaction, chain: str, object_tag: str) -> Sequence[AuditEntryRow]:
    """The entries of one object, in order; those without a place last."""
    return (
        await tx.scalars(
            select(AuditEntryRow)
            .where(AuditEntryRow.chain == chain, AuditEntryRow.object_tag == object_tag)
            .order_by(AuditEntryRow.position.is_(None), AuditEntryRow.position, AuditEntryRow.occurred_at)
            .execution_options(populate_existing=True)  # linking updates rows behind the transaction's back
        )
    ).all()


async def listed(tx: Transaction, filters: Filters, *, limit: int) -> Sequence[AuditEntryRow]:
    """The latest entries that fit, latest first."""
    equal = {
        AuditEntryRow.chain: filters.chain,
        AuditEntryRow.object_type: filters.object_type,
        AuditEntryRow.object_tag: filters.object_tag,
        AuditEntryRow.subject_tag: filters.subject_tag,
    }
    query = select(AuditEntryRow).where(*(column == value for column, value in equal.items() if value is not None))
    if filters.act is not None:
        query = query.where(or_(AuditEntryRow.act == filters.act, AuditEntryRow.act.startswith(f"{filters.act}.")))
    if filters.since is not None:
        query = query.where(AuditEntryRow.occurred_at >= filters.since)
    if filters.until is not None:
        query = query.where(AuditEntryRow.occurred_at < filters.until)
    query = query.order_by(AuditEntryRow.occurred_at.desc(), AuditEntryRow.id.desc()).limit(limit)
    return (await tx.scalars(query)).all()


async def checkpoints(tx: Transaction, chain: str) -> Sequence[AuditCheckpointRow]:
    """The checkpoints of a chain, in order."""
    return (
        await tx.scalars(
            select(AuditCheckpointRow).where(AuditCheckpointRow.chain == chain).order_by(AuditCheckpointRow.position)
        )
    ).all()


async def checkpoint_from(tx: Transaction, chain: str, position: int) -> AuditCheckpointRow | None:
    """The first checkpoint that covers a position."""
    return await tx.scalar(
        select(AuditCheckpointRow)
        .where(AuditCheckpointRow.chain == chain, AuditCheckpointRow.position >= position)
        .order_by(AuditCheckpointRow.position)
        .limit(1)
    )


async def last_checkpoint(tx: Transaction, chain: str) -> AuditCheckpointRow | None:
    """The latest checkpoint of a chain."""
    return await tx.scalar(
        select(AuditCheckpointRow)
        .where(AuditCheckpointRow.chain == chain)
        .order_by(AuditCheckpointRow.position.desc())
        .limit(1)
    )


def entry_of(row: AuditEntryRow) -> Entry:
    """The clear fields of a row."""
    return Entry(
        id=row.id,
        chain=row.chain,
        occurred_at=instant(row.occurred_at),
        act=row.act,
        actor_type=row.actor_type,
        object_type=row.object_type,
        object_tag=row.object_tag,
        subject_tag=row.subject_tag,
        commitment=row.commitment,
    )


def linked_of(row: AuditEntryRow) -> LinkedEntry:
    """A linked row, for the verifier."""
    return LinkedEntry(entry_of(row), row.position or 0, row.digest, row.chained or "")
