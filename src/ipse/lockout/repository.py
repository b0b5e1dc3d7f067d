"""Queries of ``ipse.lockout``. Everything is found by keyed digests; no row says who or where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, bindparam, delete, func, or_, select, text

from ipse.decision.lockout import OTHER_DEVICES
from ipse.runtime.scope import Scope
from ipse.storage.database import Transaction
from ipse.storage.tables import AttemptRow, LockRow

_TAKE_TURNS: Final = text("SELECT pg_advisory_xact_lock(:number)").bindparams(bindparam("number"))


async def take_turns(scope: Scope, subject_tag: str) -> None:
    """Wait until no other transaction decides on this person; SQLite has one writer anyway."""
    if not scope.services.database.is_sqlite:
        await scope.tx.execute(_TAKE_TURNS, {"number": int(subject_tag[:15], 16)})


async def failures_of(scope: Scope, subject_tag: str, budget: str, since: datetime, most: int) -> Sequence[datetime]:
    """When attempts of a budget failed, the latest first."""
    device = AttemptRow.device_tag.is_(None) if budget == OTHER_DEVICES else AttemptRow.device_tag == budget
    query = (
        select(AttemptRow.attempted_at)
        .where(
            AttemptRow.application_id == scope.application_id,
            AttemptRow.subject_tag == subject_tag,
            AttemptRow.attempted_at > since,
            AttemptRow.has_passed.is_(False),
            device,
        )
        .order_by(AttemptRow.attempted_at.desc())
        .limit(most)
    )
    return (await scope.tx.scalars(query)).all()


async def failures_at(scope: Scope, address_tag: str, since: datetime, most: int) -> Sequence[datetime]:
    """When attempts from an address failed, whoever was tried, the latest first."""
    query = (
        select(AttemptRow.attempted_at)
        .where(
            AttemptRow.application_id == scope.application_id,
            AttemptRow.address_tag == address_tag,
            AttemptRow.attempted_at > since,
            AttemptRow.has_passed.is_(False),
        )
        .order_by(AttemptRow.attempted_at.desc())
        .limit(most)
    )
    return (await scope.tx.scalars(query)).all()


async def lock(scope: Scope, subject_tag: str, budget: str) -> LockRow | None:
    """The run of failures of a budget."""
    return await scope.tx.get(LockRow, (scope.application_id, subject_tag, budget), populate_existing=True)


async def locks(scope: Scope, subject_tag: str) -> Sequence[LockRow]:
    """Every budget of a person in which attempts have failed in a row; that of other devices first."""
    query = (
        select(LockRow)
        .where(LockRow.application_id == scope.application_id, LockRow.subject_tag == subject_tag)
        .order_by(LockRow.device_tag)
    )
    return (await scope.tx.scalars(query)).all()


async def budgets_with_failures(scope: Scope, subject_tag: str, since: datetime) -> Sequence[tuple[str, int]]:
    """Budgets of a person in which attempts failed lately, and how many."""
    query = (
        select(func.coalesce(AttemptRow.device_tag, OTHER_DEVICES), func.count())
        .where(
            AttemptRow.application_id == scope.application_id,
            AttemptRow.subject_tag == subject_tag,
            AttemptRow.attempted_at > since,
            AttemptRow.has_passed.is_(False),
        )
        .group_by(AttemptRow.device_tag)
    )
    return [(budget, count) for budget, count in (await scope.tx.execute(query)).all()]


async def forget(scope: Scope, subject_tag: str | None, session_ids: Sequence[str]) -> int:
    """Delete the attempts and locks of a person, and the attempts of sessions; return how many rows."""
    deleted = 0
    if subject_tag is not None:
        of_person = (LockRow.application_id == scope.application_id, LockRow.subject_tag == subject_tag)
        deleted += await _delete(scope.tx, delete(LockRow).where(*of_person))
    if subject_tag is not None or session_ids:
        whose = or_(AttemptRow.subject_tag == subject_tag, AttemptRow.session_id.in_(session_ids))
        attempts = delete(AttemptRow).where(AttemptRow.application_id == scope.application_id, whose)
        deleted += await _delete(scope.tx, attempts)
    return deleted


async def forget_before(tx: Transaction, instant: datetime, most: int) -> int:
    """Delete at most ``most`` attempts of every application that were made before ``instant``."""
    old = select(AttemptRow.id).where(AttemptRow.attempted_at < instant).limit(most)
    return await _delete(tx, delete(AttemptRow).where(AttemptRow.id.in_(old)))


async def _delete(tx: Transaction, statement: Any) -> int:
    return cast("CursorResult[Any]", await tx.execute(statement)).rowcount
